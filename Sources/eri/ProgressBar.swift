import CERISystem
import ERICommands
import ERIFormat
import Foundation

/// A line on a terminal that says how far long work is; elsewhere a plain line now and then.
final class ProgressBar {
  private static let width = 28
  /// Seconds between two plain lines: at least the first, and at most the second or a twentieth of the work.
  private static let lineSeconds = (least: 10.0, most: 60.0)

  private let isTerminal = isatty(2) != 0
  private var isShown = false
  private var start: UInt64?
  /// When and at which share the last plain line was printed.
  private var lastLine = (seconds: 0.0, share: 0.0)

  /// Shows a share of the work, 0…1; nothing where there is no terminal.
  func show(_ label: String, _ share: Double) {
    guard isTerminal else { return }
    let share = min(max(share, 0), 1)
    let filled = Int(Double(ProgressBar.width) * share)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: ProgressBar.width - filled)
    FileHandle.standardError.write(Data("\r\u{1B}[K\(bar) \(Int(100 * share))%  \(printable(label))".utf8))
    isShown = true
  }

  /// Shows how many of so many pieces are done and, from the time since the first call, how long the rest will take.
  func show(_ label: String, done: Int, of total: Int, _ unit: String) {
    let now = eri_clock_monotonic()
    let seconds = Double(now - (start ?? now)) / 1e9
    if start == nil { start = now }
    let share = Double(done) / Double(max(total, 1))
    var text = "\(label): \(done) of \(total) \(unit)"
    if done > 0, done < total { text += ", \(clockTime(seconds / share - seconds)) left" }
    if isTerminal { return show(text, share) }
    let silence = seconds - lastLine.seconds
    guard
      silence >= ProgressBar.lineSeconds.most
        || silence >= ProgressBar.lineSeconds.least && share >= lastLine.share + 0.05
    else { return }
    lastLine = (seconds, share)
    Console.note(text)
  }

  /// Takes the line away.
  func clear() {
    guard isShown else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    isShown = false
  }
}

/// Seconds as minutes and seconds, "4:07", or with hours, "1:04:07".
func clockTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let (hours, minutes) = (whole / 3600, whole / 60 % 60)
  return (hours > 0 ? "\(hours):\(padded(minutes))" : "\(minutes)") + ":" + padded(whole % 60)
}

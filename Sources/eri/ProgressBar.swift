import ERICommands
import ERIFormat
import Foundation

/// A line on a terminal that says how far long work is; elsewhere nothing but whole lines are written.
final class ProgressBar {
  private static let width = 28
  private let isTerminal = isatty(2) != 0
  private var isShown = false

  /// Shows a share of the work, 0…1.
  func show(_ label: String, _ share: Double) {
    guard isTerminal else { return }
    let filled = Int(Double(ProgressBar.width) * min(max(share, 0), 1))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: ProgressBar.width - filled)
    FileHandle.standardError.write(
      Data("\r\u{1B}[K\(bar) \(Int(100 * min(max(share, 0), 1)))%  \(printable(label))".utf8))
    isShown = true
  }

  /// Takes the line away.
  func clear() {
    guard isShown else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    isShown = false
  }
}

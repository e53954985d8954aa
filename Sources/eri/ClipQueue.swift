import ERICommands
import Foundation

/// What a clip gave, in the words that are printed.
struct ClipResult {
  /// Printed to standard error before the output.
  var notes: [String] = []
  var output: String?
  /// Printed to standard error after the output.
  var fault: String?
  var status = ExitStatus.done
  /// It is no clip at all.
  var isPassedOver = false
  var stages = StageTimes()
}

/// Prints the results of clips in the clips' order, whichever is done first. Results are few words, so those that wait cost nothing.
final class ClipQueue: @unchecked Sendable {
  private let lock = NSLock()
  private let bar = ProgressBar()
  private let count: Int
  /// By clip: results that wait for one before them.
  private var waiting: [Int: ClipResult] = [:]
  private var nextClip = 0
  /// By clip: how much is done of those that are worked on.
  private var shares: [Int: Double] = [:]
  private var worst = ExitStatus.done
  private var stages = StageTimes()
  private var clips = 0
  /// Why results can no longer be printed.
  private var failure: CommandFailure?

  /// - Parameter count: of clips
  init(count: Int) { self.count = count }

  /// Whether there is no use in going on.
  var isStopped: Bool { lock.withLock { failure != nil } }

  /// Shows how far a clip is.
  func show(_ label: String, clip: Int, share: Double) {
    lock.withLock {
      shares[clip] = share
      bar.show(label, (Double(nextClip + waiting.count) + shares.values.reduce(0, +)) / Double(count))
    }
  }

  /// Takes a clip's result and prints it, once those before it are printed.
  func add(_ result: ClipResult, of clip: Int) {
    lock.withLock {
      shares[clip] = nil
      waiting[clip] = result
      while failure == nil, let next = waiting.removeValue(forKey: nextClip) {
        nextClip += 1
        bar.clear()
        print(next)
      }
    }
  }

  private func print(_ result: ClipResult) {
    for note in result.notes { Console.note(note) }
    do throws(CommandFailure) {
      if let output = result.output { try Console.print(output) }
    } catch { failure = error }
    if let fault = result.fault { Console.note(fault) }
    if result.status.rawValue > worst.rawValue { worst = result.status }
    stages.add(result.stages)
    if !result.isPassedOver { clips += 1 }
  }

  /// The worst status of all, the times of all stages, and how many clips there were without what is none.
  /// - Throws: `CommandFailure` if a result could not be printed.
  func finish() throws(CommandFailure) -> (worst: ExitStatus, stages: StageTimes, clips: Int) {
    bar.clear()
    if let failure { throw failure }
    return (worst, stages, clips)
  }
}

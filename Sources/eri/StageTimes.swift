import ERICommands
import ERIDataset
import ERIFormat

/// Milliseconds of each stage of working on clips.
struct StageTimes {
  /// By stage, in the order of the work.
  private(set) var stages: [(name: String, milliseconds: Double)] = []
  /// Clips that gave an estimate.
  private(set) var estimates = 0

  /// Of no clip.
  init() {}

  init(_ estimate: Estimate) {
    let stages = estimate.features.stages
    self.stages = [
      ("decode", stages.decode), ("detect", stages.detect), ("crop", stages.crop), ("sound", stages.sound),
      ("mfcc", stages.mfcc), ("network", estimate.networkMilliseconds),
    ]
    estimates = 1
  }

  /// Adds the times of other clips.
  mutating func add(_ other: StageTimes) {
    if stages.isEmpty {
      stages = other.stages
    } else if !other.stages.isEmpty {
      for index in stages.indices { stages[index].milliseconds += other.stages[index].milliseconds }
    }
    estimates += other.estimates
  }

  /// "12 clips in 20.4 s with 2 jobs: 35.3 per minute; decode 18 %, …, network 45 %": each stage's share of all stages' time.
  func report(clips: Int, nanoseconds: UInt64, jobs: Int) -> String {
    let seconds = Double(nanoseconds) / 1e9
    let rate = seconds > 0 ? Double(clips) * 60 / seconds : 0
    let total = stages.reduce(0) { $0 + $1.milliseconds }
    let shares = stages.map { "\($0.name) \(fixed(total > 0 ? 100 * $0.milliseconds / total : 0, 0)) %" }
    return "\(clips) clips in \(fixed(seconds, 1)) s with \(counted(jobs, "job")): \(fixed(rate, 1)) per minute"
      + (estimates > 0 ? "; " + shares.joined(separator: ", ") : "")
  }
}

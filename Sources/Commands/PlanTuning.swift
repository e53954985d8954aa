import CERISystem
import ERIFormat
import ERIRuntime

/// Measures what a plan may choose.
struct PlanTuning {
  /// What was chosen, and the medians of rounds that ran the rules' plan and this one in turn.
  struct Result {
    let choices: PlanChoices
    let instructionSet: String
    let ruledMilliseconds: Double
    let tunedMilliseconds: Double
    /// Median of the rounds' ratios, tuned to ruled; 1 where the rules' choices were kept.
    let ratio: Double
  }

  private let program: Program
  private let inputs: [Session.InputShape]
  private let threads: Int
  private let rounds: Int

  private static let outerItems = [4, 8, 16, 32]
  private static let cacheBytes = [128 << 10, 256 << 10, 512 << 10, 1 << 20]
  /// Times that differ by less are the same: the machine's own noise.
  private static let noise = 0.02
  private static let trials = 5

  init(_ program: Program, _ inputs: [Session.InputShape], threads: Int, rounds: Int) {
    self.program = program
    self.inputs = inputs
    self.threads = threads
    self.rounds = rounds
  }

  func result() throws(RuntimeError) -> Result {
    var choices = PlanChoices()
    choices.direct = try directNodes()
    var best = try milliseconds(choices)
    for outer in PlanTuning.outerItems where outer != choices.outerItems {
      var other = choices
      other.outerItems = outer
      try take(other, &choices, &best)
    }
    for bytes in PlanTuning.cacheBytes where bytes != choices.cacheBytes {
      var other = choices
      other.cacheBytes = bytes
      try take(other, &choices, &best)
    }
    return try compared(choices)
  }

  private func take(_ other: PlanChoices, _ choices: inout PlanChoices, _ best: inout Double) throws(RuntimeError) {
    let time = try milliseconds(other)
    if time < best * (1 - PlanTuning.noise) { (choices, best) = (other, time) }
  }

  /// Convolutions whose rule chose a transform that takes longer than direct sums.
  private func directNodes() throws(RuntimeError) -> [Int] {
    let ruled = try nodeTimes(exact: false)
    let direct = try nodeTimes(exact: true)
    return ruled.keys.sorted().filter { node in
      guard let a = ruled[node], let b = direct[node] else { return false }
      return a.kernel != b.kernel && Double(b.nanoseconds) < Double(a.nanoseconds) * (1 - PlanTuning.noise)
    }
  }

  private func nodeTimes(exact: Bool) throws(RuntimeError) -> [Int: (kernel: String, nanoseconds: UInt64)] {
    var options = SessionOptions()
    options.threads = threads
    options.exact = exact
    options.profiles = true
    let session = try bound(options)
    for _ in 0..<PlanTuning.trials { try session.runToEnd() }
    var times: [Int: (kernel: String, nanoseconds: UInt64)] = [:]
    for step in session.profile {
      let before = times[step.node]
      times[step.node] = (step.kernel, step.nanoseconds + (before?.nanoseconds ?? 0))
    }
    return times
  }

  private func bound(_ options: SessionOptions) throws(RuntimeError) -> Session {
    let session = try Session(program, options: options)
    try session.bind(inputs)
    try session.runToEnd()
    return session
  }

  private func session(_ choices: PlanChoices) throws(RuntimeError) -> Session {
    var options = SessionOptions()
    options.threads = threads
    options.choices = choices
    return try bound(options)
  }

  private func time(_ session: Session) throws(RuntimeError) -> Double {
    let start = eri_clock_monotonic()
    try session.runToEnd()
    return Double(eri_clock_monotonic() - start) / 1e6
  }

  private func milliseconds(_ choices: PlanChoices) throws(RuntimeError) -> Double {
    let session = try session(choices)
    var times: [Double] = []
    for _ in 0..<PlanTuning.trials { times.append(try time(session)) }
    return median(times) ?? 0
  }

  /// Runs both plans in turn; the measured choices stand only if they win.
  private func compared(_ choices: PlanChoices) throws(RuntimeError) -> Result {
    let ruled = try session(PlanChoices())
    let tuned = try session(choices)
    var pairs: [(ruled: Double, tuned: Double)] = []
    for round in 0..<rounds {
      if round % 2 == 0 {
        let a = try time(ruled)
        pairs.append((a, try time(tuned)))
      } else {
        let b = try time(tuned)
        pairs.append((try time(ruled), b))
      }
    }
    let ratio = median(pairs.map { $0.tuned / $0.ruled }) ?? 1
    let wins = choices != PlanChoices() && ratio < 1 - PlanTuning.noise
    let ruledTime = median(pairs.map { $0.ruled }) ?? 0
    return Result(
      choices: wins ? choices : PlanChoices(), instructionSet: ruled.instructionSet, ruledMilliseconds: ruledTime,
      tunedMilliseconds: wins ? median(pairs.map { $0.tuned }) ?? 0 : ruledTime, ratio: wins ? ratio : 1)
  }
}

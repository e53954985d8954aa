import ERIFormat
import ERIRuntime

/// Each step's time in one run, and how near it came to what the processor can do.
struct ProfileTable {
  /// A step's time in one run, all threads together.
  struct Step {
    let name: String
    let kernel: String
    let milliseconds: Double
    /// Of the time of all steps, 0…1.
    let share: Double
    let multiplyAdds: Int
  }

  let steps: [Step]
  /// Multiply-adds a second of registers alone, one thread.
  let peak: Double

  /// - Parameter runs: how many the session's times are the sum of.
  init(_ session: Session, runs: Int, threads: Int) throws(RuntimeError) {
    peak = try ArithmeticPeak.multiplyAdds(instructionSet: session.instructionSet, threads: threads)
    let profile = session.profile
    var total = 0.0
    for step in profile { total += Double(step.nanoseconds) }
    steps = profile.map { step in
      Step(
        name: step.name, kernel: step.kernel, milliseconds: Double(step.nanoseconds) / 1e6 / Double(runs),
        share: total > 0 ? Double(step.nanoseconds) / total : 0, multiplyAdds: step.multiplyAdds)
    }
  }

  /// The steps in their order, then the sums of each kernel.
  var text: String {
    var table = TextTable([.right, .right, .right, .right, .left, .left])
    table.add(["ms", "share", "GFLOP/s", "of peak", "kernel", "value"])
    var kernels: [Step] = []
    for step in steps {
      table.add(row(step))
      if let index = kernels.firstIndex(where: { $0.kernel == step.kernel }) {
        let sum = kernels[index]
        kernels[index] = Step(
          name: sum.name, kernel: sum.kernel, milliseconds: sum.milliseconds + step.milliseconds,
          share: sum.share + step.share, multiplyAdds: sum.multiplyAdds + step.multiplyAdds)
      } else {
        kernels.append(
          Step(
            name: "all", kernel: step.kernel, milliseconds: step.milliseconds, share: step.share,
            multiplyAdds: step.multiplyAdds))
      }
    }
    for kernel in kernels.sorted(by: { $0.milliseconds > $1.milliseconds }) { table.add(row(kernel)) }
    return table.text()
  }

  /// Members of the object that a report is.
  func write(to json: inout JSONWriter) {
    json.member("peak_gflops_per_thread") { $0.number(peak * 2 / 1e9) }
    json.member("profile") { json in
      json.array { json in
        for step in steps {
          json.object { json in
            json.member("name") { $0.string(step.name) }
            json.member("kernel") { $0.string(step.kernel) }
            json.member("milliseconds") { $0.number(step.milliseconds) }
            json.member("share") { $0.number(step.share) }
            json.member("multiply_adds") { $0.integer(step.multiplyAdds) }
            json.member("of_peak") { $0.number(ofPeak(step)) }
          }
        }
      }
    }
  }

  /// Direct multiply-adds over the time, as a share of the peak: above 1 where a method saves more of them than it loses otherwise.
  private func ofPeak(_ step: Step) -> Double {
    step.milliseconds > 0 && peak > 0 ? Double(step.multiplyAdds) / step.milliseconds * 1e3 / peak : 0
  }

  private func row(_ step: Step) -> [String] {
    let rate = step.milliseconds > 0 ? Double(step.multiplyAdds) * 2 / step.milliseconds / 1e6 : 0
    return [
      fixed(step.milliseconds, 3), fixed(step.share * 100, 1) + "%", step.multiplyAdds > 0 ? fixed(rate, 1) : "",
      step.multiplyAdds > 0 ? fixed(ofPeak(step) * 100, 1) + "%" : "", step.kernel, step.name,
    ]
  }
}

import CERISystem
import ERIFormat
import ERIRuntime

/// What `exec` tells of a run.
struct ExecReport {
  let command: ExecCommand
  let session: Session
  let files: ArrayFiles
  /// Of the measured runs.
  let milliseconds: [Double]
  /// Measured or not.
  let runs: Int

  var text: String {
    var lines: [String] = []
    for (index, output) in session.outputs.enumerated() {
      lines.append("\(output.name) \(output.dtype.name) \(shapeText(output.shape)) -> \(files[index])")
    }
    if let median = median(milliseconds) {
      lines.append(
        "median_ms \(fixed(median, 3)) (of \(milliseconds.count) runs after one that was not measured, "
          + "\(session.instructionSet), threads \(command.threads))")
    }
    if command.profiles { lines.append(profileTable) }
    return joined(lines, separator: "\n")
  }

  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("model") { $0.string(command.model) }
      json.member("outputs") { json in
        json.array { json in
          for (index, output) in session.outputs.enumerated() {
            json.object { json in
              json.member("name") { $0.string(output.name) }
              json.member("dtype") { $0.string(output.dtype.name) }
              json.member("shape") { $0.integers(output.shape) }
              json.member("file") { $0.string(files[index]) }
            }
          }
        }
      }
      json.member("instruction_set") { $0.string(session.instructionSet) }
      json.member("threads") { $0.integer(command.threads) }
      json.member("arena_bytes") { $0.integer(session.arenaByteCount) }
      json.member("weight_bytes") { $0.integer(session.weightByteCount) }
      json.member("peak_resident_bytes") { $0.integer(Int(clamping: eri_memory_peak_resident())) }
      if let median = median(milliseconds) {
        json.member("repeat") { $0.integer(milliseconds.count) }
        json.member("median_ms") { $0.number(median) }
      }
      if command.profiles {
        json.member("profile") { json in
          json.array { json in
            for step in steps {
              json.object { json in
                json.member("name") { $0.string(step.name) }
                json.member("kernel") { $0.string(step.kernel) }
                json.member("milliseconds") { $0.number(step.milliseconds) }
                json.member("share") { $0.number(step.share) }
                json.member("multiply_adds") { $0.integer(step.multiplyAdds) }
              }
            }
          }
        }
      }
    }
    return json.text
  }

  /// A step's time in one run, all threads together.
  private struct Step {
    let name: String
    let kernel: String
    let milliseconds: Double
    /// Of the time of all steps, 0…1.
    let share: Double
    let multiplyAdds: Int
  }

  private var steps: [Step] {
    let profile = session.profile
    var total = 0.0
    for step in profile { total += Double(step.nanoseconds) }
    return profile.map { step in
      Step(
        name: step.name, kernel: step.kernel, milliseconds: Double(step.nanoseconds) / 1e6 / Double(runs),
        share: total > 0 ? Double(step.nanoseconds) / total : 0, multiplyAdds: step.multiplyAdds)
    }
  }

  /// The steps in their order, then the sums of each kernel.
  private var profileTable: String {
    var table = TextTable([.right, .right, .right, .left, .left])
    table.add(["ms", "share", "GFLOP/s", "kernel", "value"])
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

  private func row(_ step: Step) -> [String] {
    let rate = step.milliseconds > 0 ? Double(step.multiplyAdds) * 2 / step.milliseconds / 1e6 : 0
    return [
      fixed(step.milliseconds, 3), fixed(step.share * 100, 1) + "%", step.multiplyAdds > 0 ? fixed(rate, 1) : "",
      step.kernel, step.name,
    ]
  }
}

/// The middle of the values, the mean of the middle two of an even number; nil of none.
func median(_ values: [Double]) -> Double? {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return nil }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

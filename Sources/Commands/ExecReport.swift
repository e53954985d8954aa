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
  /// If it was asked for.
  let profile: ProfileTable?

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
    if let profile { lines.append(profile.text) }
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
      json.member("tuned") { $0.boolean(session.usesTunedPlan) }
      json.member("arena_bytes") { $0.integer(session.arenaByteCount) }
      json.member("weight_bytes") { $0.integer(session.weightByteCount) }
      json.member("peak_resident_bytes") { $0.integer(Int(clamping: eri_memory_peak_resident())) }
      if let median = median(milliseconds) {
        json.member("repeat") { $0.integer(milliseconds.count) }
        json.member("median_ms") { $0.number(median) }
      }
      profile?.write(to: &json)
    }
    return json.text
  }
}

/// The middle of the values, the mean of the middle two of an even number; nil of none.
func median(_ values: [Double]) -> Double? {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return nil }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

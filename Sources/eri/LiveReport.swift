import ERICommands
import ERIFormat

/// One step's result as text and JSON.
struct LiveReport {
  let estimate: LiveEstimate
  let labels: [String]

  /// A line: time, intensities, what they rest on, and what was late or dropped.
  var text: String {
    let start = "\(fixed(estimate.time, 2)) s"
    guard let intensities = estimate.intensities else { return "\(start)  neither a face nor sound yet" }
    let values = zip(labels, intensities).map { "\($0) \(fixed(Double($1), 3))" }
    var rest = estimate.modalities.joined(separator: ", ")
    if estimate.modalities.contains("video"), !estimate.isFaceSeen { rest += ", face out of sight" }
    rest += ", \(fixed(estimate.latencyMilliseconds, 0)) ms"
    if estimate.dropped > 0 { rest += ", \(estimate.dropped) dropped" }
    return "\(start)  \(values.joined(separator: "  "))  (\(rest))"
  }

  /// One object on one line; docs/commands.md lists its members.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("step") { $0.integer(estimate.step) }
      json.member("time") { $0.number(estimate.time) }
      json.member("labels") { $0.strings(labels) }
      json.member("intensities") { json in
        guard let intensities = estimate.intensities else { return json.null() }
        json.numbers(intensities)
      }
      json.member("modalities") { $0.strings(estimate.modalities) }
      json.member("face") { $0.boolean(estimate.isFaceSeen) }
      json.member("window") { json in
        json.object { json in
          json.member("video") { $0.integer(estimate.faceSteps) }
          json.member("audio") { $0.integer(estimate.rows) }
        }
      }
      json.member("milliseconds") { json in
        json.object { json in
          json.member("detect") { $0.number(estimate.detectMilliseconds) }
          json.member("face") { $0.number(estimate.faceMilliseconds) }
          json.member("sound") { $0.number(estimate.soundMilliseconds) }
          json.member("network") { $0.number(estimate.networkMilliseconds) }
          json.member("latency") { $0.number(estimate.latencyMilliseconds) }
        }
      }
      json.member("dropped") { $0.integer(estimate.dropped) }
    }
    return json.text
  }

  /// What there was in all, and how live sound differs from a clip's.
  static func summary(steps: Int, of estimator: LiveEstimator, hasSound: Bool) -> String {
    var text =
      "\(counted(steps, "step")) of \(fixed(estimator.stepSeconds, 3)) s, "
      + "\(counted(estimator.dropped, "picture")) dropped"
    if hasSound, let seconds = estimator.soundSeconds {
      text += "; quiet sound is cut relative to the loudest of the last \(fixed(seconds, 1)) s, not of the whole clip"
    }
    return text
  }
}

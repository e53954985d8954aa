import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia

/// One clip's result as text, JSON and CSV.
struct RunReport {
  let estimate: Estimate
  let labels: [String]
  let model: String

  private static let barWidth = 40

  private var modalities: [String] {
    (estimate.features.mfcc != nil ? ["audio"] : []) + (estimate.features.faces != nil ? ["video"] : [])
  }

  /// A table with a bar per emotion, what was found, and the time of each stage.
  var text: String {
    let features = estimate.features
    var lines = [estimate.clip]
    if let video = features.video {
      lines.append(
        "  video  \(video.frames) frames, \(fixed(video.seconds, 2)) s, \(video.width)×\(video.height) \(video.codec), "
          + (video.framesWithFace > 0 ? "a face in \(video.framesWithFace)" : "no face"))
    } else {
      lines.append("  video  none")
    }
    if let seconds = features.soundSeconds {
      lines.append("  sound  \(fixed(seconds, 2)) s, \(features.rowCount) rows of 8 MFCC frames")
    } else {
      lines.append("  sound  none")
    }
    if modalities.count == 1 { lines.append("  estimated from \(modalities[0] == "audio" ? "sound" : "video") alone") }
    var table = TextTable([.left, .right, .left])
    for (label, intensity) in zip(labels, estimate.intensities) {
      // What is not a number has no bar, and neither end of the bar is passed.
      let share = intensity.isNaN ? 0 : min(max(Double(intensity), 0), 1)
      let filled = Int((share * Double(RunReport.barWidth)).rounded())
      table.add([
        label, fixed(Double(intensity), 4),
        String(repeating: "█", count: filled)
          + String(repeating: "·", count: RunReport.barWidth - filled),
      ])
    }
    lines.append(table.text(indent: "  "))
    let times = stages.map { "\($0.name) \(fixed($0.milliseconds, 0))" }
    lines.append("  milliseconds: " + joined(times, separator: ", "))
    return joined(lines, separator: "\n")
  }

  private var stages: [(name: String, milliseconds: Double)] {
    let stages = estimate.features.stages
    return [
      ("decode", stages.decode), ("detect", stages.detect), ("crop", stages.crop), ("sound", stages.sound),
      ("mfcc", stages.mfcc), ("network", estimate.networkMilliseconds), ("total", estimate.milliseconds),
    ]
  }

  /// One object on one line; docs/commands.md lists its members.
  var json: String {
    let features = estimate.features
    var json = JSONWriter()
    json.object { json in
      json.member("clip") { $0.string(estimate.clip) }
      json.member("labels") { $0.strings(labels) }
      json.member("intensities") { $0.numbers(estimate.intensities) }
      json.member("modalities") { $0.strings(modalities) }
      json.member("video") { json in
        guard let video = features.video else { return json.null() }
        json.object { json in
          json.member("frames") { $0.integer(video.frames) }
          json.member("faces") { $0.integer(video.framesWithFace) }
          json.member("seconds") { $0.number(video.seconds) }
        }
      }
      json.member("audio") { json in
        guard let seconds = features.soundSeconds else { return json.null() }
        json.object { json in
          json.member("seconds") { $0.number(seconds) }
          json.member("rows") { $0.integer(features.rowCount) }
        }
      }
      json.member("milliseconds") { json in
        json.object { json in
          for stage in stages { json.member(stage.name) { $0.number(stage.milliseconds) } }
        }
      }
      json.member("notes") { $0.strings(features.notes) }
      json.member("model") { $0.string(model) }
    }
    return json.text
  }

  /// The object of a clip that failed.
  static func failure(_ clip: String, _ sentence: String) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("clip") { $0.string(clip) }
      json.member("error") { $0.string(sentence) }
    }
    return json.text
  }

  static func csvHeader(_ labels: [String]) -> String { joined((["File_ID"] + labels).map(csvField), separator: ",") }

  var csv: String {
    joined([csvField(estimate.clip)] + estimate.intensities.map { decimal($0) }, separator: ",")
  }
}

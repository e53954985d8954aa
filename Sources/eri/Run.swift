import ArgumentParser
import CERISystem
import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia

/// `eri run MODEL CLIP…`.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimates the intensities of clips: video, sound, or folders of them.",
    discussion:
      "A clip without a face or without sound runs on what it has, and says so; a failed clip does not stop the others."
  )

  @Argument(help: "The model.") var model: String
  @Argument(help: "Clips and folders of clips.") var clips: [String]
  @Option(help: "Threads of the network.") var threads = 1
  @Flag(help: "Print one JSON object per line and clip.") var json = false
  @Flag(help: "Print a line of comma-separated values per clip.") var csv = false

  func validate() throws {
    if clips.isEmpty { throw ValidationError("expected at least one clip, found none") }
    if threads < 1 || threads > 1024 { throw ValidationError("--threads: expected 1 to 1024, found \(threads)") }
    if json && csv { throw ValidationError("expected --json or --csv, found both") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let estimator = try Estimator(path: model, threads: threads)
      let paths = try ClipPaths(clips).clips
      let bar = ProgressBar()
      var worst = ExitStatus.done
      if csv { try Console.print(RunReport.csvHeader(estimator.labels)) }
      for (index, clip) in paths.enumerated() {
        let label = paths.count > 1 ? "\(index + 1)/\(paths.count) \(clip.path)" : clip.path
        do throws(CommandFailure) {
          let estimate = try estimator.estimate(clip.path) { decoded, expected in
            guard let expected, expected > 0 else { return }
            bar.show(label, (Double(index) + Double(decoded) / Double(expected)) / Double(paths.count))
          }
          bar.clear()
          let report = RunReport(estimate: estimate, labels: estimator.labels, model: model)
          for note in estimate.features.notes where !json { Console.note("\(clip.path): \(note)") }
          try Console.print(json ? report.json : csv ? report.csv : report.text)
        } catch {
          bar.clear()
          if clip.isFromFolder && estimator.isNoClip(clip.path) {
            Console.note("\(clip.path): neither sound nor video, passed over")
            continue
          }
          if json { try Console.print(RunReport.failure(clip.path, error.sentence)) }
          Console.note("eri: \(error.sentence)")
          if error.status.rawValue > worst.rawValue { worst = error.status }
        }
      }
      return worst
    }
  }
}

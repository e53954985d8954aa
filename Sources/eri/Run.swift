import ArgumentParser
import CERISystem
import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia

/// `eri run MODEL CLIP…` and `eri run --live MODEL SOURCE`.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimates the intensities of clips: video, sound, or folders of them, or of what is still coming.",
    discussion:
      "A clip without a face or without sound runs on what it has, and says so; a failed clip does not stop the others."
  )

  @Argument(help: "The model.") var model: String
  @Argument(help: "Clips and folders of clips; with --live one file, pipe, camera, or - for standard input.")
  var clips: [String] = []
  @Option(help: "Threads of the network.") var threads = 1
  @Option(help: "Clips worked on at once. Default: all processors for several clips.") var jobs: Int?
  @Flag(help: "Print one JSON object per line and clip, or step.") var json = false
  @Flag(help: "Print a line of comma-separated values per clip.") var csv = false
  @OptionGroup(title: "Live") var live: LiveOptions

  func validate() throws {
    try live.validate(clips, jobs: jobs, csv: csv)
    if clips.isEmpty && !live.live { throw ValidationError("expected at least one clip, found none") }
    if threads < 1 || threads > 1024 { throw ValidationError("--threads: expected 1 to 1024, found \(threads)") }
    if let jobs, jobs < 1 || jobs > 1024 { throw ValidationError("--jobs: expected 1 to 1024, found \(jobs)") }
    if json && csv { throw ValidationError("expected --json or --csv, found both") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      if live.live {
        return try LiveRun(model: model, threads: threads, json: json, options: live).run(clips.first)
      }
      return try runClips()
    }
  }

  private func runClips() throws(CommandFailure) -> ExitStatus {
    let estimator = try Estimator(path: model, threads: threads)
    let paths = try ClipPaths(clips).clips
    let workers = try workers(for: paths.count)
    let detectors = try estimator.detectors(count: workers.count)
    let queue = ClipQueue(count: paths.count)
    if csv { try Console.print(RunReport.csvHeader(estimator.labels)) }
    let start = eri_clock_monotonic()
    workers.run(paths.count) { index, thread in
      guard !queue.isStopped else { return }
      let clip = paths[index]
      let label = paths.count > 1 ? "\(index + 1)/\(paths.count) \(clip.path)" : clip.path
      let detector = thread < detectors.count ? detectors[thread] : nil
      queue.add(
        result(clip, estimator, detector) { queue.show(label, clip: index, share: $0) }, of: index)
    }
    let (worst, stages, count) = try queue.finish()
    if count > 1 {
      Console.note(
        stages.report(clips: count, nanoseconds: eri_clock_monotonic() - start, jobs: workers.count))
    }
    return worst
  }

  /// As many threads as clips are worked on at once.
  private func workers(for count: Int) throws(CommandFailure) -> WorkerThreads {
    let jobs = jobs ?? max(1, min(eri_processor_count(), 1024) / threads)
    do throws(FormatError) { return try WorkerThreads(count: min(jobs, max(count, 1))) } catch {
      throw CommandFailure(error)
    }
  }

  /// What one clip gave, in the words that are printed.
  private func result(
    _ clip: ClipPaths.Clip, _ estimator: Estimator, _ detector: FaceDetector?, progress: (Double) -> Void
  ) -> ClipResult {
    do throws(CommandFailure) {
      let estimate = try estimator.estimate(ClipMedia(path: clip.path), detector: detector) { decoded, expected in
        if let expected, expected > 0 { progress(Double(decoded) / Double(expected)) }
      }
      let report = RunReport(estimate: estimate, labels: estimator.labels, model: model)
      return ClipResult(
        notes: json ? [] : estimate.features.notes.map { "\(clip.path): \($0)" },
        output: json ? report.json : csv ? report.csv : report.text, stages: StageTimes(estimate))
    } catch {
      if clip.isFromFolder && estimator.isNoClip(clip.path) {
        return ClipResult(notes: ["\(clip.path): neither sound nor video, passed over"], isPassedOver: true)
      }
      return ClipResult(
        output: json ? RunReport.failure(clip.path, error.sentence) : nil, fault: "eri: \(error.sentence)",
        status: error.status)
    }
  }
}

import ERICommands
import ERIFormat
import ERIMedia

/// `eri run --live`: an estimate per step while pictures and sound come.
struct LiveRun {
  let model: String
  let threads: Int
  let json: Bool
  let options: LiveOptions

  /// - Parameter source: the only source, unless the options name others
  /// - Throws: `CommandFailure` if the model or a source cannot be used.
  func run(_ source: String?) throws(CommandFailure) -> ExitStatus {
    Interruption.watch()
    let clips = try ClipModel(path: model)
    let requests = requests(source, clips)
    guard !requests.isEmpty else { throw nothingWanted(clips) }
    let estimator = try LiveEstimator(clips, threads: threads, step: options.step)
    let interruption = MediaInterruption { Interruption.isAsked }
    // Whoever asks a source to end while it opens has seen no step.
    guard let inputs = try LiveFeed.open(requests, interruption) else { return .done }
    let isDevice = requests.contains { $0.source.isDevice }
    let feed = LiveFeed(
      inputs, step: estimator.stepSeconds, isPaced: options.pace && !isDevice, drops: options.pace || isDevice,
      interruption: interruption)
    defer { interruption.ask() }
    var count = 0
    while let arrivals = try feed.next() {
      guard let estimate = try estimator.estimate(arrivals) else { continue }
      let report = LiveReport(estimate: estimate, labels: clips.model.labels)
      try Console.print(json ? report.json : report.text)
      count += 1
    }
    let notes = feed.notes
    if count == 0, !interruption.isAsked {
      throw CommandFailure(
        .invalid,
        "\(requests.map { $0.source.name }.joined(separator: " and ")): expected pictures or sound, found none"
          + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
          + "; of a pipe give a container that is read from its beginning, such as Matroska")
    }
    for note in notes { Console.note(note) }
    Console.note(LiveReport.summary(steps: count, of: estimator, hasSound: inputs.contains { $0.hasSound }))
    return .done
  }

  /// What is read from where: of each source only what the model takes.
  private func requests(_ source: String?, _ clips: ClipModel) -> [LiveFeed.Request] {
    if let source {
      return [LiveFeed.Request(source: LiveSource(video: source), pictures: clips.takesFaces, sound: clips.takesSound)]
    }
    var requests: [LiveFeed.Request] = []
    if let video = options.video, clips.takesFaces {
      requests.append(LiveFeed.Request(source: LiveSource(video: video), pictures: true, sound: false))
    }
    if let audio = options.audio, clips.takesSound {
      requests.append(LiveFeed.Request(source: LiveSource(audio: audio), pictures: false, sound: true))
    }
    return requests
  }

  private func nothingWanted(_ clips: ClipModel) -> CommandFailure {
    CommandFailure(
      .unsupported,
      "\(model): expected a model of \(options.video != nil ? "faces" : "sound"), found one of "
        + "\(clips.takesFaces ? "faces" : "sound") alone; give it \(clips.takesFaces ? "--video" : "--audio")")
  }
}

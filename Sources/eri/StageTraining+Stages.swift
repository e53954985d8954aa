import ERICommands
import ERIConvert
import ERIDataset
import ERIFormat
import ERINetworks
import ERITrain

extension StageTraining {
  // MARK: A branch

  /// A run of one branch by itself.
  /// - Parameter start: a checkpoint with weights to start from; nil: those drawn from the seed.
  func branch(
    _ given: TrainingSettings, _ division: Division, start: StartOptions.Weights?, output: String?
  ) throws(CommandFailure) -> StageRun {
    var settings = given
    settings.fold = division.fold
    let isVideo = settings.stage == .video
    guard isVideo ? cache.preprocessing.video != nil : cache.preprocessing.audio != nil else {
      throw CommandFailure(
        .invalid,
        "\(options.data): expected \(isVideo ? "faces" : "sound"), found a cache without; prepare the dataset with --modality both"
      )
    }
    let division = usable(
      division, { isVideo ? $0.hasFaces : $0.hasSound }, lacking: isVideo ? "without a face" : "without sound")
    let name = isVideo ? "video-branch" : "audio-branch"
    do {
      let network = try Network(named: name, parameters: networkParameters(of: settings.stage), labels: cache.labels)
      var model = try network.initialised(seed: UInt64(settings.seed))
      if let start { (model, settings.startedFrom) = try started(network, model, from: start) }
      model.preprocessing = try preprocessing(network, division)
      let source = try CacheSamples(
        cache, clips: clips, preprocessing: model.preprocessing, model: name,
        keepsFrames: settings.regularisation.rowShift > 0)
      let task = TrainingTask(
        model: model, dropouts: try network.dropoutSites(), source: source, training: division.training,
        validation: division.validation,
        identity: RunIdentity(
          network: network.name, networkParameters: try network.parameters(), labels: cache.labels,
          settings: settings, datasetSHA256: cache.digest, threads: threads.count, kernels: kernels.name),
        output: output, assembled: StageTraining.withGolden)
      return StageRun(task: task, training: self, suffix: stageSuffix(settings.stage) + division.suffix)
    } catch let error as FormatError {
      throw CommandFailure(error)
    } catch let error as DatasetError {
      throw CommandFailure(error)
    } catch let error as CommandFailure { throw error } catch { throw CommandFailure(.invalid, "\(error)") }
  }

  /// Extents as the cache has them, then the words of `--set` that are of this stage.
  private func networkParameters(of stage: TrainingSettings.Stage) -> [Parameter] {
    var parameters: [Parameter] = []
    func add(_ name: String, _ value: Int) { parameters.append(Parameter(name, .integer(Int64(value)))) }
    if stage == .video, let video = cache.preprocessing.video {
      add("steps", video.steps)
      add("spatial.image_size", video.height)
    }
    if stage == .audio, let audio = cache.preprocessing.audio {
      add("steps", audio.steps)
      add("sound.coefficients", audio.coefficientCount)
      add("sound.stack", audio.stack)
    }
    let foreign = isSeveralStages ? (stage == .video ? ["sound.", "fusion."] : ["spatial.", "fusion."]) : []
    for setting in options.networkSettings where !foreign.contains(where: { setting.name.hasPrefix($0) }) {
      parameters.removeAll { $0.name == setting.name }
      parameters.append(setting)
    }
    return parameters
  }

  /// Refuses a word of `--set` that no stage knows, before the first of them begins.
  func checkSettings() throws(CommandFailure) {
    do throws(FormatError) {
      _ = try Network(named: "dual-branch", parameters: options.networkSettings, labels: cache.labels)
    } catch { throw CommandFailure(error) }
  }

  /// How the cache's features become the network's inputs, with the sound's statistics over the training clips.
  private func preprocessing(_ network: Network, _ division: Division) throws(DatasetError) -> Preprocessing {
    var wanted = network.preprocessing
    // What no network decides is as the cache was made.
    if let video = cache.preprocessing.video { wanted.video?.cropScale = video.cropScale }
    try cache.check(fits: wanted, of: network.name)
    guard wanted.audio != nil else { return wanted }
    let statistics = try CoefficientStatistics(of: division.training.map { clips[$0] }, in: cache)
    if let note = statistics.note { Console.note("\(options.data): \(note)") }
    if var audio = wanted.audio {
      statistics.store(in: &audio)
      wanted.audio = audio
    }
    return wanted
  }

  /// The network with a checkpoint's weights: all of them, or those of the video branch's backbone alone.
  private func started(
    _ network: Network, _ drawn: Model, from start: StartOptions.Weights
  ) throws(CommandFailure) -> (Model, String) {
    var conversion: Conversion
    let path = start.path
    do throws(FormatError) {
      var fitting = FittingOptions()
      fitting.map = try start.map.map { (path) throws(FormatError) in try NameMap(reading: path) }
      do throws(FormatError) {
        conversion = try Conversion(reading: path, fittedTo: try FittingTarget(network), options: fitting)
      } catch {
        guard network.name == "video-branch", error.kind == .invalid else { throw error }
        let target = try FittingTarget(drawn, path: network.name, only: ["video.backbone"])
        conversion = try Conversion(reading: path, fittedTo: target, options: fitting)
      }
    } catch { throw CommandFailure(error) }
    for note in conversion.notes { Console.note("\(path): \(note)") }
    for step in conversion.steps { Console.note("\(path): \(step.summary)") }
    let digest = conversion.model.lineage.first { !$0.sourceSHA256.isEmpty }?.sourceSHA256 ?? ""
    return (conversion.model, digest)
  }

  // MARK: Fusion

  /// A run of the part that joins two trained branches.
  func fusion(
    _ given: TrainingSettings, _ division: Division, video: String, audio: String, _ parameters: [Parameter],
    output: String
  ) throws(CommandFailure) -> StageRun {
    var settings = given
    settings.fold = division.fold
    do {
      let seen = try FusionNetwork.Branch(reading: video, network: "video-branch")
      let heard = try FusionNetwork.Branch(reading: audio, network: "audio-branch")
      settings.startedFrom = try "\(seen.weightsDigest()),\(heard.weightsDigest())"
      let network = try FusionNetwork(
        video: seen, audio: heard, settings: parameters, labels: cache.labels, seed: UInt64(settings.seed))
      let preprocessing = network.whole.preprocessing
      try cache.check(fits: preprocessing, of: "\(video) and \(audio)")
      let source = try CacheSamples(cache, clips: clips, preprocessing: preprocessing, model: output)
      let bar = ProgressBar()
      let features = try FusionFeatures(
        of: network, (division.training + division.validation).sorted(), from: source,
        file: suffixed(output, ".features"), batch: 4, threads: threads
      ) { what, share in bar.show("\(output): \(what)", share) }
      bar.clear()
      guard let provenance = network.whole.provenance else {
        throw FormatError(.invalid, at: output, "expected the record of a network, found none")
      }
      let whole = network.whole
      var task = TrainingTask(
        model: network.head, dropouts: [], source: features, training: division.training,
        validation: division.validation,
        identity: RunIdentity(
          network: provenance.network, networkParameters: provenance.parameters, labels: cache.labels,
          settings: settings, datasetSHA256: cache.digest, threads: threads.count, kernels: kernels.name),
        output: output
      ) { (head) throws(TrainError) in
        try StageTraining.withGolden(try FusionNetwork.assembled(head, in: whole))
      }
      task.modalities = network.modalities
      return StageRun(task: task, training: self, suffix: stageSuffix(.fusion) + division.suffix)
    } catch let error as FormatError {
      throw CommandFailure(error)
    } catch let error as DatasetError {
      throw CommandFailure(error)
    } catch let error as TrainError { throw CommandFailure(error) } catch { throw CommandFailure(.invalid, "\(error)") }
  }

  /// The model with a golden of what it gives now, as `eri init` records one.
  private static func withGolden(_ model: Model) throws(TrainError) -> Model {
    var model = model
    do throws(CommandFailure) {
      model.goldens = [try Golden.recorded(from: model, name: "drawn inputs", seed: 0)]
    } catch { throw TrainError(.invalid, error.sentence) }
    return model
  }

  private func stageSuffix(_ stage: TrainingSettings.Stage) -> String { isSeveralStages ? "-\(stage.rawValue)" : "" }
}

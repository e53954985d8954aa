import ERICommands
import ERIDataset
import ERIFormat
import ERINetworks
import ERITrain

/// Trains stages on one cache as a command's options say.
struct StageTraining {
  /// Clips to train on and to validate with, as numbers in `clips`.
  struct Division {
    /// From 1; 0: the dataset's own splits.
    let fold: Int
    let training: [Int]
    let validation: [Int]

    /// What names of this fold's files end in.
    var suffix: String { fold > 0 ? "-fold\(fold)" : "" }
  }

  let options: TrainOptions
  let cache: PreparedCache
  /// Those that have labels and are not for testing.
  let clips: [PreparedClip]
  let threads: WorkerThreads
  let kernels: TrainingKernels
  /// Whether one command trains several stages, whose settings and files must then be told apart.
  let isSeveralStages: Bool

  init(_ options: TrainOptions, severalStages: Bool = false) throws(CommandFailure) {
    self.options = options
    isSeveralStages = severalStages
    do throws(DatasetError) { cache = try PreparedCache(path: options.data) } catch { throw CommandFailure(error) }
    clips = cache.clips.filter { $0.isLabelled && $0.split != .test }
    do throws(FormatError) { threads = try WorkerThreads(count: options.threads.count) } catch {
      throw CommandFailure(error)
    }
    do throws(TrainError) { kernels = try TrainingKernels() } catch { throw CommandFailure(error) }
    if !cache.broken.isEmpty {
      Console.note("\(options.data): \(counted(cache.broken.count, "clip")) could not be prepared and are left out")
    }
  }

  // MARK: Commands

  /// `eri train video` and `eri train audio`.
  func runBranch(_ settings: TrainingSettings, start: StartOptions.Weights?, output: String?) throws(CommandFailure)
    -> ExitStatus
  {
    var results: [BestEpoch] = []
    for division in try divisions() {
      let path = output.map { suffixed($0, division.suffix) }
      let run = try branch(settings, division, start: start, output: path)
      guard let best = try finish(run, division, output: path) else { return .done }
      results.append(best)
    }
    try printMean(results)
    return .done
  }

  /// `eri train fusion`.
  func runFusion(
    _ settings: TrainingSettings, video: String, audio: String, output: String
  ) throws(CommandFailure) -> ExitStatus {
    for division in try divisions() {
      let run = try fusion(settings, division, video: video, audio: audio, options.networkSettings, output: output)
      _ = try finish(run, division, output: output)
    }
    return .done
  }

  /// `eri train all`.
  func runAll(
    video: (settings: TrainingSettings, start: StartOptions.Weights?, path: String),
    audio: (settings: TrainingSettings, path: String), fusion: (settings: TrainingSettings, path: String)
  ) throws(CommandFailure) -> ExitStatus {
    try checkSettings()
    var results: [BestEpoch] = []
    for division in try divisions() {
      let paths = [video.path, audio.path, fusion.path].map { suffixed($0, division.suffix) }
      let seen = try branch(video.settings, division, start: video.start, output: paths[0])
      guard try finish(seen, division, output: paths[0]) != nil else { return .done }
      let heard = try branch(audio.settings, division, start: nil, output: paths[1])
      guard try finish(heard, division, output: paths[1]) != nil else { return .done }
      let joining = options.networkSettings.filter { $0.name.hasPrefix("fusion.") }
      let joined = try self.fusion(
        fusion.settings, division, video: paths[0], audio: paths[1], joining, output: paths[2])
      guard let best = try finish(joined, division, output: paths[2]) else { return .done }
      results.append(best)
    }
    try printMean(results)
    return .done
  }

  // MARK: Data

  /// The dataset's own splits, or the folds of a cross-validation over both.
  private func divisions() throws(CommandFailure) -> [Division] {
    guard let folds = options.folds else {
      do throws(DatasetError) {
        for split in [DatasetSplit.train, .validation] { _ = try cache.clips(in: split) }
      } catch { throw CommandFailure(error) }
      return [
        Division(
          fold: 0, training: clips.indices.filter { clips[$0].split == .train },
          validation: clips.indices.filter { clips[$0].split == .validation })
      ]
    }
    let parts: [[Int]]
    do throws(TrainError) {
      parts = try Folds.parts(
        folds, of: Array(clips.indices), in: clips.map { CacheSamples.sample($0) }, by: options.foldBy,
        seed: UInt64(options.seed))
    } catch { throw CommandFailure(error) }
    return parts.indices.map { part in
      Division(
        fold: part + 1, training: clips.indices.filter { !Set(parts[part]).contains($0) }, validation: parts[part])
    }
  }

  /// Tells of clips that a stage cannot use and leaves them out.
  func usable(_ division: Division, _ isUsable: (PreparedClip) -> Bool, lacking: String) -> Division {
    let (training, validation) = (
      division.training.filter { isUsable(clips[$0]) }, division.validation.filter { isUsable(clips[$0]) }
    )
    let left = division.training.count + division.validation.count - training.count - validation.count
    if left > 0 { Console.note("\(options.data): \(counted(left, "clip")) \(lacking) left out") }
    return Division(fold: division.fold, training: training, validation: validation)
  }

  // MARK: Results

  /// Runs a stage and prints what it came to; nil if it was stopped by a signal.
  private func finish(_ run: StageRun, _ division: Division, output: String?) throws(CommandFailure) -> BestEpoch? {
    let outcome = try run.train(resumes: options.resume)
    if outcome.wasStopped {
      let path = output.map { TrainingTask.checkpointPath(of: $0) }
      Console.note(path.map { "stopped; --resume goes on from \($0)" } ?? "stopped")
      return nil
    }
    guard let best = outcome.best else { return nil }
    try Console.print("\(run.name)  epoch \(best.epoch)  validation \(fixed(best.pearson, 4))")
    if let output {
      let digests: Digests
      do throws(FormatError) { digests = try Model(reading: output).digests() } catch { throw CommandFailure(error) }
      try Console.print("weights \(digests.weights.text)\nlogical \(digests.logical.text)")
    }
    return best
  }

  private func printMean(_ results: [BestEpoch]) throws(CommandFailure) {
    guard options.folds != nil, !results.isEmpty else { return }
    let mean = results.reduce(0) { $0 + $1.pearson } / Double(results.count)
    try Console.print("mean of \(results.count) folds  validation \(fixed(mean, 4))")
  }
}

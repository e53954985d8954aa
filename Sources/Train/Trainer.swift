import CERIKernels
import CERISystem
import CERITraining
package import ERIFormat
package import ERINetworks

/// What one run trains, and on what.
package struct TrainingTask: Sendable {
  /// The graph with the weights to start from, its preprocessing and the history of its file.
  package var model: Model
  package var dropouts: [DropoutSite]
  package var source: any SampleSource
  /// Samples to train on and to validate with, as numbers in the source.
  package var training: [Int]
  package var validation: [Int]
  package var identity: RunIdentity
  /// Probabilities of the paper's equation 7, where the graph joins two modalities.
  package var modalities: ModalityDropout?
  /// Makes the file that ships of the graph as it was trained: its own, or the whole network around it.
  package var assembled: @Sendable (Model) throws(TrainError) -> Model
  /// Where the best epoch goes, and beside it the checkpoint; nil: nowhere.
  package var output: String?
  /// Updates, and seconds, after which a checkpoint is written within an epoch too; 0: none.
  package var checkpointSteps = 0
  package var checkpointSeconds = 0.0

  package init(
    model: Model, dropouts: [DropoutSite], source: any SampleSource, training: [Int], validation: [Int],
    identity: RunIdentity, output: String?,
    assembled: @escaping @Sendable (Model) throws(TrainError) -> Model = { (model) throws(TrainError) in model }
  ) {
    self.model = model
    self.dropouts = dropouts
    self.source = source
    self.training = training
    self.validation = validation
    self.identity = identity
    self.output = output
    self.assembled = assembled
  }

  /// "a.eri" to "a.checkpoint.eri".
  package static func checkpointPath(of output: String) -> String {
    (output.hasSuffix(".eri") ? String(output.dropLast(4)) : output) + ".checkpoint.eri"
  }
}

/// How a run tells what it does, and is told to stop.
package struct TrainingEvents {
  /// After an epoch: what all so far brought and took, and whether the last is the best.
  package var epoch: (_ history: [EpochRecord], _ times: [EpochTime], _ isBest: Bool) -> Void = { _, _, _ in }
  /// Within an epoch: its number, the share of its updates that are done and the mean loss so far.
  package var progress: (_ epoch: Int, _ share: Double, _ loss: Double) -> Void = { _, _, _ in }
  /// A sentence that the user should read.
  package var note: (String) -> Void = { _ in }
  /// Whether to write a checkpoint and end.
  package var shouldStop: () -> Bool = { false }

  package init() {}
}

/// How a run ended.
package struct TrainingOutcome: Sendable {
  package let history: [EpochRecord]
  package let times: [EpochTime]
  package let best: BestEpoch?
  /// Ended because it was told to; it can go on from its checkpoint.
  package let wasStopped: Bool
}

/// Trains one graph: epochs of updates, validation by the runtime, the schedule, checkpoints.
///
/// All that is drawn depends on the seed and the place in the run alone, so that a run that goes on from a checkpoint gives the
/// same bits as one that was never stopped.
package final class Trainer {
  private let task: TrainingTask
  private let settings: TrainingSettings
  private let threads: WorkerThreads
  private let kernels: TrainingKernels
  private let events: TrainingEvents
  private let graph: TrainableGraph
  private let optimizer: Optimizer
  private let assembly: BatchAssembly
  private let inputShapes: [(name: String, shape: [Int])]
  private var state: TrainingState
  private var average: UnsafeMutableBufferPointer<Float>?
  private var lastCheckpoint = eri_clock_monotonic()

  private var labelCount: Int { task.source.labels.count }

  /// - Parameter resumes: whether to go on from the checkpoint beside the output, which must be there.
  package init(
    _ task: TrainingTask, threads: WorkerThreads, kernels: TrainingKernels, events: TrainingEvents,
    resumes: Bool = false
  ) throws(TrainError) {
    self.task = task
    self.threads = threads
    self.kernels = kernels
    self.events = events
    settings = task.identity.settings
    for (samples, name) in [(task.training, "training"), (task.validation, "validation")] where samples.isEmpty {
      throw TrainError(.invalid, "data: expected samples for \(name), found none")
    }
    let checkpoint = resumes ? try Trainer.checkpoint(task, events) : nil
    let settings = settings
    graph = try TrainableGraph(
      checkpoint.map { (checkpoint) throws(TrainError) in try Trainer.weights(of: checkpoint, in: task) } ?? task.model,
      dropouts: task.dropouts,
      isFrozen: { settings.freezesBackbone && $0.hasPrefix(Trainer.backbone) },
      frozenStatistics: settings.freezesBackbone, threads: threads)
    optimizer = Optimizer(
      settings.optimizer, count: graph.weights.count,
      groups: graph.parameters.filter { !$0.isFrozen }.map { parameter in
        (parameter.range, parameter.name.hasPrefix(Trainer.backbone) ? settings.backboneRate : 1)
      }, kernels: kernels, threads: threads)
    inputShapes = try Trainer.inputShapes(of: task.model)
    assembly = BatchAssembly(
      source: task.source, training: task.training, settings: settings, inputs: inputShapes.map(\.name),
      sound: task.model.preprocessing.audio.map { SoundLayout($0) }, dropout: task.modalities, threads: threads)
    state = TrainingState(settings)
    if settings.averaging > 0 {
      let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: graph.weights.count)
      _ = copy.initialize(from: graph.weights)
      average = copy
    }
    if let checkpoint { try take(checkpoint) }
  }

  deinit { average?.deallocate() }

  private static let backbone = "video.backbone."
  /// Clips that are validated at once: more need more memory and are no faster.
  private static let validationBatch = 16

  /// Extents of the inputs for one sample.
  private static func inputShapes(of model: Model) throws(TrainError) -> [(name: String, shape: [Int])] {
    do throws(FormatError) { return try Program(validating: model).sampleShapes } catch {
      throw TrainError(error, in: "network")
    }
  }

  // MARK: Going on

  private static func checkpoint(_ task: TrainingTask, _ events: TrainingEvents) throws(TrainError)
    -> TrainingCheckpoint
  {
    guard let output = task.output else {
      throw TrainError(.invalid, "--resume: expected --out, beside which the checkpoint lies, found none")
    }
    let path = TrainingTask.checkpointPath(of: output)
    let checkpoint: TrainingCheckpoint
    let refusal: TrainError?
    do throws(FormatError) {
      checkpoint = try TrainingCheckpoint(reading: path)
      refusal = try checkpoint.identity.refusal(of: task.identity, path: path)
    } catch { throw TrainError(error) }
    if let refusal { throw refusal }
    let (made, own) = (checkpoint.identity, task.identity)
    if made.threads != own.threads {
      events.note(
        "\(path): made with \(counted(made.threads, "thread")), goes on with \(own.threads); the result does not depend on it"
      )
    }
    if made.kernels != own.kernels {
      events.note(
        "\(path): made with the kernels \(made.kernels), goes on with \(own.kernels): the result will differ in its last bits"
      )
    }
    if made.settings.epochs != own.settings.epochs {
      events.note("\(path): made for \(counted(made.settings.epochs, "epoch")), goes on to \(own.settings.epochs)")
    }
    return checkpoint
  }

  /// The graph to train with a checkpoint's weights: whatever the file says, the graph is the one that was asked for.
  private static func weights(of checkpoint: TrainingCheckpoint, in task: TrainingTask) throws(TrainError) -> Model {
    let path = TrainingTask.checkpointPath(of: task.output ?? "")
    guard checkpoint.model.tensors.count == task.model.tensors.count else {
      throw TrainError(
        .invalid,
        "\(path): expected \(counted(task.model.tensors.count, "tensor")) of weights, found \(checkpoint.model.tensors.count); train without --resume"
      )
    }
    do throws(FormatError) { return try task.model.replacing(tensorsOf: checkpoint.model) } catch {
      throw TrainError(error, in: path)
    }
  }

  private func take(_ checkpoint: TrainingCheckpoint) throws(TrainError) {
    let count = graph.weights.count
    guard checkpoint.moments.allSatisfy({ $0.count == count }), checkpoint.average.map({ $0.count == count }) ?? true,
      checkpoint.state.predictions.count % max(1, labelCount) == 0
    else {
      throw TrainError(
        .invalid, "checkpoint: expected state for \(count) weights, found another size; train without --resume")
    }
    state = checkpoint.state
    optimizer.stepCount = checkpoint.optimizerSteps
    for (state, moment) in zip(optimizer.states, checkpoint.moments) { _ = state.update(from: moment) }
    if let values = checkpoint.average { _ = average?.update(from: values) }
    try restoreOutput()
  }

  /// A run that ended after an epoch's checkpoint and before its file writes the file now.
  private func restoreOutput() throws(TrainError) {
    guard let output = task.output, let best = state.best else { return }
    var found: BestEpoch?
    do throws(FormatError) {
      var recorded = BestEpoch(epoch: 0, pearson: .nan)
      for parameter in try Model(reading: output).provenance?.training ?? [] {
        if parameter.name == "best_epoch", case .integer(let epoch) = parameter.value {
          recorded.epoch = Int(clamping: epoch)
        }
        if parameter.name == "best_validation_pearson", case .number(let pearson) = parameter.value {
          recorded.pearson = pearson
        }
      }
      found = recorded
    } catch { found = nil }
    if found == best { return }
    guard state.epoch == best.epoch, state.step == 0 else {
      throw TrainError(
        .invalid,
        "\(output): expected the weights of epoch \(best.epoch), the best of the run to go on with, found \(found.map { "those of epoch \($0.epoch)" } ?? "none"); put the file back, or train without --resume"
      )
    }
    try writeOutput(try shipped())
  }

  // MARK: The run

  /// Trains to the end, or until it is told to stop.
  package func run() throws(TrainError) -> TrainingOutcome {
    while !state.isFinished(settings) {
      guard try finishEpoch() else { return outcome(wasStopped: true) }
      if events.shouldStop() { return outcome(wasStopped: !state.isFinished(settings)) }
    }
    return outcome(wasStopped: false)
  }

  private func outcome(wasStopped: Bool) -> TrainingOutcome {
    TrainingOutcome(history: state.history, times: state.times, best: state.best, wasStopped: wasStopped)
  }

  /// Returns false if it was told to stop within the epoch.
  private func finishEpoch() throws(TrainError) -> Bool {
    let order = BatchOrder(
      count: task.training.count, batch: settings.batch, seed: UInt64(settings.seed), epoch: state.epoch)
    var mark = eri_clock_monotonic()
    /// Seconds since the last call.
    func lap() -> Double {
      let now = eri_clock_monotonic()
      defer { mark = now }
      return Double(now - mark) / 1e9
    }
    while state.step < order.stepCount {
      try update(order)
      state.step += 1
      let seconds = lap()
      state.time.seconds += seconds
      state.time.trainingSeconds += seconds
      state.time.samples += Double(order.range(of: state.step - 1).count)
      events.progress(state.epoch + 1, Double(state.step) / Double(order.stepCount), meanLoss)
      guard state.step < order.stepCount else { break }
      let isStopping = events.shouldStop()
      if isStopping || isCheckpointDue { try writeCheckpoint() }
      if isStopping { return false }
    }
    let model = try shipped()
    let validation = try validate(model)
    let training = Score(predictions: state.predictions, truth: state.targets, labels: task.source.labels)
    let record = EpochRecord(
      epoch: state.epoch + 1, loss: meanLoss, trainingPearson: training.meanPearson,
      validationLoss: validation.meanSquaredError, validationPearson: validation.meanPearson,
      learningRate: state.schedule.learningRate, gradientNorm: state.gradientNorm)
    if state.epoch == 0 { for warning in validation.warnings { events.note("validation: \(warning)") } }
    let isBest = state.best.map { record.validationPearson > $0.pearson } ?? true
    if isBest { state.best = BestEpoch(epoch: record.epoch, pearson: record.validationPearson) }
    state.schedule.update(record.validationPearson)
    state.history.append(record)
    state.time.seconds += lap()
    state.times.append(state.time)
    state.beginEpoch()
    // In this order: whatever stops the run between the two, the checkpoint knows which epoch the file should hold, and has it.
    try writeCheckpoint()
    if isBest { try writeOutput(model) }
    state.times[state.times.count - 1].seconds += lap()
    events.epoch(state.history, state.times, isBest)
    return true
  }

  private var meanLoss: Double { state.squares / Double(max(1, state.targets.count)) }

  /// One update: a batch, in parts whose gradients are added up.
  private func update(_ order: BatchOrder) throws(TrainError) {
    let places = order.range(of: state.step)
    let scale = Float(1 / Double(places.count * labelCount))
    graph.clearGradients()
    var squares = 0.0
    var part = 0
    for start in stride(from: places.lowerBound, to: places.upperBound, by: settings.samplesAtOnce) {
      let some = start..<min(start + settings.samplesAtOnce, places.upperBound)
      try graph.bind(batch: some.count)
      try assembly.fill(graph, order, some, epoch: state.epoch)
      let key = BatchOrder.dropoutKey(seed: UInt64(settings.seed), epoch: state.epoch, step: state.step, part: part)
      squares += graph.step(key: key, scale: scale)
      state.predictions += Array(graph.outputs)
      state.targets += Array(graph.targets)
      part += 1
    }
    guard squares.isFinite else { throw divergence("loss", squares) }
    let norm = optimizer.step(graph.weights, graph.gradients, learningRate: state.schedule.learningRate)
    guard norm.isFinite else { throw divergence("norm of the gradients", norm) }
    state.squares += squares
    state.gradientNorm = max(state.gradientNorm, norm)
    if let average {
      eri_f32_average(
        kernels.pointer, average.count, Float(1 - settings.averaging), graph.weights.baseAddress, average.baseAddress)
    }
  }

  private func divergence(_ what: String, _ value: Double) -> TrainError {
    let kept =
      task.output.map { output in
        state.epoch == 0 && state.step == 0
          ? "" : "; the last checkpoint, \(TrainingTask.checkpointPath(of: output)), is kept"
      } ?? ""
    return TrainError(
      .invalid,
      "epoch \(state.epoch + 1), update \(state.step + 1): expected a finite \(what), found \(value); lower the learning rate or clip the gradients\(kept)"
    )
  }

  // MARK: What is validated, shipped and kept

  /// The graph as it would ship now: with the average of the weights, if one is kept.
  private func shipped() throws(TrainError) -> Model {
    guard let average else { return graph.exported() }
    let weights = [Float](graph.weights)
    _ = graph.weights.update(from: average)
    defer { _ = graph.weights.update(from: weights) }
    return graph.exported()
  }

  private func validate(_ model: Model) throws(TrainError) -> Score {
    let predictor = try Predictor(model, place: "validation", threads: threads)
    let predictions = try predictor.outputs(
      of: task.validation, from: task.source, shapes: inputShapes,
      batch: min(settings.samplesAtOnce, Trainer.validationBatch))
    guard predictions.allSatisfy(\.isFinite) else { throw divergence("validation output", .nan) }
    let truth = task.validation.flatMap { task.source.samples[$0].targets }
    return Score(predictions: predictions, truth: truth, labels: task.source.labels)
  }

  private func writeOutput(_ model: Model) throws(TrainError) {
    guard let output = task.output else { return }
    var model = model
    model.preprocessing = task.model.preprocessing
    model.lineage = task.model.lineage
    try task.identity.store(in: &model, best: state.best)
    if let best = state.best {
      model.lineage.append(
        LineageStep(
          action: "train",
          detail:
            "\(settings.stage.rawValue): epoch \(best.epoch) of \(settings.epochs), \(counted(task.training.count, "clip")), seed \(settings.seed)",
          source: "", sourceSHA256: task.identity.datasetSHA256))
    }
    let whole = try task.assembled(model)
    do throws(FormatError) { try whole.write(to: output, threads: min(threads.count, 16)) } catch {
      throw TrainError(.notWritable, error.description)
    }
  }

  private var isCheckpointDue: Bool {
    if task.checkpointSteps > 0, state.step % task.checkpointSteps == 0 { return true }
    return task.checkpointSeconds > 0
      && Double(eri_clock_monotonic() - lastCheckpoint) / 1e9 >= task.checkpointSeconds
  }

  private func writeCheckpoint() throws(TrainError) {
    guard let output = task.output else { return }
    var model = graph.exported()
    model.preprocessing = task.model.preprocessing
    model.lineage = task.model.lineage
    let checkpoint = TrainingCheckpoint(
      model: model, state: state, optimizerSteps: optimizer.stepCount, moments: optimizer.states.map { [Float]($0) },
      average: average.map { [Float]($0) }, identity: task.identity)
    try checkpoint.write(to: TrainingTask.checkpointPath(of: output), threads: threads.count)
    lastCheckpoint = eri_clock_monotonic()
  }
}

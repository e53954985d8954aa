package import ERIFormat

/// What a checkpoint file says beside weights and state: who made it, to see whether a run may go on from it.
package struct RunIdentity: Equatable, Sendable {
  package var network: String
  package var networkParameters: [Parameter]
  package var labels: [String]
  package var settings: TrainingSettings
  package var datasetSHA256: String
  /// On what it ran; other threads or kernels are no obstacle.
  package var threads: Int
  package var kernels: String

  package init(
    network: String, networkParameters: [Parameter], labels: [String], settings: TrainingSettings,
    datasetSHA256: String, threads: Int, kernels: String
  ) {
    self.network = network
    self.networkParameters = networkParameters
    self.labels = labels
    self.settings = settings
    self.datasetSHA256 = datasetSHA256
    self.threads = threads
    self.kernels = kernels
  }

  /// The facts of a run that are no settings.
  static let facts: Set<String> = ["threads", "kernels", "best_epoch", "best_validation_pearson"]

  /// Fills a model's labels and provenance.
  func store(in model: inout Model, best: BestEpoch?) throws(TrainError) {
    model.labels = labels
    var provenance = model.provenance ?? Provenance()
    provenance.network = network
    provenance.parameters = networkParameters
    provenance.seed = UInt64(settings.seed)
    provenance.trained = true
    provenance.datasetSHA256 = datasetSHA256
    do throws(FormatError) { provenance.training = try settings.parameters() } catch { throw TrainError(error) }
    provenance.training.append(Parameter("threads", .integer(Int64(threads))))
    provenance.training.append(Parameter("kernels", .text(kernels)))
    if let best {
      provenance.training.append(Parameter("best_epoch", .integer(Int64(best.epoch))))
      provenance.training.append(Parameter("best_validation_pearson", .number(best.pearson)))
    }
    model.provenance = provenance
  }

  init(of model: Model) throws(FormatError) {
    guard let provenance = model.provenance, !provenance.training.isEmpty else {
      throw FormatError(
        .invalid, at: "", "expected the record of a training run, found none; give a checkpoint of `eri train`")
    }
    network = provenance.network
    networkParameters = provenance.parameters
    labels = model.labels
    settings = try TrainingSettings(recorded: provenance.training.filter { !RunIdentity.facts.contains($0.name) })
    datasetSHA256 = provenance.datasetSHA256
    threads = 0
    kernels = ""
    for parameter in provenance.training {
      if parameter.name == "threads", case .integer(let count) = parameter.value { threads = Int(clamping: count) }
      if parameter.name == "kernels", case .text(let name) = parameter.value { kernels = name }
    }
  }

  /// The sentence about the first difference that a run cannot bear; nil if it may go on from this.
  func refusal(of run: RunIdentity, path: String) throws(FormatError) -> TrainError? {
    func refusal(_ what: String, _ own: String, _ other: String) -> TrainError {
      TrainError(
        .invalid,
        "\(path): expected a run with \(what) \(own), found \(other) on the command line; give what the checkpoint was made with, or another --out"
      )
    }
    if network != run.network { return refusal("the network", network, run.network) }
    if labels != run.labels {
      return refusal("the labels", joined(labels, separator: ", "), joined(run.labels, separator: ", "))
    }
    for parameter in networkParameters {
      let other = run.networkParameters.first { $0.name == parameter.name }
      if other?.value != parameter.value {
        return refusal(parameter.name, parameter.value.text, other?.value.text ?? "none")
      }
    }
    if let (name, own, other) = try settings.difference(from: run.settings) { return refusal(name, own, other) }
    if datasetSHA256 != run.datasetSHA256 {
      return TrainError(
        .invalid,
        "\(path): expected the dataset \(datasetSHA256), found \(run.datasetSHA256); give the data that the checkpoint was made with, or another --out"
      )
    }
    return nil
  }
}

/// A run that can go on: its weights, the optimiser's state and where it stands, as an .eri file holds them.
struct TrainingCheckpoint {
  /// The graph with weights and statistics, without state.
  var model: Model
  var state: TrainingState
  var optimizerSteps: Int
  /// The optimiser's flat tensors.
  var moments: [[Float]]
  /// The running average of the weights.
  var average: [Float]?
  var identity: RunIdentity

  private static let prefix = "training."

  // MARK: Writing

  /// Replaces an earlier checkpoint as a whole.
  func write(to path: String, threads: Int) throws(TrainError) {
    var file = model
    file.goldens = []
    try identity.store(in: &file, best: state.best)
    file.tensors += tensors
    do throws(FormatError) { try file.write(to: path, level: 1, threads: min(threads, 16)) } catch {
      throw TrainError(.notWritable, error.description)
    }
  }

  private var tensors: [Tensor] {
    var tensors: [Tensor] = []
    func add(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: UnsafeRawBufferPointer) {
      tensors.append(
        Tensor(
          TrainingCheckpoint.prefix + name, dtype, shape, role: .optimizerState, values: .bytes([UInt8](bytes))))
    }
    let best = state.best
    let cursor: [Int64] = [
      Int64(state.epoch), Int64(state.step), Int64(optimizerSteps), Int64(state.schedule.badEpochs),
      Int64(best?.epoch ?? 0),
    ]
    cursor.withUnsafeBytes { add("cursor", .i64, [cursor.count], $0) }
    let numbers = [
      state.schedule.learningRate, state.schedule.best, best?.pearson ?? 0, state.squares, state.gradientNorm,
    ]
    numbers.withUnsafeBytes { add("numbers", .f64, [numbers.count], $0) }
    let history = state.history.flatMap(\.numbers)
    history.withUnsafeBytes { add("history", .f64, [state.history.count, EpochRecord.columns], $0) }
    for (index, moment) in moments.enumerated() {
      moment.withUnsafeBytes { add("moment\(index + 1)", .f32, [moment.count], $0) }
    }
    if let average { average.withUnsafeBytes { add("average", .f32, [average.count], $0) } }
    let labels = max(1, identity.labels.count)
    for (name, values) in [("predictions", state.predictions), ("targets", state.targets)] {
      values.withUnsafeBytes { add(name, .f32, [values.count / labels, labels], $0) }
    }
    // Last, and no part of what a result depends on.
    let times = (state.times + [state.time]).flatMap { [$0.seconds, $0.trainingSeconds, $0.samples] }
    times.withUnsafeBytes { add("times", .f64, [state.times.count + 1, 3], $0) }
    return tensors
  }

  // MARK: Reading

  init(
    model: Model, state: TrainingState, optimizerSteps: Int, moments: [[Float]], average: [Float]?,
    identity: RunIdentity
  ) {
    self.model = model
    self.state = state
    self.optimizerSteps = optimizerSteps
    self.moments = moments
    self.average = average
    self.identity = identity
  }

  /// - Parameter weightCount: elements of the optimiser's flat tensors.
  /// - Throws: `FormatError` if it is no checkpoint of a training run or its parts do not fit together.
  init(reading path: String) throws(FormatError) {
    do throws(FormatError) {
      var model = try Model(reading: path)
      let identity = try RunIdentity(of: model)
      let reader = StateReader(model)
      model.tensors.removeAll { $0.role == .optimizerState }
      self.identity = identity
      self.model = model
      let cursor: [Int64] = try reader.values("cursor", .i64, shape: [5], zero: 0)
      let numbers: [Double] = try reader.values("numbers", .f64, shape: [5], zero: 0)
      guard cursor.allSatisfy({ $0 >= 0 && $0 <= Int64(Int32.max) }), numbers[0].isFinite, numbers[0] >= 0 else {
        throw contractError(
          "expected counts and a learning rate, found others; the file is no checkpoint of `eri train`")
      }
      var state = TrainingState(identity.settings)
      (state.epoch, state.step) = (Int(cursor[0]), Int(cursor[1]))
      optimizerSteps = Int(cursor[2])
      state.schedule.badEpochs = Int(cursor[3])
      if cursor[4] > 0 { state.best = BestEpoch(epoch: Int(cursor[4]), pearson: numbers[2]) }
      state.schedule.learningRate = numbers[0]
      state.schedule.best = numbers[1]
      (state.squares, state.gradientNorm) = (numbers[3], numbers[4])
      let history: [Double] = try reader.values("history", .f64, shape: [state.epoch, EpochRecord.columns], zero: 0)
      for epoch in 0..<state.epoch {
        let row = Array(history[epoch * EpochRecord.columns..<(epoch + 1) * EpochRecord.columns])
        if let record = EpochRecord(epoch: epoch + 1, numbers: row) { state.history.append(record) }
      }
      let times: [Double] = try reader.values("times", .f64, shape: [state.epoch + 1, 3], zero: 0)
      for epoch in 0...state.epoch {
        state.times.append(
          EpochTime(
            seconds: times[3 * epoch], trainingSeconds: times[3 * epoch + 1], samples: times[3 * epoch + 2]))
      }
      state.time = state.times.removeLast()
      let labels = max(1, identity.labels.count)
      state.predictions = try reader.values("predictions", .f32, shape: [nil, labels], zero: 0)
      state.targets = try reader.values("targets", .f32, shape: [state.predictions.count / labels, labels], zero: 0)
      moments = []
      for index in 0..<identity.settings.optimizer.method.stateCount {
        moments.append(try reader.values("moment\(index + 1)", .f32, shape: [nil], zero: 0))
      }
      average =
        identity.settings.averaging > 0 ? try reader.values("average", .f32, shape: [moments[0].count], zero: 0) : nil
      self.state = state
    } catch {
      throw error.place.hasPrefix(path) ? error : error.inside(path)
    }
  }

  private struct StateReader {
    private let tensors: [Tensor]

    init(_ model: Model) { tensors = model.tensors.filter { $0.role == .optimizerState } }

    /// - Parameter shape: nil for an extent that is free.
    func values<Element: BitwiseCopyable>(
      _ name: String, _ dtype: DType, shape: [Int?], zero: Element
    ) throws(FormatError) -> [Element] {
      let name = TrainingCheckpoint.prefix + name
      guard let tensor = tensors.first(where: { $0.name == name }) else {
        throw contractError(
          "expected the tensor \"\(name)\" of a training run, found none; give a checkpoint of `eri train`")
      }
      let fits =
        tensor.shape.count == shape.count && zip(tensor.shape, shape).allSatisfy { $1 == nil || $0 == $1 }
      guard tensor.dtype == dtype, fits else {
        throw FormatError(
          .invalid, at: "tensor \"\(name)\"",
          "expected \(dtype.name) of \(joined(shape.map { $0.map { "\($0)" } ?? "any" }, separator: " x ")), found \(tensor.dtype.name) \(shapeText(tensor.shape))"
        )
      }
      return try tensor.elements(zero: zero)
    }
  }
}

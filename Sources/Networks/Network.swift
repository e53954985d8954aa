package import ERIFormat

/// The networks that can be built by name.
package enum Network: Equatable, Sendable {
  case dualBranch(DualBranchParameters)
  case videoBranch(VideoBranchParameters)
  case audioBranch(AudioBranchParameters)

  /// Every name, in the order of the documentation.
  package static let names = ["dual-branch", "video-branch", "audio-branch"]

  /// The network of that name, its parameters the defaults.
  /// - Throws: `FormatError` `.unsupported` naming the networks there are.
  package init(named name: String) throws(FormatError) {
    switch name {
    case "dual-branch": self = .dualBranch(DualBranchParameters())
    case "video-branch": self = .videoBranch(VideoBranchParameters())
    case "audio-branch": self = .audioBranch(AudioBranchParameters())
    default:
      throw FormatError(
        .unsupported, at: "network \"\(name)\"", "expected one of \(joined(Network.names, separator: ", "))")
    }
  }

  /// The network that a file says it holds: what `initialised(seed:)` recorded.
  /// - Throws: `FormatError` naming the parameter, if one is unknown, of another type or out of range.
  package init(named name: String, parameters: [Parameter], labels: [String]) throws(FormatError) {
    try self.init(named: name)
    var record = ParameterRecord(setting: parameters)
    setLabels(labels)
    try exchange(with: &record)
    try record.finish(network: name)
  }

  /// The name it is built by.
  package var name: String {
    switch self {
    case .dualBranch: "dual-branch"
    case .videoBranch: "video-branch"
    case .audioBranch: "audio-branch"
    }
  }

  /// Names of the intensities.
  package var labels: [String] {
    switch self {
    case .dualBranch(let parameters): parameters.reaction.labels
    case .videoBranch(let parameters): parameters.reaction.labels
    case .audioBranch(let parameters): parameters.reaction.labels
    }
  }

  /// Every width and choice, in a stable order.
  /// - Throws: `FormatError` naming the first parameter out of range.
  package func parameters() throws(FormatError) -> [Parameter] {
    var record = ParameterRecord()
    var network = self
    try network.exchange(with: &record)
    return record.parameters
  }

  /// The network with PyTorch's default weights drawn from a seed: the same bits on every machine.
  /// - Throws: `FormatError` naming a parameter out of range or a tensor past the limits.
  package func initialised(seed: UInt64) throws(FormatError) -> Model {
    let parameters = try parameters()
    var builder = NetworkBuilder(seed: seed)
    switch self {
    case .dualBranch(let parameters): try parameters.build(in: &builder)
    case .videoBranch(let parameters): try parameters.build(in: &builder)
    case .audioBranch(let parameters): try parameters.build(in: &builder)
    }
    var model = Model()
    model.graph = builder.graph.graph
    model.tensors = builder.graph.tensors
    model.preprocessing = preprocessing
    model.labels = labels
    var provenance = Provenance()
    provenance.network = name
    provenance.parameters = parameters
    provenance.seed = seed
    model.provenance = provenance
    model.lineage = [LineageStep(action: "init", detail: "\(name), seed \(seed)")]
    return model
  }

  /// How raw faces and sound become its inputs; the sound's statistics are the identity until training fits them.
  package var preprocessing: Preprocessing {
    switch self {
    case .dualBranch(let parameters):
      Preprocessing(
        video: parameters.spatial.preprocessing(steps: parameters.reaction.steps),
        audio: parameters.sound.preprocessing(steps: parameters.reaction.steps))
    case .videoBranch(let parameters):
      Preprocessing(video: parameters.spatial.preprocessing(steps: parameters.reaction.steps))
    case .audioBranch(let parameters):
      Preprocessing(audio: parameters.sound.preprocessing(steps: parameters.reaction.steps))
    }
  }

  private mutating func exchange(with record: inout ParameterRecord) throws(FormatError) {
    switch self {
    case .dualBranch(var parameters):
      try parameters.record(in: &record)
      self = .dualBranch(parameters)
    case .videoBranch(var parameters):
      try parameters.record(in: &record)
      self = .videoBranch(parameters)
    case .audioBranch(var parameters):
      try parameters.record(in: &record)
      self = .audioBranch(parameters)
    }
  }

  private mutating func setLabels(_ labels: [String]) {
    switch self {
    case .dualBranch(var parameters):
      parameters.reaction.labels = labels
      self = .dualBranch(parameters)
    case .videoBranch(var parameters):
      parameters.reaction.labels = labels
      self = .videoBranch(parameters)
    case .audioBranch(var parameters):
      parameters.reaction.labels = labels
      self = .audioBranch(parameters)
    }
  }
}

extension SpatialParameters {
  fileprivate func preprocessing(steps: Int) -> VideoPreprocessing {
    var video = VideoPreprocessing()
    video.steps = steps
    video.height = imageSize
    video.width = imageSize
    return video
  }
}

extension SoundParameters {
  fileprivate func preprocessing(steps: Int) -> AudioPreprocessing {
    var audio = AudioPreprocessing()
    audio.steps = steps
    audio.stack = stack
    audio.coefficientCount = coefficients
    audio.mean = [Float](repeating: 0, count: coefficients)
    audio.deviation = [Float](repeating: 1, count: coefficients)
    return audio
  }
}

package import ERIFormat

/// The networks that can be built by name.
package enum Network: Equatable, Sendable {
  case dualBranch(DualBranchParameters)
  case videoBranch(VideoBranchParameters)
  case audioBranch(AudioBranchParameters)
  case resNet18Stem(StemParameters)
  case mtcnn(MTCNNStage)

  /// Every name, in the order of the documentation.
  package static let names = [
    "dual-branch", "video-branch", "audio-branch", "resnet18-stem", "mtcnn-p", "mtcnn-r", "mtcnn-o",
  ]

  /// The network of that name, its parameters the defaults.
  /// - Throws: `FormatError` `.unsupported` naming the networks there are.
  package init(named name: String) throws(FormatError) {
    switch name {
    case "dual-branch": self = .dualBranch(DualBranchParameters())
    case "video-branch": self = .videoBranch(VideoBranchParameters())
    case "audio-branch": self = .audioBranch(AudioBranchParameters())
    case "resnet18-stem": self = .resNet18Stem(StemParameters())
    default:
      if let stage = MTCNNStage(rawValue: name) {
        self = .mtcnn(stage)
        return
      }
      throw FormatError(
        .unsupported, at: "network \"\(name)\"", "expected one of \(joined(Network.names, separator: ", "))")
    }
  }

  /// The network that a file says it holds: what `initialised(seed:)` recorded.
  /// - Throws: `FormatError` naming the parameter, if one is unknown, of another type or out of range.
  package init(named name: String, parameters: [Parameter], labels: [String]) throws(FormatError) {
    try self.init(named: name)
    var record = ParameterRecord(setting: parameters)
    try setLabels(labels)
    try exchange(with: &record)
    try record.finish(network: name)
  }

  /// The name it is built by.
  package var name: String {
    switch self {
    case .dualBranch: "dual-branch"
    case .videoBranch: "video-branch"
    case .audioBranch: "audio-branch"
    case .resNet18Stem: "resnet18-stem"
    case .mtcnn(let stage): stage.rawValue
    }
  }

  /// Names of the intensities; none where the network estimates none.
  package var labels: [String] {
    switch self {
    case .dualBranch(let parameters): parameters.reaction.labels
    case .videoBranch(let parameters): parameters.reaction.labels
    case .audioBranch(let parameters): parameters.reaction.labels
    case .resNet18Stem, .mtcnn: []
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
    let builder = try built(seed: seed)
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

  /// Where training drops elements, with the rates that the parameters say: after each rectifier of the temporal
  /// convolutions, after the positions are added, in the encoders' probabilities, feed-forward parts and residuals (TEMMA).
  /// - Throws: `FormatError` naming a parameter out of range.
  package func dropoutSites() throws(FormatError) -> [DropoutSite] {
    _ = try parameters()
    return try built(seed: 0).dropoutSites
  }

  private func built(seed: UInt64) throws(FormatError) -> NetworkBuilder {
    var builder = NetworkBuilder(seed: seed, symbols: symbols)
    switch self {
    case .dualBranch(let parameters): try parameters.build(in: &builder)
    case .videoBranch(let parameters): try parameters.build(in: &builder)
    case .audioBranch(let parameters): try parameters.build(in: &builder)
    case .resNet18Stem(let parameters): try parameters.build(in: &builder)
    case .mtcnn(let stage): try stage.build(in: &builder)
    }
    return builder
  }

  /// Extents that a golden of the network binds its symbols to, as far as they are not 1.
  package var sampleSizes: [(symbol: String, size: Int)] {
    switch self {
    case .dualBranch, .videoBranch, .audioBranch, .resNet18Stem, .mtcnn(.refinement), .mtcnn(.output): []
    // Odd and unequal, so that pools round up and axes cannot be taken for each other; 12 is the least.
    case .mtcnn(.proposal): [("H", 21), ("W", 28)]
    }
  }

  private var symbols: [String] {
    switch self {
    case .dualBranch, .videoBranch, .audioBranch, .resNet18Stem: ["N"]
    case .mtcnn(let stage): stage.symbols
    }
  }

  /// How raw faces and sound become its inputs; the sound's statistics are the identity until training fits them.
  /// Empty where preparing the input is the caller's.
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
    case .resNet18Stem, .mtcnn: Preprocessing()
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
    case .resNet18Stem(var parameters):
      try parameters.record(in: &record)
      self = .resNet18Stem(parameters)
    case .mtcnn: break
    }
  }

  private mutating func setLabels(_ labels: [String]) throws(FormatError) {
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
    case .resNet18Stem, .mtcnn:
      guard labels.isEmpty else {
        throw FormatError(
          .invalid, at: "labels", "expected none for \(name), which estimates no intensities, found \(labels.count)")
      }
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

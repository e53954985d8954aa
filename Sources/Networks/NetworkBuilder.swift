import ERIFormat

/// Builds a graph layer by layer, each with its weights as PyTorch initialises them.
///
/// A layer `p` has tensors `p.weight`, `p.bias`, …, and its output is the value `p.out` unless it is given a name.
struct NetworkBuilder {
  /// The batch's symbol.
  static let batch = Dimension(symbol: 0)

  private(set) var graph: GraphBuilder
  /// Where training drops elements.
  private(set) var dropoutSites: [DropoutSite] = []
  private let seed: UInt64

  /// - Parameter symbols: names of the symbolic extents, the batch's first.
  init(seed: UInt64, symbols: [String]) {
    graph = GraphBuilder(symbols: symbols)
    self.seed = seed
  }

  /// `steps` for each element of the batch.
  static func batch(times steps: Int) -> Dimension { Dimension(coefficient: steps, symbols: [0]) }

  mutating func input(_ name: String, _ shape: [Dimension], omission: Input.Omission = .required) -> Int {
    graph.input(name, ValueType(.f32, shape), omission: omission)
  }

  /// Marks a value of which training drops elements; inference has no node for it.
  mutating func drop(_ value: Int, rate: Double) {
    dropoutSites.append(DropoutSite(value: graph.graph.values[value].name, rate: rate))
  }

  mutating func output(_ value: Int) { graph.output(value) }

  /// Extents of a value.
  func shape(of value: Int) -> [Dimension] { graph.type(of: value).shape }

  // MARK: Tensors

  mutating func addWeight(_ name: String, _ shape: [Int], _ initialisation: Initialisation) throws(FormatError) -> Int {
    guard let count = elementProduct(shape) else {
      throw FormatError(
        .limitExceeded, at: "tensor \"\(name)\"",
        "expected at most \(Limits.elements) elements, found \(shapeText(shape))")
    }
    return graph.tensor(
      Tensor(name, shape, floats: initialisation.values(count: count, name: name, seed: seed)))
  }

  mutating func addConstant(_ name: String, _ shape: [Int], _ values: [Float]) -> Int {
    graph.tensor(Tensor(name, shape, role: .constant, floats: values))
  }

  // MARK: Layers with weights

  /// A square convolution over [N, C, H, W].
  mutating func convolution(
    _ name: String, _ x: Int, from inputs: Int, to outputs: Int, kernel: Int, stride: Int, pad: Int,
    bias hasBias: Bool = false, output: String? = nil
  ) throws(FormatError) -> Int {
    let fanIn = inputs * kernel * kernel
    let weight = try addWeight("\(name).weight", [outputs, inputs, kernel, kernel], .uniform(fanIn: fanIn))
    let bias = hasBias ? try addWeight("\(name).bias", [outputs], .uniform(fanIn: fanIn)) : nil
    let conv = Conv(
      strides: [stride, stride], dilations: [1, 1], padsBegin: [pad, pad], padsEnd: [pad, pad])
    return try graph.apply(.conv(conv), hasBias ? [x, weight, bias] : [x, weight], name: output ?? "\(name).out")
  }

  /// A 1×1 convolution with bias over [N, C, T].
  mutating func pointwise(
    _ name: String, _ x: Int, from inputs: Int, to outputs: Int
  ) throws(FormatError) -> Int {
    let weight = try addWeight("\(name).weight", [outputs, inputs, 1], .uniform(fanIn: inputs))
    let bias = try addWeight("\(name).bias", [outputs], .uniform(fanIn: inputs))
    let conv = Conv(strides: [1], dilations: [1], padsBegin: [0], padsEnd: [0])
    return try graph.apply(.conv(conv), [x, weight, bias], name: "\(name).out")
  }

  /// A weight-normalised convolution over [N, C, T] that sees no later step.
  mutating func causalConvolution(
    _ name: String, _ x: Int, from inputs: Int, to outputs: Int, kernel: Int, dilation: Int
  ) throws(FormatError) -> Int {
    let fanIn = inputs * kernel
    let initialisation = Initialisation.uniform(fanIn: fanIn)
    let directions = initialisation.values(count: outputs * fanIn, name: "\(name).v", seed: seed)
    let g = graph.tensor(Tensor("\(name).g", [outputs, 1, 1], floats: rowNorms(directions, rows: outputs)))
    let v = graph.tensor(Tensor("\(name).v", [outputs, inputs, kernel], floats: directions))
    let bias = try addWeight("\(name).bias", [outputs], initialisation)
    let weight = try graph.apply(.weightNorm(WeightNorm()), [v, g], name: "\(name).weight")
    let conv = Conv(
      strides: [1], dilations: [dilation], padsBegin: [(kernel - 1) * dilation], padsEnd: [0])
    return try graph.apply(.conv(conv), [x, weight, bias], name: "\(name).out")
  }

  mutating func batchNorm(_ name: String, _ x: Int, channels: Int) throws(FormatError) -> Int {
    let scale = try addWeight("\(name).weight", [channels], .constant(1))
    let bias = try addWeight("\(name).bias", [channels], .constant(0))
    let mean = try addWeight("\(name).running_mean", [channels], .constant(0))
    let variance = try addWeight("\(name).running_var", [channels], .constant(1))
    return try graph.apply(.batchNorm(BatchNorm()), [x, scale, bias, mean, variance], name: "\(name).out")
  }

  /// A rectifier with a slope per channel below zero.
  mutating func prelu(_ name: String, _ x: Int, channels: Int) throws(FormatError) -> Int {
    let slope = try addWeight("\(name).weight", [channels], .constant(0.25))
    return try graph.apply(.prelu(PReLU()), [x, slope], name: "\(name).out")
  }

  mutating func layerNorm(
    _ name: String, _ x: Int, width: Int, form: TemporalParameters.NormForm = .standard
  ) throws(FormatError) -> Int {
    let gain = try addWeight("\(name).weight", [width], .constant(1))
    let bias = try addWeight("\(name).bias", [width], .constant(0))
    let norm =
      switch form {
      case .standard: LayerNorm()
      case .temma: LayerNorm(epsilon: 1e-6, form: .unbiasedDeviation)
      }
    return try graph.apply(.layerNorm(norm), [x, gain, bias], name: "\(name).out")
  }

  mutating func linear(
    _ name: String, _ x: Int, from inputs: Int, to outputs: Int, bias hasBias: Bool = true, output: String? = nil
  ) throws(FormatError) -> Int {
    let weight = try addWeight("\(name).weight", [outputs, inputs], .uniform(fanIn: inputs))
    let bias = hasBias ? try addWeight("\(name).bias", [outputs], .uniform(fanIn: inputs)) : nil
    return try graph.apply(
      .linear(Linear()), hasBias ? [x, weight, bias] : [x, weight], name: output ?? "\(name).out")
  }

  /// [N, S, D] to [N, D].
  mutating func attentionPool(_ name: String, _ x: Int, width: Int) throws(FormatError) -> Int {
    let weight = try addWeight("\(name).weight", [1, width], .uniform(fanIn: width))
    let bias = try addWeight("\(name).bias", [1], .uniform(fanIn: width))
    return try graph.apply(.attentionPool(AttentionPool()), [x, weight, bias], name: "\(name).out")
  }

  // MARK: Layers without weights

  mutating func apply(_ op: Operator, _ inputs: [Int?], name: String) throws(FormatError) -> Int {
    try graph.apply(op, inputs, name: name)
  }

  mutating func relu(_ name: String, _ x: Int) throws(FormatError) -> Int {
    try graph.apply(.unary(Unary(.relu)), [x], name: name)
  }

  mutating func add(_ name: String, _ a: Int, _ b: Int) throws(FormatError) -> Int {
    try graph.apply(.binary(Binary(.add)), [a, b], name: name)
  }

  mutating func reshape(_ name: String, _ x: Int, to shape: [Dimension]) throws(FormatError) -> Int {
    try graph.apply(.reshape(Reshape(shape)), [x], name: name)
  }

  mutating func transpose(_ name: String, _ x: Int, _ permutation: [Int]) throws(FormatError) -> Int {
    try graph.apply(.transpose(Transpose(permutation)), [x], name: name)
  }
}

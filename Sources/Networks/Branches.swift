import ERIFormat

extension NetworkBuilder {
  /// Frames [N, T, 3, H, W] to one vector each [N, T, 4 · baseWidth] (the paper's equations 1 to 5).
  mutating func spatialNetwork(
    _ prefix: String, _ faces: Int, steps: Int, _ parameters: SpatialParameters
  ) throws(FormatError) -> Int {
    let frameCount = NetworkBuilder.batch(times: steps)
    let size = Dimension(parameters.imageSize)
    let frames = try reshape("\(prefix).frames", faces, to: [frameCount, Dimension(3), size, size])
    let map = try resNetStem(
      "\(prefix).backbone.", frames, baseWidth: parameters.baseWidth, output: "\(prefix).backbone.layer3.1.out")
    let width = parameters.width
    let extents = shape(of: map)
    guard let height = extents[2].constant, let breadth = extents[3].constant else {
      throw contractError("expected a map of known extents, found \(extents.count) dimensions")
    }
    let positions = height * breadth
    let columns = try reshape(
      "\(prefix).spatial.columns", map, to: [frameCount, Dimension(width), Dimension(positions)])
    let tokens = try transpose("\(prefix).spatial.tokens", columns, [0, 2, 1])
    let pos = try addWeight("\(prefix).spatial.pos", [1, positions, width], .normal(deviation: 0.02))
    let activation: Unary.Function =
      switch parameters.gelu {
      case .exact: .gelu
      case .tanh: .geluTanh
      }
    let encoded = try encoder(
      "\(prefix).spatial", try add("\(prefix).spatial.placed", tokens, pos),
      EncoderLayout(
        blocks: parameters.blocks, width: width, heads: parameters.heads, feedForward: parameters.feedForward,
        activation: activation, attentionBias: parameters.attentionBias, finalNorm: parameters.finalNorm,
        dropout: parameters.dropout))
    let pooled = try attentionPool("\(prefix).pool", encoded, width: width)
    return try reshape(
      "\(prefix).pool.steps", pooled, to: [NetworkBuilder.batch, Dimension(steps), Dimension(width)])
  }

  /// A sequence [N, T, inputs] to features [N, T, width] (TEMMA's class TE).
  mutating func temporalNetwork(
    _ prefix: String, _ sequence: Int, from inputs: Int, steps: Int, _ parameters: TemporalParameters
  ) throws(FormatError) -> Int {
    let width = parameters.width
    var x = try transpose("\(prefix).tcn.columns", sequence, [0, 2, 1])
    for level in 0..<parameters.levels {
      x = try temporalBlock("\(prefix).tcn.\(level)", x, from: level == 0 ? inputs : width, level: level, parameters)
    }
    x = try transpose("\(prefix).tcn.out", x, [0, 2, 1])
    if parameters.scaled {
      let scale = addConstant("\(prefix).temporal.scale", [1], [Float(Double(width).squareRoot())])
      x = try apply(.binary(Binary(.multiply)), [x, scale], name: "\(prefix).temporal.scaled")
    }
    let table = addConstant(
      "\(prefix).temporal.positions", [steps, width],
      positionTable(steps: steps, width: width, base: parameters.positionBase))
    let placed = try add("\(prefix).temporal.placed", x, table)
    drop(placed, rate: parameters.dropout)
    return try encoder(
      "\(prefix).temporal", placed,
      EncoderLayout(
        blocks: parameters.blocks, width: width, heads: parameters.heads, feedForward: parameters.feedForward,
        activation: .relu, normForm: parameters.normForm, band: parameters.band, dropout: parameters.dropout))
  }

  /// Causal convolutions of dilation 2^level around a shortcut (Bai and others, 2018).
  private mutating func temporalBlock(
    _ name: String, _ x: Int, from inputs: Int, level: Int, _ parameters: TemporalParameters
  ) throws(FormatError) -> Int {
    let width = parameters.width
    var y = x
    for index in 1...parameters.convolutionsPerBlock {
      y = try causalConvolution(
        "\(name).conv\(index)", y, from: index == 1 ? inputs : width, to: width, kernel: parameters.kernel,
        dilation: 1 << level)
      y = try relu("\(name).relu\(index).out", y)
      drop(y, rate: parameters.dropout)
    }
    let shortcut = inputs == width ? x : try pointwise("\(name).down", x, from: inputs, to: width)
    return try relu("\(name).out", try add("\(name).sum", y, shortcut))
  }

  /// Features [N, T, width] to intensities [N, labels] in 0…1.
  mutating func head(
    _ prefix: String, _ features: Int, width: Int, labels: Int
  ) throws(FormatError) -> Int {
    let pooled = try attentionPool("\(prefix).pool", features, width: width)
    let scores = try linear("\(prefix).fc", pooled, from: width, to: labels)
    return try apply(.unary(Unary(.sigmoid)), [scores], name: "intensities")
  }
}

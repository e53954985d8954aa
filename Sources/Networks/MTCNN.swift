import ERIFormat

/// One of MTCNN's three networks (Zhang et al. 2016), its layers and names as facenet-pytorch has them.
///
/// Its input is an image in RGB, (x - 127.5) / 128 of bytes; preparing it is the caller's. Of `probability` [N, 2, …], index 1 is
/// a face's. All convolutions are without padding, all pools round up.
package enum MTCNNStage: String, Equatable, Sendable, CaseIterable {
  /// Proposes: fully convolutional, a cell of 12 × 12 pixels every 2.
  case proposal = "mtcnn-p"
  /// Refines: 24 × 24 pixels.
  case refinement = "mtcnn-r"
  /// Decides, with five points: 48 × 48 pixels.
  case output = "mtcnn-o"

  func build(in builder: inout NetworkBuilder) throws(FormatError) {
    switch self {
    case .proposal: try proposal(in: &builder)
    case .refinement: try refinement(in: &builder)
    case .output: try output(in: &builder)
    }
  }

  /// Names of the symbolic extents.
  var symbols: [String] {
    switch self {
    case .proposal: ["N", "H", "W"]
    case .refinement, .output: ["N"]
    }
  }

  private func proposal(in builder: inout NetworkBuilder) throws(FormatError) {
    var x = builder.input(
      "image", [NetworkBuilder.batch, Dimension(3), Dimension(symbol: 1), Dimension(symbol: 2)])
    x = try builder.rectified("1", x, from: 3, to: 10, kernel: 3)
    x = try builder.pool("pool1", x, kernel: 2)
    x = try builder.rectified("2", x, from: 10, to: 16, kernel: 3)
    x = try builder.rectified("3", x, from: 16, to: 32, kernel: 3)
    let scores = try builder.convolution("conv4_1", x, from: 32, to: 2, kernel: 1, stride: 1, pad: 0, bias: true)
    builder.output(try builder.probability(scores))
    builder.output(
      try builder.convolution(
        "conv4_2", x, from: 32, to: 4, kernel: 1, stride: 1, pad: 0, bias: true, output: "box"))
  }

  private func refinement(in builder: inout NetworkBuilder) throws(FormatError) {
    var x = builder.input("image", [NetworkBuilder.batch, Dimension(3), Dimension(24), Dimension(24)])
    x = try builder.rectified("1", x, from: 3, to: 28, kernel: 3)
    x = try builder.pool("pool1", x, kernel: 3)
    x = try builder.rectified("2", x, from: 28, to: 48, kernel: 3)
    x = try builder.pool("pool2", x, kernel: 3)
    x = try builder.rectified("3", x, from: 48, to: 64, kernel: 2)
    x = try builder.flattened(x, to: 576)
    x = try builder.linear("dense4", x, from: 576, to: 128)
    x = try builder.prelu("prelu4", x, channels: 128)
    builder.output(try builder.probability(try builder.linear("dense5_1", x, from: 128, to: 2)))
    builder.output(try builder.linear("dense5_2", x, from: 128, to: 4, output: "box"))
  }

  private func output(in builder: inout NetworkBuilder) throws(FormatError) {
    var x = builder.input("image", [NetworkBuilder.batch, Dimension(3), Dimension(48), Dimension(48)])
    x = try builder.rectified("1", x, from: 3, to: 32, kernel: 3)
    x = try builder.pool("pool1", x, kernel: 3)
    x = try builder.rectified("2", x, from: 32, to: 64, kernel: 3)
    x = try builder.pool("pool2", x, kernel: 3)
    x = try builder.rectified("3", x, from: 64, to: 64, kernel: 3)
    x = try builder.pool("pool3", x, kernel: 2)
    x = try builder.rectified("4", x, from: 64, to: 128, kernel: 2)
    x = try builder.flattened(x, to: 1_152)
    x = try builder.linear("dense5", x, from: 1_152, to: 256)
    x = try builder.prelu("prelu5", x, channels: 256)
    builder.output(try builder.probability(try builder.linear("dense6_1", x, from: 256, to: 2)))
    builder.output(try builder.linear("dense6_2", x, from: 256, to: 4, output: "box"))
    builder.output(try builder.linear("dense6_3", x, from: 256, to: 10, output: "points"))
  }
}

extension NetworkBuilder {
  /// Convolution and rectifier number `index`.
  fileprivate mutating func rectified(
    _ index: String, _ x: Int, from inputs: Int, to outputs: Int, kernel: Int
  ) throws(FormatError) -> Int {
    let y = try convolution("conv\(index)", x, from: inputs, to: outputs, kernel: kernel, stride: 1, pad: 0, bias: true)
    return try prelu("prelu\(index)", y, channels: outputs)
  }

  fileprivate mutating func pool(_ name: String, _ x: Int, kernel: Int) throws(FormatError) -> Int {
    let pool = MaxPool(
      kernel: [kernel, kernel], strides: [2, 2], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0], ceilMode: true)
    return try apply(.maxPool(pool), [x], name: "\(name).out")
  }

  /// [N, C, H, W] to rows in the order W, H, C, in which the weights were trained.
  fileprivate mutating func flattened(_ x: Int, to width: Int) throws(FormatError) -> Int {
    try reshape(
      "flatten.out", try transpose("permute.out", x, [0, 3, 2, 1]), to: [NetworkBuilder.batch, Dimension(width)])
  }

  fileprivate mutating func probability(_ scores: Int) throws(FormatError) -> Int {
    try apply(.softmax(Softmax(axis: 1)), [scores], name: "probability")
  }
}

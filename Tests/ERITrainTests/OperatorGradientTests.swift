import ERIFormat
import ERINetworks
import ERIReference
import ERITestSupport
import ERITrain
import Testing

@Suite("Gradients against central differences in Double") struct OperatorGradientTests {
  private typealias Operand = GradientCheck.Operand

  private func expectClose(_ check: GradientCheck) throws {
    let worst = try check.worst()
    #expect(worst <= Tolerance.gradient.bound, "relative distance \(worst)")
  }

  @Test func `linear`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [3, 5, 7]), Operand(name: "w", shape: [9, 7]), Operand(name: "b", shape: [9]),
        ],
        op: .linear(Linear())))
  }

  @Test func `linear over more rows than one chain sums`() throws {
    try expectClose(
      GradientCheck(
        operands: [Operand(name: "x", shape: [300, 2]), Operand(name: "w", shape: [3, 2])], op: .linear(Linear())))
  }

  @Test(arguments: [false, true]) func `conv of two axes, direct, strided and in groups`(_ isGrouped: Bool) throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [2, 4, 7, 6]), Operand(name: "w", shape: [6, isGrouped ? 2 : 4, 3, 3]),
          Operand(name: "b", shape: [6]),
        ],
        op: .conv(
          Conv(
            strides: [2, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1], groups: isGrouped ? 2 : 1))))
  }

  @Test(arguments: [false, true]) func `conv of stride 1 with dilation, its input's gradient by reversed weights`(
    _ isGrouped: Bool
  ) throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [2, 4, 6, 7]), Operand(name: "w", shape: [6, isGrouped ? 2 : 4, 3, 2]),
        ],
        op: .conv(
          Conv(
            strides: [1, 1], dilations: [1, 2], padsBegin: [1, 1], padsEnd: [0, 1], groups: isGrouped ? 2 : 1))))
  }

  @Test func `conv by Winograd's products`() throws {
    let check = GradientCheck(
      operands: [Operand(name: "x", shape: [2, 16, 5, 6]), Operand(name: "w", shape: [16, 16, 3, 3])],
      op: .conv(Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])))
    let worst = try check.worst()
    #expect(worst <= Tolerance.winogradGradient.bound, "relative distance \(worst)")
  }

  @Test func `conv of planes whose gradient nobody wants`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [2, 3, 9, 8], isTrained: false), Operand(name: "w", shape: [5, 3, 7, 7]),
        ],
        op: .conv(Conv(strides: [2, 2], dilations: [1, 1], padsBegin: [3, 3], padsEnd: [3, 3]))))
  }

  @Test func `causal dilated conv over a sequence`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [2, 5, 11]), Operand(name: "w", shape: [4, 5, 3]), Operand(name: "b", shape: [4]),
        ],
        op: .conv(Conv(strides: [1], dilations: [4], padsBegin: [8], padsEnd: [0]))))
  }

  @Test func `weight norm`() throws {
    try expectClose(
      GradientCheck(
        operands: [Operand(name: "v", shape: [4, 3, 3]), Operand(name: "g", shape: [4, 1, 1])],
        op: .weightNorm(WeightNorm())))
  }

  @Test func `max pool with overlapping windows`() throws {
    try expectClose(
      GradientCheck(
        operands: [Operand(name: "x", shape: [2, 9, 7, 6])],
        op: .maxPool(
          MaxPool(kernel: [3, 3], strides: [2, 2], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1]))))
  }

  @Test(arguments: [LayerNorm.Form.standard, .unbiasedDeviation]) func `layer norm`(_ form: LayerNorm.Form) throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [4, 5, 10]), Operand(name: "g", shape: [10]), Operand(name: "b", shape: [10]),
        ],
        op: .layerNorm(LayerNorm(epsilon: 1e-5, form: form))))
  }

  @Test func `batch norm with running statistics`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [3, 4, 3, 5]), Operand(name: "s", shape: [4]), Operand(name: "b", shape: [4]),
          Operand(name: "m", shape: [4], isTrained: false),
          Operand(name: "v", shape: [4], isTrained: false, drawn: { $0 * $0 + 0.5 }),
        ], op: .batchNorm(BatchNorm()), frozenStatistics: true))
  }

  @Test func `batch norm with the batch's statistics`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [3, 4, 3, 5]), Operand(name: "s", shape: [4]), Operand(name: "b", shape: [4]),
          Operand(name: "m", shape: [4], isTrained: false), Operand(name: "v", shape: [4], isTrained: false),
        ], op: .batchNorm(BatchNorm()), reference: { batchNormalised($0[0], $0[1].values, $0[2].values) }))
  }

  @Test(arguments: [true, false]) func `attention`(_ isBanded: Bool) throws {
    try expectClose(
      GradientCheck(
        operands: ["q", "k", "v"].map { Operand(name: $0, shape: [2, 6, 8]) },
        op: .attention(
          Attention(heads: 2, scale: 0.5, band: isBanded ? Attention.Band(before: 2, after: 1) : nil))))
  }

  @Test func `attention pool`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [3, 6, 10]), Operand(name: "w", shape: [1, 10]), Operand(name: "b", shape: [1]),
        ],
        op: .attentionPool(AttentionPool())))
  }

  @Test(arguments: Unary.Function.allCases) func `functions of an element`(_ function: Unary.Function) throws {
    try expectClose(GradientCheck(operands: [Operand(name: "x", shape: [3, 33])], op: .unary(Unary(function))))
  }

  @Test(arguments: ERIFormat.Binary.Function.allCases, [[3, 4, 5], [4, 5], [1], [3, 1, 5], [4, 1]])
  func `functions of two elements`(_ function: ERIFormat.Binary.Function, _ shape: [Int]) throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "a", shape: [3, 4, 5]),
          Operand(name: "b", shape: shape, drawn: { $0 < 0 ? $0 - 0.5 : $0 + 0.5 }),
        ], op: .binary(ERIFormat.Binary(function))))
  }

  @Test func `concat`() throws {
    try expectClose(
      GradientCheck(
        operands: [Operand(name: "a", shape: [3, 4, 2]), Operand(name: "b", shape: [3, 1, 2])],
        op: .concat(Concat(axis: 1))))
  }

  @Test func `reshape`() throws {
    try expectClose(
      GradientCheck(
        operands: [Operand(name: "x", shape: [3, 4])], op: .reshape(Reshape([Dimension(2), Dimension(6)]))))
  }

  @Test(arguments: [[0, 2, 1], [2, 0, 1], [1, 0, 2]]) func `transpose`(_ permutation: [Int]) throws {
    try expectClose(
      GradientCheck(operands: [Operand(name: "x", shape: [3, 4, 5])], op: .transpose(Transpose(permutation))))
  }

  @Test func `gate`() throws {
    try expectClose(
      GradientCheck(
        operands: [
          Operand(name: "x", shape: [3, 4]),
          Operand(name: "p", shape: [3, 2], isTrained: false, drawn: { $0 > 0 ? 1 : 0 }),
        ], op: .gate(Gate(index: 1))))
  }

  @Test func `prelu`() throws {
    try expectClose(
      GradientCheck(
        operands: [Operand(name: "x", shape: [2, 3, 4, 5]), Operand(name: "s", shape: [3])], op: .prelu(PReLU())))
  }

  @Test(arguments: [1, 2]) func `softmax`(_ axis: Int) throws {
    try expectClose(
      GradientCheck(operands: [Operand(name: "x", shape: [2, 5, 4])], op: .softmax(Softmax(axis: axis))))
  }
}

/// Batch normalisation of [N, C, H, W] by the batch's own statistics, in Double.
private func batchNormalised(_ x: ReferenceTensor, _ scale: [Double], _ bias: [Double]) -> [Double] {
  let channels = x.shape[1]
  let plane = x.shape[2] * x.shape[3]
  var y = x.values
  for channel in 0..<channels {
    let indices = y.indices.filter { $0 / plane % channels == channel }
    let mean = indices.reduce(0) { $0 + x.values[$1] } / Double(indices.count)
    let variance = indices.reduce(0) { $0 + (x.values[$1] - mean) * (x.values[$1] - mean) } / Double(indices.count)
    for index in indices {
      y[index] = scale[channel] * (x.values[index] - mean) / (variance + 1e-5).squareRoot() + bias[channel]
    }
  }
  return y
}

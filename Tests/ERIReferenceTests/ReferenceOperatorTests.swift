import ERIFormat
import ERIReference
import Testing

/// The operator's output for operands given as inputs of a graph; nil: an optional operand left out.
func evaluate(_ op: Operator, _ operands: [ReferenceTensor?]) throws -> ReferenceTensor? {
  var builder = GraphBuilder(symbols: [])
  var inputs: [String: ReferenceTensor] = [:]
  let values = operands.enumerated().map { index, operand -> Int? in
    guard let operand else { return nil }
    inputs["x\(index)"] = operand
    return builder.input("x\(index)", ValueType(.f32, constant: operand.shape))
  }
  builder.output(try builder.apply(op, values, name: "y"))
  var model = Model()
  model.graph = builder.graph
  return try ReferenceExecutor(Program(validating: model)).run(inputs: inputs)["y"]
}

private func tensor(_ shape: [Int], _ values: Double...) -> ReferenceTensor {
  ReferenceTensor(shape: shape, values: values)
}

/// Every expected value is worked out by hand.
@Suite struct ReferenceOperatorTests {
  /// Double rounding of a few operations.
  private func isClose(_ found: ReferenceTensor?, _ expected: ReferenceTensor) -> Bool {
    guard let found, found.shape == expected.shape else { return false }
    return zip(found.values, expected.values).allSatisfy { abs($0 - $1) <= 1e-14 * max(1, abs($1)) }
  }

  @Test func `a convolution pads, strides and adds its bias`() throws {
    let conv = Conv(strides: [2, 1], dilations: [1, 1], padsBegin: [1, 0], padsEnd: [0, 1])
    let x = tensor([1, 1, 3, 2], 1, 2, 3, 4, 5, 6)
    let weight = tensor([1, 1, 2, 2], 10, 20, 1, 2)
    // Rows -1 and 0, then 1 and 2; the column after the last counts as 0.
    let y = tensor([1, 1, 2, 2], 0.5 + 1 + 4, 0.5 + 2, 0.5 + 30 + 80 + 5 + 12, 0.5 + 40 + 6)
    #expect(try evaluate(.conv(conv), [x, weight, tensor([1], 0.5)]) == y)
  }

  @Test func `a convolution's groups see their own channels alone`() throws {
    let conv = Conv(strides: [1], dilations: [1], padsBegin: [0], padsEnd: [0], groups: 2)
    let y = try evaluate(.conv(conv), [tensor([1, 2, 2], 1, 2, 3, 4), tensor([2, 1, 1], 10, 100)])
    #expect(y == tensor([1, 2, 2], 10, 20, 300, 400))
  }

  @Test func `a causal convolution reaches back by its dilation and is not flipped`() throws {
    let conv = Conv(strides: [1], dilations: [2], padsBegin: [4], padsEnd: [0])
    let y = try evaluate(.conv(conv), [tensor([1, 1, 5], 1, 2, 3, 4, 5), tensor([1, 1, 3], 100, 10, 1)])
    #expect(y == tensor([1, 1, 5], 1, 2, 3 + 10, 4 + 20, 5 + 30 + 100))
  }

  @Test func `batch norm uses its stored statistics per channel`() throws {
    let y = try evaluate(
      .batchNorm(BatchNorm(epsilon: 1)),
      [tensor([1, 2, 1], 5, 7), tensor([2], 2, 1), tensor([2], 1, 0), tensor([2], 1, 7), tensor([2], 3, 8)])
    #expect(y == tensor([1, 2, 1], 5, 0))
  }

  @Test func `weight norm gives each output the length of its g`() throws {
    let y = try evaluate(.weightNorm(WeightNorm()), [tensor([2, 2], 3, 4, 0, 2), tensor([2, 1], 10, 1)])
    #expect(y == tensor([2, 2], 6, 8, 0, 1))
  }

  @Test func `linear multiplies rows by the weight's rows`() throws {
    let x = tensor([2, 1, 2], 1, 2, 3, 4)
    let weight = tensor([3, 2], 1, 0, 0, 1, 1, 1)
    #expect(try evaluate(.linear(Linear()), [x, weight]) == tensor([2, 1, 3], 1, 2, 3, 3, 4, 7))
    let y = try evaluate(.linear(Linear()), [x, weight, tensor([3], 10, 20, 30)])
    #expect(y == tensor([2, 1, 3], 11, 22, 33, 13, 24, 37))
  }

  @Test func `max pool takes padding as minus infinity`() throws {
    let pool = MaxPool(kernel: [2, 2], strides: [2, 2], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [0, 0])
    let x = tensor([1, 1, 3, 3], -9, -8, -7, -6, -5, -4, -3, -2, -1)
    #expect(try evaluate(.maxPool(pool), [x]) == tensor([1, 1, 2, 2], -9, -7, -3, -1))
  }

  @Test func `max pool gives NaN where its window holds one, whatever follows`() throws {
    let pool = MaxPool(kernel: [3], strides: [1], dilations: [1], padsBegin: [0], padsEnd: [0])
    let y = try #require(try evaluate(.maxPool(pool), [tensor([1, 1, 4], .nan, 1, 2, 3)]))
    #expect(y.values[0].isNaN && y.values[1] == 3)
  }

  @Test func `layer norm divides by the root of variance plus epsilon`() throws {
    let y = try evaluate(
      .layerNorm(LayerNorm(epsilon: 3)), [tensor([1, 2], 4, 6), tensor([2], 1, 2), tensor([2], 0, 10)])
    #expect(y == tensor([1, 2], -0.5, 11))
  }

  @Test func `TEMMA's layer norm divides by the unbiased deviation plus epsilon`() throws {
    let y = try evaluate(
      .layerNorm(LayerNorm(epsilon: 2, form: .unbiasedDeviation)),
      [tensor([3], 1, 3, 5), tensor([3], 1, 1, 1), tensor([3], 0, 0, 1)])
    #expect(y == tensor([3], -0.5, 0, 1.5))
  }

  @Test func `attention of equal scores is the values' mean, head by head`() throws {
    let zero = ReferenceTensor(shape: [1, 2, 2], repeating: 0)
    let y = try evaluate(.attention(Attention(heads: 2, scale: 1)), [zero, zero, tensor([1, 2, 2], 1, 10, 3, 30)])
    #expect(y == tensor([1, 2, 2], 2, 20, 2, 20))
  }

  @Test func `attention weighs values by the softmax of scaled products`() throws {
    // Scores ln 3 and 0 once scaled by 1/2: weights 3/4 and 1/4.
    let q = tensor([1, 1, 1], 2)
    let k = tensor([1, 2, 1], 1.0986122886681098, 0)
    let y = try evaluate(.attention(Attention(heads: 1, scale: 0.5)), [q, k, tensor([1, 2, 1], 4, 8)])
    #expect(isClose(y, tensor([1, 1, 1], 5)))
  }

  @Test func `attention under a band sees only what the band allows`() throws {
    let zero = ReferenceTensor(shape: [1, 3, 1], repeating: 0)
    let band = Attention.Band(before: 1, after: 0)
    let y = try evaluate(
      .attention(Attention(heads: 1, scale: 1, band: band)), [zero, zero, tensor([1, 3, 1], 2, 4, 8)])
    #expect(y == tensor([1, 3, 1], 2, 3, 6))
  }

  @Test func `attention pooling weighs elements by the softmax of their scores`() throws {
    // The second column alone scores: 0 and ln 3, weights 1/4 and 3/4; the bias changes nothing.
    let x = tensor([1, 2, 2], 4, 0, 8, 1.0986122886681098)
    let y = try evaluate(.attentionPool(AttentionPool()), [x, tensor([1, 2], 0, 1), tensor([1], 5)])
    #expect(isClose(y, tensor([1, 2], 7, 0.75 * 1.0986122886681098)))
  }

  // Φ(1) = 0.8413447460685429, tanh 0.5 = 0.46211715726000975, e = 2.718281828459045, from tables; the tanh form of GELU
  // at 1 is 0.8411919906082768.
  @Test(arguments: [
    (Unary.Function.relu, -1.5, 0.0), (.relu, 1.5, 1.5), (.sigmoid, 0, 0.5), (.sigmoid, 1.0986122886681098, 0.75),
    (.gelu, 1, 0.8413447460685429), (.gelu, -1, -0.15865525393145707), (.geluTanh, 1, 0.8411919906082768),
    (.tanh, 0.5, 0.46211715726000975), (.exp, 1, 2.718281828459045),
  ])
  func `a unary function has its value`(function: Unary.Function, x: Double, y: Double) throws {
    #expect(isClose(try evaluate(.unary(Unary(function)), [tensor([1], x)]), tensor([1], y)))
  }

  @Test(arguments: [
    (Binary.Function.add, [11.0, 22, 13, 24]), (.subtract, [-9, -18, -7, -16]), (.multiply, [10, 40, 30, 80]),
    (.divide, [0.1, 0.1, 0.3, 0.2]),
  ])
  func `a binary function broadcasts a row over a matrix`(function: Binary.Function, y: [Double]) throws {
    let found = try evaluate(.binary(Binary(function)), [tensor([2, 2], 1, 2, 3, 4), tensor([2], 10, 20)])
    #expect(isClose(found, ReferenceTensor(shape: [2, 2], values: y)))
  }

  @Test func `a binary function broadcasts both operands against each other`() throws {
    let y = try evaluate(.binary(Binary(.add)), [tensor([2, 1], 10, 20), tensor([1, 2], 1, 2)])
    #expect(y == tensor([2, 2], 11, 12, 21, 22))
  }

  @Test func `concat joins along its axis in order`() throws {
    let y = try evaluate(.concat(Concat(axis: 1)), [tensor([2, 1], 1, 2), tensor([2, 2], 3, 4, 5, 6)])
    #expect(y == tensor([2, 3], 1, 3, 4, 2, 5, 6))
  }

  @Test func `reshape keeps the row-major order`() throws {
    let y = try evaluate(.reshape(Reshape([Dimension(3), Dimension(2)])), [tensor([2, 3], 1, 2, 3, 4, 5, 6)])
    #expect(y == tensor([3, 2], 1, 2, 3, 4, 5, 6))
  }

  @Test func `transpose takes output axis i from input axis permutation i`() throws {
    let x = tensor([1, 2, 3], 1, 2, 3, 4, 5, 6)
    #expect(try evaluate(.transpose(Transpose([2, 0, 1])), [x]) == tensor([3, 1, 2], 1, 4, 2, 5, 3, 6))
  }

  @Test func `a gate multiplies by its column and gives exact zeros where that is 0`() throws {
    let x = tensor([3, 2], 1, 2, .infinity, .nan, 3, 4)
    let present = tensor([3, 2], 9, 1, 9, 0, 9, 0.5)
    #expect(try evaluate(.gate(Gate(index: 1)), [x, present]) == tensor([3, 2], 1, 2, 0, 0, 1.5, 2))
  }

  @Test func `a rectifier with slopes scales what is not above zero, per channel`() throws {
    let y = try evaluate(.prelu(PReLU()), [tensor([1, 2, 2], 3, -3, -4, 0), tensor([2], 0.5, -2)])
    #expect(y == tensor([1, 2, 2], 3, -1.5, 8, 0))
  }

  @Test func `softmax shares out each line of its axis`() throws {
    let y = try evaluate(.softmax(Softmax(axis: 1)), [tensor([1, 2, 2], 700, 0, 700, 0)])
    #expect(y == tensor([1, 2, 2], 0.5, 0.5, 0.5, 0.5))
  }
}

import ERIFormat
import ERIReference
import Testing

@Suite struct QuantizedValueTests {
  private static let codes = Quantization(stored: .u8, scales: [0.5], zeroPoints: [4], minimum: 0, maximum: 15)

  /// y = x + w, with w stored as integers and x rounded.
  private func program(rounding: Quantization?, output: Quantization? = nil) throws -> Program {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, [Dimension(2), Dimension(3)]))
    let weight = builder.tensor(
      Tensor(
        "w", .i8, [2, 3],
        quantization: Quantization(
          stored: .i8, scales: [0.5, 2], zeroPoints: [0, 1], axis: 0, minimum: -127, maximum: 127),
        values: .bytes([2, 255, 0, 1, 3, 0])))
    let y = try builder.apply(.binary(Binary(.add)), [x, weight], name: "y")
    if let rounding { builder.quantize(x, rounding) }
    if let output { builder.quantize(y, output) }
    builder.output(y)
    var model = Model()
    (model.graph, model.tensors) = (builder.graph, builder.tensors)
    return try Program(validating: model)
  }

  private func run(_ program: Program, _ x: [Double]) throws -> [Double]? {
    try ReferenceExecutor(program).run(inputs: ["x": ReferenceTensor(shape: [2, 3], values: x)])["y"]?.values
  }

  @Test func `a quantized tensor is read as scale times stored minus zero point along its axis`() throws {
    let y = try run(program(rounding: nil), [0, 0, 0, 0, 0, 0])
    #expect(y == [1, -0.5, 0, 0, 4, -2])
  }

  @Test func `a quantized value holds the nearest number of its grid, ties to even, within its range`() throws {
    // -2 and 5.5 are the ends of the range.
    let y = try run(program(rounding: Self.codes), [0.25, 0.75, -9, 99, 0.3, .nan])
    #expect(y == [1, 0.5, -2, 5.5, 4.5, -4])
  }

  @Test func `a quantized output of the graph is rounded too`() throws {
    let y = try run(program(rounding: nil, output: Self.codes), [0.2, 0.1, 0.3, 0, 0, 0])
    #expect(y == [1, -0.5, 0.5, 0, 4, -2])
  }
}

import ERIFormat
import Testing

@Suite struct QuantizedValueRuleTests {
  private static let codes = Quantization(stored: .u8, scales: [0.5], zeroPoints: [4], minimum: 0, maximum: 255)

  private func program(quantizing name: String) throws -> Program {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, [Dimension(2)]))
    let w = builder.tensor(Tensor("w", [2], floats: [1, 2]))
    let y = try builder.apply(.binary(Binary(.add)), [x, w], name: "y")
    for value in [x, w, y] where builder.graph.values[value].name == name { builder.quantize(value, Self.codes) }
    builder.output(y)
    var model = Model()
    (model.graph, model.tensors) = (builder.graph, builder.tensors)
    return try Program(validating: model)
  }

  @Test(arguments: ["x", "y"]) func `inputs and outputs of nodes may be quantized`(name: String) throws {
    _ = try program(quantizing: name)
  }

  @Test func `a tensor's value is quantized by its tensor alone`() throws {
    let error = #expect(throws: FormatError.self) { try self.program(quantizing: "w") }
    #expect(
      error?.description
        == "value \"w\": expected the quantization of a tensor's value on the tensor, found another on the value")
  }

  @Test func `a quantized tensor is a float32 operand`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, [Dimension(2)]))
    let w = builder.tensor(
      Tensor(
        "w", .i8, [2], quantization: Quantization(stored: .i8, scales: [1], minimum: -127, maximum: 127),
        values: .bytes([1, 2])))
    builder.output(try builder.apply(.binary(Binary(.add)), [x, w], name: "y"))
    var model = Model()
    (model.graph, model.tensors) = (builder.graph, builder.tensors)
    #expect(try Program(validating: model).types[w].dtype == .f32)
  }

  @Test func `numbers are rounded to nearest, ties to even, and clamped`() {
    let numbers = [0.25, 0.75, -2.3, 1000, .nan].map { Self.codes.stored($0, place: 0) }
    #expect(numbers == [4, 6, 0, 255, 0])
    #expect(Self.codes.held(-9, place: 0) == -2)
  }
}

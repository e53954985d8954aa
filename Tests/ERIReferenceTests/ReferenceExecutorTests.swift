import ERIFormat
import ERIReference
import Testing

@Suite struct ReferenceExecutorTests {
  /// relu(a [N, 2]), gated by present [N, 1], plus b [N, 2] times a weight.
  private func program() throws -> Program {
    let batch = Dimension(symbol: 0)
    var builder = GraphBuilder(symbols: ["N"])
    let a = builder.input("a", ValueType(.f32, [batch, Dimension(2)]), omission: .gated)
    let b = builder.input("b", ValueType(.f32, [batch, Dimension(2)]))
    let present = builder.input("present", ValueType(.f32, [batch, Dimension(1)]), omission: .filled(1))
    let weight = builder.tensor(Tensor("weight", [2], floats: [10, 100]))
    let positive = try builder.apply(.unary(Unary(.relu)), [a], name: "positive")
    let gated = try builder.apply(.gate(Gate(index: 0)), [positive, present], name: "gated")
    let scaled = try builder.apply(.binary(Binary(.multiply)), [b, weight], name: "scaled")
    builder.output(try builder.apply(.binary(Binary(.add)), [gated, scaled], name: "y"))
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    return try Program(validating: model)
  }

  private let a = ReferenceTensor(shape: [2, 2], values: [-1, 2, 3, -4])
  private let b = ReferenceTensor(shape: [2, 2], values: [1, 2, 3, 4])

  @Test func `every value comes back by name`() throws {
    let values = try ReferenceExecutor(program()).run(inputs: ["a": a, "b": b])
    #expect(values.keys.sorted() == ["a", "b", "gated", "positive", "present", "scaled", "weight", "y"])
    #expect(values["y"] == ReferenceTensor(shape: [2, 2], values: [10, 202, 33, 400]))
    #expect(values["present"] == ReferenceTensor(shape: [2, 1], values: [1, 1]))
  }

  @Test func `a gated input left out gives zeros after its gate and nothing before`() throws {
    let values = try ReferenceExecutor(program()).run(inputs: ["b": b])
    #expect(values["y"] == values["scaled"])
    #expect(values["gated"] == ReferenceTensor(shape: [2, 2], repeating: 0))
    #expect(values["positive"] == nil && values["a"] == nil)
  }

  @Test func `a required input left out is refused`() throws {
    let executor = ReferenceExecutor(try program())
    let error = #expect(throws: FormatError.self) { try executor.run(inputs: ["a": self.a]) }
    #expect(error?.description == "input \"b\": expected a tensor, found none; give it")
  }

  @Test func `an unknown input is refused`() throws {
    let executor = ReferenceExecutor(try program())
    let error = #expect(throws: FormatError.self) { try executor.run(inputs: ["b": self.b, "c": self.b]) }
    #expect(error?.description == "input \"c\": expected an input of the graph, found no such name")
  }

  @Test func `an input of another shape is refused`() throws {
    let executor = ReferenceExecutor(try program())
    let wide = ReferenceTensor(shape: [2, 3], repeating: 0)
    let error = #expect(throws: FormatError.self) { try executor.run(inputs: ["b": wide]) }
    #expect(error?.description == "input \"b\": expected [2, 2], found [2, 3]")
    let flat = ReferenceTensor(shape: [4], repeating: 0)
    let other = #expect(throws: FormatError.self) { try executor.run(inputs: ["b": flat]) }
    #expect(other?.description == "input \"b\": expected [4, 2], found [4]")
  }

  @Test func `two inputs of different batches are refused`() throws {
    let executor = ReferenceExecutor(try program())
    let three = ReferenceTensor(shape: [3, 2], repeating: 0)
    let error = #expect(throws: FormatError.self) { try executor.run(inputs: ["a": self.a, "b": three]) }
    #expect(error?.description == "input \"a\": expected [3, 2], found [2, 2]")
  }
}

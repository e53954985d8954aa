import ERITestSupport
import Testing

@testable import ERIFormat

/// Builds a graph over [N, 4, 6] and [N, 4, 6] that ends in one value over time.
private func model(
  _ body: (inout GraphBuilder, _ x: Int, _ y: Int) throws -> Int
) throws -> Model {
  var builder = GraphBuilder(symbols: ["N"])
  let type = ValueType(.f32, [Dimension(symbol: 0), Dimension(4), Dimension(6)])
  let x = builder.input("x", type)
  let y = builder.input("y", type)
  let end = try body(&builder, x, y)
  builder.output(end)
  var model = Model()
  model.graph = builder.graph
  model.tensors = builder.tensors
  return model
}

private let items = Dimension(coefficient: 4, symbols: [0])
private let clips = Dimension(symbol: 0)

extension GraphBuilder {
  fileprivate mutating func flat(_ x: Int, _ name: String) throws -> Int {
    try apply(.reshape(Reshape([items, Dimension(6)])), [x], name: name)
  }

  fileprivate mutating func together(_ x: Int, _ name: String) throws -> Int {
    try apply(.reshape(Reshape([clips, Dimension(4), Dimension(6)])), [x], name: name)
  }

  fileprivate mutating func relu(_ x: Int, _ name: String) throws -> Int {
    try apply(.unary(Unary(.relu)), [x], name: name)
  }

  /// A value that needs all steps.
  fileprivate mutating func overTime(_ x: Int, _ name: String) throws -> Int {
    try apply(.transpose(Transpose([0, 2, 1])), [x], name: name)
  }
}

@Suite struct StepSplitTests {
  @Test func `what belongs to a step ends where the steps come together`() throws {
    let split = try StepSplit(
      model { builder, x, y in
        let a = try builder.relu(builder.flat(x, "flat"), "a")
        let sum = try builder.apply(.binary(Binary(.add)), [builder.together(a, "a.steps"), y], name: "sum")
        return try builder.overTime(sum, "end")
      })
    #expect(split.steps == 4)
    #expect(split.inputs.map { $0.name } == ["x", "y"])
    #expect(split.branches.map { $0.input } == ["x"])
    #expect(split.branches.map { $0.starts } == [["flat"]])
    #expect(split.branches.map { $0.ends } == [["a"]])
    let part = try Program(validating: split.branches[0].part)
    #expect(part.graph.nodes.map { $0.op.label } == ["unary"])
    #expect(part.inputs.map { part.types[$0].text(part.graph.symbols) } == ["[N, 6]"])
    let window = try Program(validating: split.window)
    #expect(window.inputs.map { window.graph.values[$0].name } == ["a", "y"])
    #expect(window.graph.nodes.map { $0.op.label } == ["reshape", "binary", "transpose"])
  }

  @Test func `what mixes two inputs belongs to the window`() throws {
    let split = try StepSplit(
      model { builder, x, y in
        let a = try builder.relu(builder.flat(x, "x.flat"), "a")
        let b = try builder.relu(builder.flat(y, "y.flat"), "b")
        let sum = try builder.apply(.binary(Binary(.add)), [a, b], name: "sum")
        return try builder.overTime(builder.together(sum, "sum.steps"), "end")
      })
    #expect(split.branches.map { $0.ends } == [["a"], ["b"]])
    let window = try Program(validating: split.window)
    #expect(window.graph.nodes.map { $0.op.label } == ["binary", "reshape", "transpose"])
  }

  @Test func `an input that also works over time stays whole`() throws {
    let split = try StepSplit(
      model { builder, x, y in
        let a = try builder.together(builder.relu(builder.flat(x, "flat"), "a"), "a.steps")
        let sum = try builder.apply(.binary(Binary(.add)), [a, x], name: "sum")
        let both = try builder.apply(.binary(Binary(.add)), [sum, y], name: "both")
        return try builder.overTime(both, "end")
      })
    #expect(split.branches.isEmpty)
    #expect(try Program(validating: split.window).inputs.count == 2)
  }

  @Test func `a constant that differs from item to item keeps a value in the window`() throws {
    let split = try StepSplit(
      model { builder, x, y in
        var shape = [1, 6]
        let same = builder.tensor(Tensor("same", shape, floats: [Float](repeating: 1, count: 6)))
        shape = [6]
        let short = builder.tensor(Tensor("short", shape, floats: [Float](repeating: 1, count: 6)))
        let a = try builder.apply(.binary(Binary(.add)), [builder.flat(x, "flat"), same], name: "a")
        let b = try builder.apply(.binary(Binary(.multiply)), [a, short], name: "b")
        let sum = try builder.apply(.binary(Binary(.add)), [builder.together(b, "b.steps"), y], name: "sum")
        return try builder.overTime(sum, "end")
      })
    #expect(split.branches.map { $0.ends } == [["b"]])
  }

  @Test func `an output of each step is refused`() throws {
    let perStep = try model { builder, x, _ in try builder.relu(builder.flat(x, "flat"), "a") }
    #expect(
      throws: FormatError(
        .unsupported, at: "output \"a\"",
        "expected one that works over time, found one of each step; only a model of whole clips can be streamed")
    ) { try StepSplit(perStep) }
  }

  @Test func `inputs of different numbers of steps are refused`() throws {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [clips, Dimension(4), Dimension(6)]))
    _ = builder.input("y", ValueType(.f32, [clips, Dimension(5), Dimension(6)]))
    builder.output(try builder.overTime(x, "end"))
    var model = Model()
    model.graph = builder.graph
    #expect(
      throws: FormatError(
        .unsupported, at: "input \"y\"",
        "expected [N, 4] as in the inputs before it, found [N, 5, 6]; only inputs of as many steps can be streamed")
    ) { try StepSplit(model) }
  }
}

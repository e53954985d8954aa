import ERIFormat
import ERIRuntime
import Testing

/// Graphs of ONNX's operators, whose shapes binding decides.
@Suite struct GraphBindingTests {
  private static func onnx(_ name: String, opset: Int = 17, _ attributes: [ONNXAttribute] = []) -> Operator {
    .onnx(ONNXOperator(name, opset: opset, attributes: attributes))
  }

  private static func bytes(_ values: [Int64]) -> [UInt8] { values.withUnsafeBytes { [UInt8]($0) } }

  private static func integers(_ name: String, _ values: [Int64]) -> Tensor {
    Tensor(name, .i64, [values.count], role: .constant, values: .bytes(bytes(values)))
  }

  private func session(_ builder: GraphBuilder, _ outputs: [Int]) throws -> Session {
    var model = Model()
    var graph = builder.graph
    graph.outputs = outputs
    model.graph = graph
    model.tensors = builder.tensors
    return try Session(try Program(validating: model))
  }

  /// y = reshape(x, shape), the shape an input.
  private func reshaping() throws -> Session {
    var builder = GraphBuilder(symbols: ["K"])
    let x = builder.input("x", ValueType(.f32, constant: [6]))
    let shape = builder.input("shape", ValueType(.i64, [Dimension(symbol: 0)]))
    let y = try builder.apply(Self.onnx("Reshape"), [x, shape], name: "y")
    return try session(builder, [y])
  }

  @Test func `an input that decides a shape says so`() throws {
    #expect(try reshaping().inputDescriptions.map { $0.decidesShapes } == [false, true])
  }

  @Test(arguments: [[2, 3], [3, -1], [6]] as [[Int64]])
  func `the shape follows from the values given to bind`(shape: [Int64]) throws {
    let session = try reshaping()
    try session.bind([.init("x", [6]), .init("shape", [shape.count], values: Self.bytes(shape))])
    #expect(session.outputs.map { $0.shape } == [shape.map { $0 < 0 ? 2 : Int($0) }])
  }

  @Test func `a deciding input without values is refused`() throws {
    let session = try reshaping()
    let error = #expect(throws: RuntimeError.self) { try session.bind([.init("x", [6]), .init("shape", [2])]) }
    #expect(
      error?.description
        == "input \"shape\": expected its 16 bytes of values when the graph is bound, since shapes depend on them, found 0"
    )
  }

  @Test func `shape arithmetic is computed when the graph is bound`() throws {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(2), Dimension(3)]))
    let shape = try builder.apply(Self.onnx("Shape"), [x], name: "shape")
    let first = try builder.apply(
      Self.onnx("Gather"), [shape, builder.tensor(Self.integers("zero", [0]))], name: "first")
    let target = try builder.apply(
      Self.onnx("Concat", [ONNXAttribute("axis", .integer(0))]), [first, builder.tensor(Self.integers("rest", [-1]))],
      name: "target")
    let y = try builder.apply(Self.onnx("Reshape"), [x, target], name: "y")
    let session = try session(builder, [y])
    for batch in [1, 4] {
      try session.bind([.init("x", [batch, 2, 3])])
      #expect(session.outputs.map { $0.shape } == [[batch, 6]])
      #expect(session.kernelNames == [])
    }
  }

  @Test func `integers go in and come out as they are`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.i64, constant: [3]))
    let y = try builder.apply(Self.onnx("Add"), [x, x], name: "y")
    let session = try session(builder, [y])
    try session.bind([.init("x", [3])])
    session.withInputBytes("x") { $0.copyBytes(from: Self.bytes([1, -2, 1 << 60])) }
    #expect(session.run() == .done)
    #expect(session.outputs.map { $0.dtype } == [.i64])
    #expect(session.withOutputBytes(0) { [UInt8]($0) } == Self.bytes([2, -4, 1 << 61]))
    #expect(session.withOutput(0) { $0.count } == nil)
  }

  @Test func `an index out of range ends the run with its operator and what it found`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, constant: [4]))
    let indices = builder.input("indices", ValueType(.i64, constant: [1]))
    let y = try builder.apply(Self.onnx("Gather"), [x, indices], name: "y")
    let session = try session(builder, [y])
    try session.bind([.init("x", [4]), .init("indices", [1])])
    session.withInputBytes("indices") { $0.copyBytes(from: Self.bytes([7])) }
    #expect(
      session.run()
        == .failed(
          RuntimeError(.invalid, at: "node 0 (onnx.Gather y)", "expected an index from -4 to 3, found 7")))
    session.withInputBytes("indices") { $0.copyBytes(from: Self.bytes([-1])) }
    #expect(session.run() == .done)
  }

  @Test func `an output sized by data has as many elements as the run found`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, constant: [5]))
    let y = try builder.apply(Self.onnx("NonZero"), [x], name: "y")
    let session = try session(builder, [y])
    try session.bind([.init("x", [5])])
    for (values, places) in [([0, 1, 0, 2, 3], [1, 3, 4]), ([0, 0, 0, 0, 9], [4]), ([0, 0, 0, 0, 0], [])]
      as [([Float], [Int64])]
    {
      session.withInput("x") { _ = $0.update(fromContentsOf: values) }
      #expect(session.run() == .done)
      #expect(session.outputs[0].shape == [1, places.count])
      #expect(session.withOutputBytes(0) { [UInt8]($0) } == Self.bytes(places))
    }
  }

  @Test func `a value sized by data cannot be an operand`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, constant: [5]))
    let places = try builder.apply(Self.onnx("NonZero"), [x], name: "places")
    let y = try builder.apply(Self.onnx("Neg"), [places], name: "y")
    let session = try session(builder, [y])
    let error = #expect(throws: RuntimeError.self) { try session.bind([.init("x", [5])]) }
    #expect(error?.kind == .unsupported)
    #expect(
      error?.description
        == "node 1 (onnx.Neg y): expected operands whose shapes are known before the graph runs, found \"places\", whose size depends on data; such a value can only be an output"
    )
  }

  @Test func `an output of another type than the file declares is refused`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, constant: [5]))
    let y = try builder.apply(Self.onnx("Neg"), [x], name: "y")
    var model = Model()
    var graph = builder.graph
    graph.outputs = [y]
    graph.values[y].declared = ValueType(declared: .i64, nil)
    model.graph = graph
    let session = try Session(try Program(validating: model))
    let error = #expect(throws: RuntimeError.self) { try session.bind([.init("x", [5])]) }
    #expect(
      error?.description
        == "node 0 (onnx.Neg y): expected int64 for \"y\" as the file declares it, found float32")
  }

  @Test func `extents of 0 are computed`() throws {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(3)]))
    let y = try builder.apply(Self.onnx("Neg"), [x], name: "y")
    let session = try session(builder, [y])
    try session.bind([.init("x", [0, 3])])
    #expect(session.run() == .done)
    #expect(session.outputs.map { $0.shape } == [[0, 3]])
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct ONNXImportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ bytes: [UInt8]) throws -> Conversion {
    try Conversion(reading: try folder.write("m.onnx", bytes))
  }

  private func graph(_ bytes: [UInt8]) throws -> Graph { try #require(try read(bytes).model.graph) }

  /// The operators of a graph's nodes.
  private func operators(_ graph: Graph) -> [ONNXOperator] {
    graph.nodes.compactMap { if case .onnx(let op) = $0.op { op } else { nil } }
  }

  /// Names of a node's inputs, "" for one left out.
  private func inputs(_ graph: Graph, _ node: Int) -> [String] {
    graph.nodes[node].inputs.map { $0.map { graph.values[$0].name } ?? "" }
  }

  private static let flatten = ONNXBytes.node("Flatten", ["x"], ["y"], [ONNXBytes.integer("axis", 1)])

  // MARK: What becomes what

  @Test func `A node keeps its operator, its set and its attributes`() throws {
    let graph = try graph(ONNXBytes.model([Self.flatten, ONNXBytes.input("x"), ONNXBytes.output("y")]))
    #expect(
      operators(graph) == [ONNXOperator("Flatten", opset: 13, attributes: [ONNXAttribute("axis", .integer(1))])])
    #expect(graph.outputs.map { graph.values[$0].name } == ["y"])
  }

  @Test func `A named extent is a symbol, an extent without a name gets one of its own`() throws {
    let graph = try graph(
      ONNXBytes.model([
        Self.flatten, ONNXBytes.input("x", 1, ["N", "", "4"]), ONNXBytes.input("z", 7, ["N", "x.1", "0"]),
        ONNXBytes.output("y", 1, ["N", ""]),
      ]))
    #expect(graph.symbols == ["N", "x.1'", "x.1", "y.1"])
    let types = graph.values.compactMap { if case .input(let input) = $0.source { input.type } else { nil } }
    #expect(
      types == [
        ValueType(.f32, [Dimension(symbol: 0), Dimension(symbol: 1), Dimension(4)]),
        ValueType(.i64, [Dimension(symbol: 0), Dimension(symbol: 2), Dimension(0)]),
      ])
  }

  @Test func `A declared type of an output is kept`() throws {
    let graph = try graph(
      ONNXBytes.model([
        Self.flatten, ONNXBytes.node("Identity", ["y"], ["z"]), ONNXBytes.input("x"), ONNXBytes.output("z"),
        Wire.bytes(13, Wire.text(1, "y") + Wire.bytes(2, ONNXBytes.type(1, ["other"]))),
      ]))
    let declared = graph.values.map { $0.declared }
    // "other" is no symbol of an input, so that only the element type can be said of y.
    #expect(
      declared == [
        nil, ValueType(declared: .f32, nil), ValueType(declared: .f32, [Dimension(symbol: 0), Dimension(3)]),
      ])
  }

  @Test func `Initialisers are weights, constants are not`() throws {
    let constant = ONNXBytes.node(
      "Constant", [], ["shape"], [ONNXBytes.tensor("value", ONNXBytes.values(7, [1], [3, 0, 0, 0, 0, 0, 0, 0]))])
    let bytes = ONNXBytes.model([
      constant, ONNXBytes.node("Reshape", ["w", "shape"], ["y"]), ONNXBytes.output("y", 1, ["3"]),
      ONNXBytes.initialiser("w", 1, [3, 1], [UInt8](repeating: 0, count: 12)), ONNXBytes.input("x"),
    ])
    let conversion = try read(bytes)
    #expect(conversion.model.tensors.map { $0.name } == ["w", "shape"])
    #expect(conversion.model.tensors.map { $0.role } == [.weight, .constant])
    #expect(conversion.model.graph?.nodes.count == 1)
    let checkpoint = try Checkpoint(reading: folder.path("m.onnx"))
    let digest = try checkpoint.weightsDigest(checkpoint.tensorDigests())
    #expect(try conversion.model.digests().weights.text == digest.text)
  }

  private static let one: [UInt8] = [0, 0, 0x80, 0x3F]
  private static let constants: [(attribute: [UInt8], dtype: DType, shape: [Int], bytes: [UInt8])] = [
    (Wire.text(1, "value_int") + Wire.number(3, 5), .i64, [], [5, 0, 0, 0, 0, 0, 0, 0]),
    (Wire.text(1, "value_ints") + Wire.bytes(8, [1]), .i64, [1], [1, 0, 0, 0, 0, 0, 0, 0]),
    (Wire.text(1, "value_float") + [0x15] + one, .f32, [], one),
    (Wire.text(1, "value_floats") + Wire.bytes(7, one), .f32, [1], one),
  ]

  @Test(arguments: constants.indices) func `A constant may be a number or a list`(_ index: Int) throws {
    let (attribute, dtype, shape, bytes) = Self.constants[index]
    let model = try read(
      ONNXBytes.model([ONNXBytes.node("Constant", [], ["y"], [attribute]), ONNXBytes.output("y", 1, nil)])
    ).model
    #expect(model.tensors.map { $0.dtype } == [dtype])
    #expect(model.tensors[0].shape == shape)
    #expect(try model.tensors[0].bytes() == bytes)
  }

  @Test func `Inputs left out stay so, outputs left out before others get names`() throws {
    let graph = try graph(
      ONNXBytes.model([
        ONNXBytes.node("Identity", ["x", "", ""], ["y", "", ""]), ONNXBytes.node("Identity", ["", "x"], ["", "z"]),
        ONNXBytes.input("x"), ONNXBytes.output("y"),
      ]))
    #expect(inputs(graph, 0) == ["x"])
    #expect(graph.nodes[0].outputs.count == 1)
    #expect(inputs(graph, 1) == ["", "x"])
    #expect(graph.nodes[1].outputs.map { graph.values[$0].name } == ["Identity.1.0", "z"])
  }

  @Test func `An input with a value of its own becomes a weight, and a note says so`() throws {
    let conversion = try read(
      ONNXBytes.model([
        Self.flatten, ONNXBytes.input("x", 1, ["2", "1"]), ONNXBytes.output("y"),
        ONNXBytes.initialiser("x", 1, [2, 1], [UInt8](repeating: 0, count: 8)),
      ]))
    #expect(conversion.notes == ["1 input to which the model gives a value became weights"])
    #expect(conversion.model.graph?.values.map { $0.source } == [.tensor(0), .node])
  }

  @Test func `The lineage tells the versions and the producer`() throws {
    let more = Wire.text(2, "maker") + Wire.text(3, "1.2") + Wire.bytes(14, Wire.text(1, "k") + Wire.text(2, "v"))
    let model = try read(
      ONNXBytes.model([Self.flatten, ONNXBytes.input("x"), ONNXBytes.output("y"), Wire.text(2, "g")], more: more)
    ).model
    #expect(
      model.lineage.map { $0.detail } == ["onnx, IR 8, operator set 13, made by maker 1.2, graph g, metadata k: v"])
    #expect(model.lineage[0].sourceSHA256.utf8.count == 64)
  }

  @Test func `Weights alone are converted if that is asked for`() throws {
    let path = try folder.write(
      "m", ONNXBytes.model([ONNXBytes.node("Nonsense", [], ["y"]), ONNXBytes.initialiser("w", 2, [1], [7])]))
    let conversion = try Conversion(reading: path, weightsOnly: true)
    #expect(conversion.model.graph == nil)
    #expect(conversion.model.tensors.map { $0.name } == ["w"])
    #expect(conversion.notes == ["the graph was left out"])
  }

  private static let nibbles: [(type: UInt64, raw: [UInt8], expected: [UInt8])] = [
    (21, [0x21, 0x0F], [1, 2, 15]), (22, [0x21, 0x0F], [1, 2, 0xFF]), (22, [0x78, 0x08], [0xF8, 7, 0xF8]),
  ]

  @Test(arguments: nibbles.indices) func `4-bit values are taken out of their bytes`(_ index: Int) throws {
    let (type, raw, expected) = Self.nibbles[index]
    let path = try folder.write("m", ONNXBytes.model([ONNXBytes.initialiser("w", type, [3], raw)]))
    #expect(try Checkpoint(reading: path).entries[0].tensor.bytes() == expected)
    let values = Wire.bytes(5, raw.flatMap { Wire.varint(UInt64($0)) })
    let single = Wire.bytes(5, Wire.number(1, 3) + Wire.number(2, type) + Wire.text(8, "w") + values)
    let other = try folder.write("n", ONNXBytes.model([single]))
    #expect(try Checkpoint(reading: other).entries[0].tensor.bytes() == expected)
  }

  // MARK: Functions

  @Test func `A function's nodes stand in place of its call, under names of their own`() throws {
    let body = [
      ONNXBytes.node("Flatten", ["a"], ["inner"], [ONNXBytes.reference("axis", to: "where")], field: 7),
      ONNXBytes.node("Identity", ["inner"], ["b"], field: 7),
    ]
    let function = ONNXBytes.function(
      "F", ["a"], ["b"], body, defaults: [ONNXBytes.integer("where", 2)])
    let conversion = try read(
      ONNXBytes.model(
        [
          ONNXBytes.node("F", ["x"], ["y"], domain: "own"),
          ONNXBytes.node("F", ["y"], ["z"], [ONNXBytes.integer("where", 0)], domain: "own"),
          ONNXBytes.input("x"), ONNXBytes.output("z"),
        ], opsets: [("", 13), ("own", 1)], functions: [function]))
    let graph = try #require(conversion.model.graph)
    #expect(graph.values.map { $0.name } == ["x", "F.1/inner", "y", "F.2/inner", "z"])
    #expect(operators(graph).map { $0.attribute("axis") } == [.integer(2), nil, .integer(0), nil])
    #expect(conversion.notes == ["2 calls of the model's own functions became the functions' nodes"])
  }

  @Test func `An attribute that neither call nor function gives is left out`() throws {
    let function = ONNXBytes.function(
      "F", ["a"], ["b"],
      [ONNXBytes.node("Flatten", ["a"], ["b"], [ONNXBytes.reference("axis", to: "where")], field: 7)],
      attributes: ["where"])
    let graph = try graph(
      ONNXBytes.model(
        [ONNXBytes.node("F", ["x"], ["y"], domain: "own"), ONNXBytes.input("x"), ONNXBytes.output("y")],
        opsets: [("", 13), ("own", 1)], functions: [function]))
    #expect(operators(graph) == [ONNXOperator("Flatten", opset: 13)])
  }

  @Test func `Functions call functions, and may hand on an input`() throws {
    let outer = ONNXBytes.function("F", ["a"], ["b"], [ONNXBytes.node("G", ["a"], ["b"], domain: "own", field: 7)])
    let inner = ONNXBytes.function("G", ["c"], ["c"], [])
    let graph = try graph(
      ONNXBytes.model(
        [ONNXBytes.node("F", ["x"], ["y"], domain: "own"), ONNXBytes.input("x"), ONNXBytes.output("y")],
        opsets: [("", 13), ("own", 1)], functions: [outer, inner]))
    #expect(operators(graph) == [ONNXOperator("Identity", opset: 13)])
    #expect(inputs(graph, 0) == ["x"])
  }

  // MARK: Operator set 6

  @Test func `Broadcasting of operator set 6 becomes NumPy's`() throws {
    let conversion = try read(
      ONNXBytes.model(
        [
          ONNXBytes.node("Add", ["x", "w"], ["y"], [ONNXBytes.integer("broadcast", 1), ONNXBytes.integer("axis", 1)]),
          ONNXBytes.input("x", 1, ["2", "3", "4"]), ONNXBytes.output("y", 1, ["2", "3", "4"]),
          ONNXBytes.initialiser("w", 1, [3], [UInt8](repeating: 0, count: 12)),
        ], opsets: [("", 6)]))
    let graph = try #require(conversion.model.graph)
    #expect(
      operators(graph) == [
        ONNXOperator("Unsqueeze", opset: 7, attributes: [ONNXAttribute("axes", .integers([1]))]),
        ONNXOperator("Add", opset: 7),
      ])
    #expect(inputs(graph, 1) == ["x", "w.y"])
    #expect(conversion.notes == ["operator set 6 became 7, for which 1 node changed"])
  }
}

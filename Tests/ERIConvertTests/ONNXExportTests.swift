import ERIConvert
import ERIFormat
import ERINetworks
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct ONNXExportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a model as ONNX; the notes.
  private func write(_ model: Model, _ name: String = "m.onnx") throws -> [String] {
    try OutputContainer(path: name).write(model, to: folder.path(name), level: 1, threads: 1, checksum: false)
  }

  private func read(_ name: String = "m.onnx") throws -> Model { try Conversion(reading: folder.path(name)).model }

  /// The outputs of a model for inputs drawn from a seed, symbols of these sizes.
  private func run(_ model: Model, sizes: [String: Int] = [:]) throws -> [[Float]] {
    let program = try Program(validating: model)
    let session = try Session(program)
    let names = program.graph.symbols
    var shapes: [Session.InputShape] = []
    for index in program.inputs {
      let extents = names.map { sizes[$0] ?? 2 }
      shapes.append(
        Session.InputShape(
          program.graph.values[index].name,
          try program.types[index].shape.map { try #require($0.evaluated(extents.map { $0 })) }))
    }
    try session.bind(shapes)
    for shape in shapes {
      var random = SeededRandom(seed: 3, stream: shape.name)
      _ = session.withInput(shape.name) { values in
        for index in values.indices { values[index] = Float(random.normal()) }
      }
    }
    try session.runToEnd()
    return session.outputs.indices.compactMap { session.withOutput($0) { Array($0) } }
  }

  private func digest(_ name: String) throws -> String {
    let checkpoint = try Checkpoint(reading: folder.path(name))
    return try checkpoint.weightsDigest(checkpoint.tensorDigests()).text
  }

  @Test func `An imported graph goes out and comes back the same`() throws {
    let constant = ONNXBytes.node(
      "Constant", [], ["shape"], [ONNXBytes.tensor("value", ONNXBytes.values(7, [2], [UInt8](repeating: 1, count: 16)))]
    )
    let source = ONNXBytes.model(
      [
        constant, ONNXBytes.node("Reshape", ["x", "shape"], ["y"], [ONNXBytes.integer("allowzero", 1)]),
        ONNXBytes.node("Squeeze", ["y", ""], ["z"]), ONNXBytes.initialiser("unused", 22, [3], [0x21, 3]),
        ONNXBytes.initialiser("half", 10, [1], [0, 0x3C]), ONNXBytes.input("x", 1, ["N", ""]),
        ONNXBytes.output("z", 1, ["N"]),
        Wire.bytes(13, Wire.text(1, "y") + Wire.bytes(2, ONNXBytes.type(1, ["1", "1"]))),
      ], opsets: [("", 14)])
    let first = try Conversion(reading: folder.write("first.onnx", source)).model
    #expect(try write(first) == [])
    let second = try read()
    #expect(second.graph == first.graph)
    #expect(try second.digests().logical.text == first.digests().logical.text)
  }

  @Test func `Attributes of every kind go out and come back the same`() throws {
    let attributes = [
      ONNXAttribute("a", .integer(-3)), ONNXAttribute("b", .number(1.5)), ONNXAttribute("c", .text("é")),
      ONNXAttribute("d", .integers([1, -1])), ONNXAttribute("e", .numbers([0.5, -2])),
      ONNXAttribute("f", .texts(["", "x"])), ONNXAttribute("g", .tensor(Golden.Values("", .i4, [3], [1, 0xFF, 7]))),
      ONNXAttribute("h", .integers([])),
    ]
    var model = Model()
    var graph = Graph()
    graph.values = [Value("x", .input(Input(ValueType(.f32, constant: [2])))), Value("y", .node)]
    graph.nodes = [Node(.onnx(ONNXOperator("Identity", opset: 13, attributes: attributes)), inputs: [0], outputs: [1])]
    graph.outputs = [1]
    model.graph = graph
    _ = try write(model)
    guard case .onnx(let op)? = try read().graph?.nodes.first?.op else {
      Issue.record("expected a node")
      return
    }
    #expect(op.attributes == attributes)
  }

  static let networks: [Network] = [
    .dualBranch(narrowParameters()), .dualBranch(unusualParameters()), .videoBranch(narrowVideoParameters()),
    .audioBranch(narrowAudioParameters()), .resNet18Stem(narrowStemParameters()), .mtcnn(.proposal),
    .mtcnn(.refinement),
    .mtcnn(.output),
  ]

  @Test(arguments: networks.indices)
  func `A network of ours gives the same outputs as ONNX and keeps its digest`(_ index: Int) throws {
    let model = try Self.networks[index].initialised(seed: 5)
    _ = try write(model)
    #expect(try digest("m.onnx") == model.digests().weights.text)
    let back = try read()
    #expect(back.graph?.nodes.allSatisfy { $0.op.identity.name == "onnx" } == true)
    let sizes = ["H": 21, "W": 28]
    for (ours, theirs) in zip(try run(model, sizes: sizes), try run(back, sizes: sizes)) {
      #expect(relativeDifference(theirs, ours.map { Double($0) }) <= Tolerance.products.bound)
    }
  }

  /// Operators that none of the networks has.
  private func others() throws -> Model {
    var builder = GraphBuilder(symbols: ["N", "M"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(symbol: 1), Dimension(6)]))
    let weight = builder.tensor(Tensor("w", [2, 6], floats: (0..<12).map { Float($0) / 8 - 0.7 }))
    var y = try builder.apply(.unary(Unary(.tanh)), [x], name: "tanh")
    y = try builder.apply(.unary(Unary(.exp)), [y], name: "exp")
    y = try builder.apply(.binary(Binary(.subtract)), [y, x], name: "subtract")
    y = try builder.apply(.binary(Binary(.divide)), [x, y], name: "divide")
    let shape = [Dimension(symbol: 1), Dimension(coefficient: 2, symbols: [0]), Dimension(3)]
    y = try builder.apply(.reshape(Reshape(shape)), [y], name: "two symbols")
    let rows = Dimension(coefficient: 1, symbols: [0, 1])
    y = try builder.apply(.reshape(Reshape([rows, Dimension(6)])), [y], name: "one open")
    y = try builder.apply(.linear(Linear()), [y, weight], name: "linear")
    y = try builder.apply(.softmax(Softmax(axis: 1)), [y], name: "softmax")
    builder.output(y)
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    return model
  }

  @Test func `Operators that no network has give the same outputs as ONNX`() throws {
    let model = try others()
    #expect(try write(model) == [])
    let sizes = ["N": 3, "M": 5]
    let ours = try run(model, sizes: sizes)
    let theirs = try run(read(), sizes: sizes)
    #expect(relativeDifference(theirs[0], ours[0].map { Double($0) }) <= Tolerance.products.bound)
  }

  @Test func `Labels, preprocessing and licence go into the properties`() throws {
    var model = try others()
    model.labels = ["a", "b"]
    model.preprocessing.video = VideoPreprocessing()
    model.licence = "MIT"
    _ = try write(model)
    let detail = try read().lineage[0].detail
    #expect(detail.contains("made by eri \(ERIVersion)"))
    #expect(detail.contains("metadata labels: [\"a\", \"b\"]"))
    #expect(detail.contains("metadata preprocessing: {\"video\": {\"steps\": 32"))
    #expect(detail.contains("metadata licence: MIT"))
  }

  @Test func `Inputs that may be left out are required there, and notes say so`() throws {
    let notes = try write(try Network.dualBranch(narrowParameters()).initialised(seed: 0))
    #expect(
      notes == [
        "the input \"faces\" is required there: ONNX cannot leave out what depends on an input",
        "the input \"audio\" is required there: ONNX cannot leave out what depends on an input",
        "the input \"present\" is required there: ONNX has no value for one that is left out (here 1.0) but a weight",
        "goldens, provenance and lineage were left out",
      ])
  }

  @Test func `A value that bears the name of another's tensor gets another`() throws {
    var model = try others()
    model.graph?.values[1].name = "v"
    model.graph?.values[2].name = "w"
    #expect(try write(model) == ["the value \"w\" became \"w.1\", since a tensor has its name"])
    #expect(try read().graph?.values.map { $0.name }.contains("w.1") == true)
  }

  @Test func `What ONNX cannot say is refused`() throws {
    var tensors = Model()
    tensors.tensors = [Tensor("w", [1], floats: [0])]
    var mixed = try others()
    var graph = try #require(mixed.graph)
    graph.values.append(Value("z", .node))
    let identity = ONNXOperator("Identity", opset: 13)
    graph.nodes.append(Node(.onnx(identity), inputs: [0], outputs: [graph.values.count - 1]))
    mixed.graph = graph
    var hidden = Model()
    let sized = ValueType(.f32, [Dimension(coefficient: 2, symbols: [0]), Dimension(symbol: 1), Dimension(6)])
    graph = Graph()
    graph.symbols = ["N", "M"]
    graph.values = [Value("x", .input(Input(sized))), Value("y", .node)]
    let reshape = Reshape([Dimension(symbol: 0), Dimension(symbol: 1), Dimension(12)])
    graph.nodes = [Node(.reshape(reshape), inputs: [0], outputs: [1])]
    graph.outputs = [1]
    hidden.graph = graph
    for (model, message) in [
      (
        tensors,
        "expected a model with a graph for an .onnx file, found tensors alone; give it one with `eri convert --network`"
      ),
      (
        mixed,
        "node 8 (onnx.Identity z): expected one operator set of ONNX's own domain in a graph for an .onnx file, found 20 and 13 (operators of .eri are expressed in 20)"
      ),
      (
        hidden,
        "node 0 (reshape y): expected an input with the extent N alone, found none; ONNX takes sizes from inputs"
      ),
    ] {
      let error = try #require(throws: FormatError.self) { try write(model) }
      #expect(error.kind == .unsupported)
      #expect(error.description == "\(folder.path("m.onnx")): \(message)")
    }
    #expect(try folder.entries() == [])
  }
}

import Testing

@testable import ERIFormat

/// A change to a model and the refusal that it must meet.
struct ModelFault: Sendable, CustomTestStringConvertible {
  let change: @Sendable (inout Model) -> Void
  let error: FormatError

  init(
    _ kind: FormatError.Kind, _ place: String, _ message: String, _ change: @escaping @Sendable (inout Model) -> Void
  ) {
    self.change = change
    error = FormatError(kind, at: place, message)
  }

  var testDescription: String { error.description }

  /// y = x wᵀ, x being [N, 4] and w [2, 4]: values x, w, y.
  static func model() throws -> Model {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(4)]))
    let weight = builder.tensor(Tensor("w", [2, 4], floats: [1, 2, 3, 4, 5, 6, 7, 8]))
    builder.output(try builder.apply(.linear(Linear()), [x, weight], name: "y"))
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    return model
  }

  /// What the changed model meets; nil: nothing.
  func refusal() throws -> FormatError? {
    var model = try ModelFault.model()
    change(&model)
    do throws(FormatError) {
      _ = try Program(validating: model)
      return nil
    } catch {
      return error
    }
  }
}

extension Model {
  /// Replaces the graph's type of its first input.
  fileprivate mutating func setInput(_ type: ValueType, _ omission: Input.Omission = .required) {
    graph?.values[0].source = .input(Input(type, omission: omission))
  }

  /// Adds a node after the others; returns its output's index.
  @discardableResult
  fileprivate mutating func add(_ op: Operator, _ inputs: [Int?], name: String = "z") -> Int {
    let output = graph?.values.count ?? 0
    graph?.values.append(Value(name, .node))
    graph?.nodes.append(Node(op, inputs: inputs, outputs: [output]))
    return output
  }
}

@Suite struct `Validation of a graph` {
  @Test func `a graph that keeps to the rules is accepted`() throws {
    let program = try Program(validating: ModelFault.model())
    #expect(program.types[2] == ValueType(.f32, [Dimension(symbol: 0), Dimension(2)]))
    #expect(program.inputs == [0])
  }

  static let counts = [
    ModelFault(
      .unsupported, "",
      "expected a model with a graph, found tensors alone; give it one with `eri convert --network`"
    ) { $0.graph = nil },
    ModelFault(.limitExceeded, "graph", "expected at most 64 symbols, found 65") {
      $0.graph?.symbols = (0..<65).map { "s\($0)" }
    },
    ModelFault(.limitExceeded, "graph", "expected at most 262144 values, found 262145") {
      $0.graph?.values = [Value](repeating: Value("v", .node), count: Limits.values + 1)
    },
    ModelFault(.limitExceeded, "graph", "expected at most 131072 nodes, found 131073") {
      let node = Node(.linear(Linear()), inputs: [], outputs: [])
      $0.graph?.nodes = [Node](repeating: node, count: Limits.nodes + 1)
    },
    ModelFault(.limitExceeded, "graph", "expected at most 1024 outputs, found 1025") {
      $0.graph?.outputs = [Int](repeating: 2, count: Limits.arity + 1)
    },
    ModelFault(.limitExceeded, "graph", "expected at most 65536 tensors, found 65537") {
      $0.tensors = [Tensor](repeating: $0.tensors[0], count: Limits.tensors + 1)
    },
    ModelFault(.invalid, "graph", "expected at least one output, found none") { $0.graph?.outputs = [] },
    ModelFault(.limitExceeded, "node 0 (linear y)", "expected at most 1024 inputs, found 1025") {
      $0.graph?.nodes[0].inputs = [Int?](repeating: nil, count: Limits.arity + 1)
    },
    ModelFault(.limitExceeded, "node 0 (linear y)", "expected at most 1024 outputs, found 1025") {
      $0.graph?.nodes[0].outputs = [Int](repeating: 2, count: Limits.arity + 1)
    },
  ]

  static let names = [
    ModelFault(.invalid, "value 1", "expected a name of 1 to 512 bytes, found 0") { $0.graph?.values[0].name = "" },
    ModelFault(.limitExceeded, "value 3", "expected a name of 1 to 512 bytes, found 514") {
      $0.graph?.values[2].name = String(repeating: "é", count: 257)
    },
    ModelFault(.invalid, "value 3", "expected a name of its own, found \"x\" a second time") {
      $0.graph?.values[2].name = "x"
    },
    ModelFault(.invalid, "symbol 1", "expected a name of 1 to 512 bytes, found 0") { $0.graph?.symbols.append("") },
    ModelFault(.limitExceeded, "symbol 0", "expected a name of 1 to 512 bytes, found 513") {
      $0.graph?.symbols[0] = String(repeating: "N", count: 513)
    },
    ModelFault(.invalid, "symbol 1", "expected a name of its own, found \"N\" a second time") {
      $0.graph?.symbols.append("N")
    },
  ]

  static let references = [
    ModelFault(.invalid, "graph", "expected an output among 3 values, found number 0") { $0.graph?.outputs = [-1] },
    ModelFault(.invalid, "graph", "expected an output among 3 values, found number 4") { $0.graph?.outputs = [2, 3] },
    ModelFault(.invalid, "value \"w\"", "expected a tensor's index below 1, found 1") {
      $0.graph?.values[1].source = .tensor(1)
    },
    ModelFault(.invalid, "value \"w\"", "expected a tensor's index below 1, found -1") {
      $0.graph?.values[1].source = .tensor(-1)
    },
    ModelFault(.invalid, "value \"w\"", "expected a weight or a constant, found optimiser state \"w\"") {
      $0.tensors[0].role = .optimizerState
    },
    ModelFault(.invalid, "node 0 (linear y)", "expected inputs among 3 values, found number 4") {
      $0.graph?.nodes[0].inputs[0] = 3
    },
    ModelFault(.invalid, "node 0 (linear y)", "expected inputs among 3 values, found number 0") {
      $0.graph?.nodes[0].inputs[0] = -1
    },
    ModelFault(
      .invalid, "node 0 (linear y)", "expected inputs computed by earlier nodes, found \"z\" computed later"
    ) {
      let later = $0.add(.unary(Unary(.relu)), [0])
      $0.graph?.nodes[0].inputs[0] = later
    },
    ModelFault(
      .invalid, "node 0 (linear y)", "expected inputs computed by earlier nodes, found \"y\" computed later"
    ) { $0.graph?.nodes[0].inputs[0] = 2 },
    ModelFault(.invalid, "node 0 (linear y)", "expected x at position 0, found no input") {
      $0.graph?.nodes[0].inputs[0] = nil
    },
    ModelFault(.invalid, "node 0 (linear)", "expected 1 output, found 0") { $0.graph?.nodes[0].outputs = [] },
    ModelFault(.invalid, "node 0 (linear y)", "expected 1 output, found 2") { $0.graph?.nodes[0].outputs = [2, 1] },
    ModelFault(.invalid, "node 0 (linear)", "expected outputs among 3 values, found number 4") {
      $0.graph?.nodes[0].outputs = [3]
    },
    ModelFault(.invalid, "node 0 (linear)", "expected outputs among 3 values, found number 0") {
      $0.graph?.nodes[0].outputs = [-1]
    },
    ModelFault(.invalid, "node 1 (unary y)", "expected an output computed once, found \"y\" computed already") {
      $0.graph?.nodes.append(Node(.unary(Unary(.relu)), inputs: [2], outputs: [2]))
    },
    ModelFault(.invalid, "node 0 (linear x)", "expected an output computed once, found \"x\" computed already") {
      $0.graph?.nodes[0].outputs = [0]
    },
    ModelFault(.invalid, "node 0 (linear w)", "expected an output computed once, found \"w\" computed already") {
      $0.graph?.nodes[0].outputs = [1]
    },
    ModelFault(.invalid, "value \"z\"", "expected a node that computes it, found none") {
      $0.graph?.values.append(Value("z", .node))
    },
  ]

  static let types = [
    ModelFault(
      .limitExceeded, "tensor \"w\"",
      "expected at most 8 dimensions and 2147483647 elements, found [1, 1, 1, 1, 1, 1, 1, 1, 1]"
    ) { $0.tensors[0].shape = [Int](repeating: 1, count: 9) },
    ModelFault(
      .limitExceeded, "tensor \"w\"", "expected at most 8 dimensions and 2147483647 elements, found [65536, 65536]"
    ) { $0.tensors[0].shape = [65_536, 65_536] },
    ModelFault(.limitExceeded, "tensor \"w\"", "expected at most 8 dimensions and 2147483647 elements, found [-1]") {
      $0.tensors[0].shape = [-1]
    },
    ModelFault(.limitExceeded, "input \"x\"", "expected at most 8 dimensions, found 9") {
      $0.setInput(ValueType(.f32, constant: [Int](repeating: 1, count: 9)))
    },
    ModelFault(
      .limitExceeded, "input \"x\"", "expected at most 2147483647 elements, found more in shape [65536, 65536]"
    ) { $0.setInput(ValueType(.f32, constant: [65_536, 65_536])) },
    ModelFault(.invalid, "input \"x\"", "expected extents of at least 0, found shape [-2, 4]") {
      $0.setInput(ValueType(.f32, constant: [-2, 4]))
    },
    ModelFault(.invalid, "input \"x\"", "expected a symbol below 1, found 1") {
      $0.setInput(ValueType(.f32, [Dimension(symbol: 1), Dimension(4)]))
    },
    ModelFault(.invalid, "input \"x\"", "expected a symbol below 1, found -1") {
      $0.setInput(ValueType(.f32, [Dimension(symbol: -1), Dimension(4)]))
    },
    ModelFault(.invalid, "input \"x\"", "expected a finite float32 fill value, found inf for float32") {
      $0.setInput(ValueType(.f32, constant: [4]), .filled(.infinity))
    },
    ModelFault(.invalid, "input \"x\"", "expected a finite float32 fill value, found nan for float32") {
      $0.setInput(ValueType(.f32, constant: [4]), .filled(.nan))
    },
    ModelFault(.invalid, "input \"x\"", "expected a finite float32 fill value, found 1.0 for int8") {
      $0.setInput(ValueType(.i8, constant: [4]), .filled(1))
    },
    ModelFault(.invalid, "node 0 (linear y)", "expected x of type float32, found float64") {
      $0.setInput(ValueType(.f64, constant: [1, 4]))
    },
    ModelFault(.limitExceeded, "node 1 (reshape z)", "expected at most 8 dimensions, found 9") {
      $0.add(.reshape(Reshape([Dimension(symbol: 0)] + [Dimension](repeating: Dimension(1), count: 8))), [2])
    },
    ModelFault(
      .limitExceeded, "node 0 (linear y)",
      "expected at most 2147483647 elements, found more in shape [1073741824, 2]"
    ) { $0.setInput(ValueType(.f32, [Dimension(1 << 30), Dimension(symbol: 0)])) },
    ModelFault(.invalid, "value \"y\"", "expected quantization to integers of 8 to 32 bits, found float32") {
      $0.graph?.values[2].quantization = Quantization(stored: .f32, scales: [1], minimum: 0, maximum: 1)
    },
    ModelFault(
      .invalid, "value \"w\"", "expected the quantization of a tensor's value on the tensor, found another on the value"
    ) {
      $0.graph?.values[1].quantization = Quantization(stored: .i8, scales: [1, 1, 1], minimum: -127, maximum: 127)
    },
  ]

  @Test(arguments: counts)
  func `counts are held to the limits`(fault: ModelFault) throws { #expect(try fault.refusal() == fault.error) }

  @Test(arguments: names)
  func `names are there, short and their own`(fault: ModelFault) throws { #expect(try fault.refusal() == fault.error) }

  @Test(arguments: references)
  func `references lead to what is there already`(fault: ModelFault) throws {
    #expect(try fault.refusal() == fault.error)
  }

  @Test(arguments: types)
  func `types and shapes are held to the rules`(fault: ModelFault) throws {
    #expect(try fault.refusal() == fault.error)
  }
}

@Suite struct `Binding of symbols` {
  /// A program whose reshape of x [N, 4] to [2, T] only some sizes satisfy.
  private static func program() throws -> Program {
    var model = try ModelFault.model()
    model.graph?.symbols.append("T")
    model.add(.reshape(Reshape([Dimension(2), Dimension(symbol: 1)])), [0])
    return try Program(validating: model)
  }

  private static func refusal(_ sizes: [Int]) throws -> FormatError? {
    let program = try program()
    do throws(FormatError) {
      _ = try program.bind(symbolSizes: sizes)
      return nil
    } catch {
      return error
    }
  }

  @Test func `sizes give every value its extents`() throws {
    let types = try `Binding of symbols`.program().bind(symbolSizes: [3, 6])
    #expect(types.map { $0.text([]) } == ["[3, 4]", "[2, 4]", "[3, 2]", "[2, 6]"])
  }

  @Test(arguments: [
    ([3], FormatError(.invalid, at: "graph", "expected sizes of 2 symbols, found 1")),
    ([3, 5], FormatError(.invalid, at: "node 1 (reshape z)", "expected 12 elements, found 10 in [2, 5]")),
    (
      [1 << 31, 1],
      FormatError(.limitExceeded, at: "input \"x\"", "expected at most 2147483647 elements, found more")
    ),
    (
      [1 << 30, 1],
      FormatError(
        .limitExceeded, at: "input \"x\"",
        "expected at most 2147483647 elements, found more in shape [1073741824, 4]")
    ),
    (
      [1, 1 << 31],
      FormatError(.limitExceeded, at: "node 1 (reshape z)", "expected at most 2147483647 elements, found more")
    ),
    ([-1, 1], FormatError(.invalid, at: "input \"x\"", "expected extents of at least 0, found shape [-1, 4]")),
  ])
  func `sizes that break a rule are refused`(sizes: [Int], error: FormatError) throws {
    #expect(try `Binding of symbols`.refusal(sizes) == error)
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct ONNXImportRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let identity = ONNXBytes.node("Identity", ["x"], ["y"])

  /// A model of input x, output y and these nodes.
  private static func model(
    _ nodes: [[UInt8]], opsets: [(domain: String, version: UInt64)] = [("", 13)], functions: [[UInt8]] = []
  ) -> [UInt8] {
    ONNXBytes.model(nodes + [ONNXBytes.input("x"), ONNXBytes.output("y")], opsets: opsets, functions: functions)
  }

  private static func call(_ functions: [[UInt8]]) -> [UInt8] {
    model([ONNXBytes.node("F", ["x"], ["y"], domain: "own")], opsets: [("", 13), ("own", 1)], functions: functions)
  }

  private static let end = "; --weights-only converts the initialisers alone"
  private static let computed = "graph: expected operators and types of ONNX that are computed here, found "

  static let refused: [(bytes: [UInt8], kind: FormatError.Kind, message: String)] = [
    (
      model(
        [
          ONNXBytes.node("If", ["x"], ["y"], [Wire.text(1, "then_branch") + Wire.bytes(6, []) + Wire.number(20, 5)]),
          ONNXBytes.node("Nonsense", ["y"], ["a"]), ONNXBytes.node("Nonsense", ["a"], ["b"]),
          ONNXBytes.node("Other", ["b"], ["z"], domain: "com.example"),
        ], opsets: [("", 13), ("com.example", 1)]), .unsupported,
      computed + "If (1 node, then_branch holds a graph), Nonsense (2 nodes), com.example.Other (1 node)" + end
    ),
    (
      ONNXBytes.model([
        identity, Wire.bytes(11, Wire.text(1, "x") + Wire.bytes(2, Wire.bytes(4, []))), ONNXBytes.output("y"),
      ]), .unsupported, computed + "input \"x\" (a sequence)" + end
    ),
    (
      ONNXBytes.model([identity, ONNXBytes.input("x", 8), ONNXBytes.output("y", 8)]), .unsupported,
      computed + "input \"x\" (STRING)" + end
    ),
    (
      ONNXBytes.model([identity, ONNXBytes.input("x", 1, nil), ONNXBytes.output("y")]), .unsupported,
      computed + "input \"x\" (no shape)" + end
    ),
    (
      ONNXBytes.model([
        ONNXBytes.node("Constant", [], ["y"], [ONNXBytes.text("value_string", "s")]), ONNXBytes.output("y"),
      ]),
      .unsupported, computed + "Constant (1 node, STRING)" + end
    ),
    (
      model([identity], opsets: [("", 5)]), .unsupported,
      "graph: node 0 (Identity y): expected ONNX's operator set 6 or later, found 5; raise it with onnx.version_converter"
    ),
    (
      model([identity], opsets: [("ai.onnx.ml", 3)]), .invalid,
      "graph: node 0 (Identity y): expected an operator set of domain \"\" in the model, found none"
    ),
    (
      model([identity], opsets: [("", 1_001)]), .limitExceeded,
      "graph: node 0 (Identity y): expected an operator set from 1 to 1000, found 1001"
    ),
    (
      model([ONNXBytes.node("Identity", ["z"], ["y"]), ONNXBytes.node("Identity", ["x"], ["z"])]), .invalid,
      "graph: node 0 (Identity y): expected inputs computed by earlier nodes, found \"z\" computed later"
    ),
    (
      model([ONNXBytes.node("Identity", ["z"], ["y"])]), .invalid,
      "graph: node 0 (Identity y): expected inputs computed by earlier nodes, found \"z\" that nothing computes"
    ),
    (
      model([identity, identity]), .invalid,
      "graph: node 1 (Identity y): expected a value's name of its own, found \"y\" a second time"
    ),
    (
      model([ONNXBytes.node("Identity", ["x"], [])]), .invalid,
      "graph: node 0 (Identity): expected at least 1 output, found none"
    ),
    (
      model([ONNXBytes.node("Identity", ["x"], ["z"])]), .invalid,
      "graph: expected outputs that a node computes, found \"y\""
    ),
    (
      model([ONNXBytes.node("", ["x"], ["y"])]), .invalid, "graph: node 0: expected an operator's type, found none"
    ),
    (
      model([ONNXBytes.node("Identity", ["x"], ["y"], [Wire.text(1, "a")])]), .invalid,
      "graph: node 0: attribute \"a\": expected a value, found none"
    ),
    (
      model([ONNXBytes.node("Identity", ["x"], ["y"], [ONNXBytes.reference("a", to: "b")])]), .invalid,
      "graph: node 0 (Identity y): expected a value of attribute \"a\", found a reference to \"b\""
    ),
    (
      model([
        ONNXBytes.node("Identity", ["x"], ["y"], [Wire.text(1, "a") + Wire.bytes(7, [0, 0, 0]) + Wire.number(20, 6)])
      ]), .invalid, "graph: node 0: attribute \"a\": byte 33: expected numbers of 4 bytes each, found 3 bytes"
    ),
    (
      call([ONNXBytes.function("F", ["a"], ["b"], [])]), .invalid,
      "graph: node 0 (own.F y): expected a function that computes \"b\", found none of its nodes does"
    ),
    (
      call([ONNXBytes.function("F", [], ["b"], [])]), .invalid,
      "graph: node 0 (own.F y): expected at most 0 inputs and 1 output of function \"F\", found 1 and 1"
    ),
    (
      call([ONNXBytes.function("F", ["a"], ["b"], []), ONNXBytes.function("F", ["a"], ["b"], [])]), .invalid,
      "graph: function 1: expected a name of its own, found \"F\" a second time"
    ),
    (
      model(
        [ONNXBytes.node("BatchNormalization", ["x", "x", "x", "x", "x"], ["y"])], opsets: [("", 6)]), .unsupported,
      "graph: node 0 (BatchNormalization y): expected BatchNormalization of a model that is not trained (is_test 1), found is_test 0"
    ),
    (
      ONNXBytes.model([identity, ONNXBytes.input("x", 1, ["2147483648"]), ONNXBytes.output("y")]), .limitExceeded,
      "graph: input \"x\": expected extents from 0 to 2147483647, found 2147483648"
    ),
  ]

  private func refusal(_ bytes: [UInt8]) throws -> FormatError? {
    let path = try folder.write("m", bytes)
    do throws(FormatError) {
      let conversion = try Conversion(reading: path)
      for tensor in conversion.model.tensors { _ = try tensor.bytes() }
      return nil
    } catch {
      return FormatError(error.kind, at: String(error.place.dropFirst(path.count + 2)), error.message)
    }
  }

  @Test(arguments: refused.indices) func `What is no graph for us is refused in one sentence`(_ index: Int) throws {
    let (bytes, kind, message) = Self.refused[index]
    let error = try #require(try refusal(bytes))
    #expect(error.description == message)
    #expect(error.kind == kind)
  }

  @Test func `Functions that call themselves end at the limit of nesting`() throws {
    let function = ONNXBytes.function(
      "F", ["a"], ["b"], [ONNXBytes.node("F", ["a"], ["b"], domain: "own", field: 7)])
    let error = try #require(try refusal(Self.call([function])))
    #expect(error.kind == .limitExceeded)
    #expect(error.message == "expected functions at most 32 deep in one another, found more")
  }

  @Test func `Functions without nodes that call others twice each end at the limit of calls`() throws {
    let functions = (0..<30).map { depth -> [UInt8] in
      let next = depth < 29 ? "F\(depth + 1)" : ""
      let call = ONNXBytes.node(next, [], [""], domain: "own", field: 7)
      return ONNXBytes.function("F\(depth)", [], ["b"], next.isEmpty ? [] : [call, call])
    }
    let bytes = Self.model(
      [ONNXBytes.node("F0", [], [""], domain: "own"), Self.identity], opsets: [("", 13), ("own", 1)],
      functions: functions)
    let error = try #require(try refusal(bytes))
    #expect(error.message == "expected at most 131072 calls of functions, found more")
  }

  /// A model with every kind of message.
  private static let whole = ONNXBytes.model(
    [
      ONNXBytes.node("F", ["x"], ["a"], [ONNXBytes.integer("where", 1)], domain: "own"),
      ONNXBytes.node(
        "Constant", [], ["s"], [ONNXBytes.tensor("value", ONNXBytes.values(7, [1], [UInt8](repeating: 1, count: 8)))]),
      ONNXBytes.node("Reshape", ["a", "s"], ["y"], [ONNXBytes.text("t", "u"), ONNXBytes.integers("i", [1, -1])]),
      ONNXBytes.initialiser("w", 22, [3], [0x21, 3]), ONNXBytes.input("x", 1, ["N", "", "2"]), ONNXBytes.output("y"),
      Wire.bytes(13, Wire.text(1, "a") + Wire.bytes(2, ONNXBytes.type(1, ["N", ""]))),
    ], opsets: [("", 13), ("own", 1)],
    functions: [
      ONNXBytes.function(
        "F", ["a"], ["b"],
        [ONNXBytes.node("Flatten", ["a"], ["b"], [ONNXBytes.reference("axis", to: "where")], field: 7)])
    ])

  @Test func `A cut model is read or refused, and never more`() throws {
    #expect(try refusal(Self.whole) == nil)
    var refusals = 0
    for count in 1..<Self.whole.count where try refusal(Array(Self.whole.prefix(count))) != nil { refusals += 1 }
    // All but those cut between fields of the model itself have lost a part of one, and those lack a graph.
    #expect(refusals == Self.whole.count - 1)
  }

  @Test(arguments: [0x01, 0x04, 0x80, 0xFF] as [UInt8])
  func `A model with a changed byte is read or refused`(_ change: UInt8) throws {
    var refusals = 0
    for index in Self.whole.indices.dropFirst() {
      var bytes = Self.whole
      bytes[index] ^= change
      if try refusal(bytes) != nil { refusals += 1 }
    }
    #expect(refusals > Self.whole.count / 4)
  }
}

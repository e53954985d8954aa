import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// Graphs of ONNX's operators against themselves with one thing changed.
@Suite struct VerifyONNXTests {
  /// One change, the operator that it shows at and the cause that is to be named.
  struct Change: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let op: String
    let cause: String
    let apply: @Sendable (inout Model) throws -> Void
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func integers(_ name: String, _ shape: [Int], _ values: [Int64]) -> Tensor {
    Tensor(name, .i64, shape, role: .constant, values: .bytes(values.withUnsafeBytes { [UInt8]($0) }))
  }

  private static func floats(_ name: String, _ shape: [Int], seed: UInt64 = 1) -> Tensor {
    var random = SeededRandom(seed: seed, stream: name)
    return Tensor(name, shape, floats: (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
  }

  private static func op(_ name: String, _ attributes: [ONNXAttribute] = []) -> Operator {
    .onnx(ONNXOperator(name, opset: 20, attributes: attributes))
  }

  /// A convolution, its normalisation, GELU, a product and the place of its largest value; beside it an extent as int32.
  private static func model() throws -> Model {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(3), Dimension(8), Dimension(8)]))
    let kernel = builder.tensor(floats("kernel", [4, 3, 3, 3]))
    let statistics = ["scale", "bias", "mean"].map { builder.tensor(floats($0, [4])) }
    let variance = builder.tensor(Tensor("variance", [4], floats: [1, 0.01, 0.5, 2]))
    let weight = builder.tensor(floats("weight", [4, 4]))
    let index = builder.tensor(integers("index", [1], [1]))
    let pads = ONNXAttribute("pads", .integers([0, 0, 1, 2]))
    let conv = try builder.apply(op("Conv", [pads]), [x, kernel], name: "conv")
    let norm = try builder.apply(
      op("BatchNormalization", [ONNXAttribute("epsilon", .number(1e-5))]), [conv] + statistics + [variance],
      name: "norm")
    let gelu = try builder.apply(op("Gelu"), [norm], name: "gelu")
    let pooled = try builder.apply(op("GlobalAveragePool"), [gelu], name: "pooled")
    let flat = try builder.apply(op("Flatten"), [pooled], name: "flat")
    let y = try builder.apply(op("Gemm", [ONNXAttribute("transB", .integer(1))]), [flat, weight], name: "y")
    let best = try builder.apply(op("ArgMax", [ONNXAttribute("axis", .integer(1))]), [y], name: "best")
    let shape = try builder.apply(op("Shape"), [x], name: "shape")
    let extent = try builder.apply(op("Gather"), [shape, index], name: "extent")
    let narrow = try builder.apply(op("Cast", [ONNXAttribute("to", .integer(6))]), [extent], name: "narrow")
    for output in [y, best, narrow] { builder.output(output) }
    var model = Model()
    var graph = builder.graph
    graph.values[best].declared = ValueType(declared: .i64, nil)
    graph.values[narrow].declared = ValueType(declared: .i32, [Dimension(1)])
    model.graph = graph
    model.tensors = builder.tensors
    return model
  }

  private static func replace(_ model: inout Model, _ name: String, _ attribute: ONNXAttribute?...) {
    for (index, node) in (model.graph?.nodes ?? []).enumerated() {
      guard case .onnx(let op) = node.op, op.name == name else { continue }
      model.graph?.nodes[index].op = self.op(name, attribute.compactMap { $0 })
    }
  }

  private static func replace(_ model: inout Model, tensor name: String, _ change: (inout [UInt8]) -> Void) {
    for (index, tensor) in model.tensors.enumerated() where tensor.name == name {
      guard case .bytes(var bytes) = tensor.values else { continue }
      change(&bytes)
      model.tensors[index].values = .bytes(bytes)
    }
  }

  static let changes = [
    Change(
      testDescription: "epsilon", op: "onnx.BatchNormalization", cause: "epsilon is 0.001 in B, 1e-05 in A"
    ) { replace(&$0, "BatchNormalization", ONNXAttribute("epsilon", .number(1e-3))) },
    Change(
      testDescription: "padding side", op: "onnx.Conv",
      cause:
        "the padding is on the other side: [1, 2] at the beginning and [0, 0] at the end in B, the other way round "
        + "in A"
    ) { replace(&$0, "Conv", ONNXAttribute("pads", .integers([1, 2, 0, 0]))) },
    Change(
      testDescription: "GELU form", op: "onnx.Gelu",
      cause: "B computes GELU in the form approximate=tanh, A in approximate=none"
    ) { replace(&$0, "Gelu", ONNXAttribute("approximate", .text("tanh"))) },
    Change(
      testDescription: "transposed weight", op: "onnx.Gemm", cause: "the weight \"weight\" is transposed"
    ) { replace(&$0, "Gemm", ONNXAttribute("transB", .integer(0))) },
    Change(
      testDescription: "another attribute", op: "onnx.Conv",
      cause: "attributes differ: dilations absent in A, [2, 2] in B, pads [0, 0, 1, 2] in A, [0, 0, 3, 4] in B"
    ) {
      replace(
        &$0, "Conv", ONNXAttribute("pads", .integers([0, 0, 3, 4])), ONNXAttribute("dilations", .integers([2, 2])))
    },
    Change(
      testDescription: "a bit of a weight", op: "onnx.Conv",
      cause: "the values of \"kernel\" are others; with A's the difference vanishes"
    ) { replace(&$0, tensor: "kernel") { $0[2] ^= 0x40 } },
    Change(
      testDescription: "an integer", op: "onnx.Gather",
      cause: "the values of \"index\" are others; with A's the difference vanishes"
    ) { replace(&$0, tensor: "index") { $0[0] = 2 } },
  ]

  private func write(_ change: (inout Model) throws -> Void) throws {
    var model = try Self.model()
    try model.write(to: folder.path("a.eri"), level: 1)
    try change(&model)
    try model.write(to: folder.path("b.eri"), level: 1)
  }

  @Test func `a graph of ONNX's operators agrees with itself in every value`() throws {
    try write { _ in }
    let outcome = try Tool.eri.run("verify a.eri b.eri --json", in: folder)
    #expect(outcome.status == 0)
    let graph = try #require(try object(outcome.output)["graph"] as? [String: Any])
    let values = try #require(graph["values"] as? [[String: Any]])
    #expect(
      values.compactMap { $0["name"] as? String } == [
        "conv", "norm", "gelu", "pooled", "flat", "y", "best", "shape", "extent", "narrow",
      ])
    #expect(values.allSatisfy { $0["isolated"] as? Double == 0 && $0["cumulative"] as? Double == 0 })
    for value in values {
      #expect((value["isolated_error_b"] as? Double ?? 1) <= (value["isolated_allowed"] as? Double ?? 0))
    }
  }

  @Test(arguments: changes) func `the first divergent operator of ONNX and the cause are named`(
    _ change: Change
  ) throws {
    try write(change.apply)
    let outcome = try Tool.eri.run("verify a.eri b.eri", in: folder)
    #expect(outcome.status == 1)
    let lines = outcome.output.split(separator: "\n").map { String($0) }
    let place = try #require(lines.first { $0.hasPrefix("  first divergent operator: node ") })
    #expect(place.contains(" (\(change.op) "))
    #expect(lines.contains { $0 == "    cause: \(change.cause)" || $0 == "    or: \(change.cause)" })
  }

  @Test func `the slice of an integer operator runs by itself`() throws {
    try write { model in Self.replace(&model, tensor: "index") { $0[0] = 2 } }
    let outcome = try Tool.eri.run("verify a.eri b.eri --save-slice slice", in: folder)
    let marker = "run it with: eri "
    let line = try #require(outcome.errors.split(separator: "\n").first { $0.contains(marker) })
    let words = try #require(line.range(of: marker).map { String(line[$0.upperBound...]) })
    #expect(try Tool.eri.run(words, in: folder).status == 0)
    let result = try NPYFile(path: folder.path("slice/out/extent.npy"))
    #expect(result.header.dtype == .i64)
    var value: Int64 = 0
    try withUnsafeMutableBytes(of: &value) { try result.readValues(into: $0) }
    #expect(value == 8)
  }

  @Test func `an exported network agrees with the native one`() throws {
    let file = Checkout.path("Tests/Golden/v1/narrow-dual-branch.eri")
    #expect(try Tool.eri.run(["convert", file, "b.onnx"], in: folder).status == 0)
    let outcome = try Tool.eri.run(["verify", file, "b.onnx"], in: folder)
    #expect(outcome.output.contains("\ngraph: 197 values compared on "))
    #expect(outcome.output.contains("\n  note: input \"present\" of B was given what A has where it is left out\n"))
    #expect(outcome.output.hasSuffix("\nthe same under fp32\n"))
    #expect(outcome.status == 0)
  }

  @Test func `a file of ONNX agrees with its own import`() throws {
    try write { _ in }
    #expect(try Tool.eri.run("convert a.eri a.onnx", in: folder).status == 0)
    #expect(try Tool.eri.run("convert a.onnx c.eri", in: folder).status == 0)
    let outcome = try Tool.eri.run("verify a.onnx c.eri", in: folder)
    #expect(outcome.output.contains("\ngraph: 10 values compared on x [1, 3, 8, 8]\n"))
    #expect(outcome.status == 0)
  }

  // MARK: Inputs

  /// Reshapes x to what the input "shape" says.
  private func writeReshape() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.input("x", ValueType(.f32, constant: [2, 3]))
    let shape = builder.input("shape", ValueType(.i64, constant: [1]))
    builder.output(try builder.apply(Self.op("Reshape"), [x, shape], name: "y"))
    var model = Model()
    model.graph = builder.graph
    try model.write(to: folder.path("r.eri"), level: 1)
  }

  @Test func `an input of integers is not drawn`() throws {
    try writeReshape()
    #expect(
      try Tool.eri.run("verify r.eri r.eri", in: folder)
        == Tool.Outcome(
          errors: "eri: input \"shape\": expected float32 to draw from a seed, found int64; give it with --inputs\n",
          status: 3))
  }

  @Test func `a given input of integers decides shapes`() throws {
    try writeReshape()
    try SmallModel.array("x.npy", [2, 3], [1, 2, 3, 4, 5, 6], to: folder)
    try [Int64(6)].withUnsafeBytes { try writeNPY(folder.path("shape.npy"), .i64, [1], $0) }
    let outcome = try Tool.eri.run("verify r.eri r.eri --inputs . --json", in: folder)
    #expect(outcome.status == 0)
    let graph = try #require(try object(outcome.output)["graph"] as? [String: Any])
    #expect((graph["values"] as? [[String: Any]])?.map { $0["shape"] as? [Int] } == [[6]])
  }

  // MARK: Types without a name in .npy

  @Test func `a slice of bfloat16 is not saved, and that is said`() throws {
    func write(_ name: String, _ factor: UInt16) throws {
      var builder = GraphBuilder(symbols: [])
      let x = builder.input("x", ValueType(.f32, constant: [3]))
      let bytes = [UInt8(factor & 0xFF), UInt8(factor >> 8)]
      let constant = builder.tensor(Tensor("factor", .bf16, [1], values: .bytes(bytes)))
      let half = try builder.apply(Self.op("Cast", [ONNXAttribute("to", .integer(16))]), [x], name: "half")
      builder.output(try builder.apply(Self.op("Mul"), [half, constant], name: "y"))
      var model = Model()
      model.graph = builder.graph
      model.tensors = builder.tensors
      try model.write(to: folder.path(name), level: 1)
    }
    try write("a.eri", 0x3F80)
    try write("b.eri", 0x4000)
    let outcome = try Tool.eri.run("verify a.eri b.eri --save-slice slice", in: folder)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors
        == "slice: the slice was not saved: input \"half\": expected a type that .npy has a name for, found bfloat16; "
        + "convert it to float32 first\n")
    #expect(try folder.entries() == ["a.eri", "b.eri"])
  }

  // MARK: In another's place

  @Test func `an output of which nothing is declared is said to be unknown`() throws {
    try writeReshape()
    let outcome = try Tool.eri.run("verify r.eri r.eri --drop-in", in: folder)
    #expect(outcome.status == 0)
    #expect(
      outcome.output.contains(
        "\n  outputs: yes, B gives every output that A gives; the type of \"y\" is not declared in A and B, so only a run "
          + "tells\n"))
  }

  @Test func `compat lists each operator of ONNX by its name`() throws {
    try writeReshape()
    #expect(
      try Tool.eri.run("compat r.eri", in: folder).output.contains("\nneeds: operator onnx.Reshape version 1\n"))
  }
}

import ERIConvert
import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

/// QDQ models byte by byte: y = Q(x) · W, W stored as int8.
@Suite struct QuantizedPairsTests {
  let folder: TemporaryFolder
  /// By hand: 0.7 is 0.5 on the grid, whose ends are -5 and 122.5; the weight is [[0.25, 4], [0.75, -2], [0, 254]].
  private static let outputs: [Float] = [92, -1513]

  init() throws { folder = try TemporaryFolder() }

  private func floats(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { [UInt8]($0) } }

  private func codes(_ name: String, _ scales: [Float], _ points: [UInt8], _ type: UInt64) -> [[UInt8]] {
    let shape: [UInt64] = scales.count == 1 ? [] : [UInt64(scales.count)]
    return [
      ONNXBytes.initialiser("\(name).scale", 1, shape, floats(scales)),
      ONNXBytes.initialiser("\(name).zero", type, shape, points),
    ]
  }

  /// x [N, 3] rounded and multiplied by a weight [3, 2].
  private func model(readerScale: String = "x", more: [[UInt8]] = []) throws -> Conversion {
    let nodes: [[UInt8]] = [
      ONNXBytes.node("QuantizeLinear", ["x", "x.scale", "x.zero"], ["x.q"]),
      ONNXBytes.node("DequantizeLinear", ["x.q", "\(readerScale).scale", "x.zero"], ["x.dq"]),
      ONNXBytes.node("DequantizeLinear", ["w", "w.scale", "w.zero"], ["w.dq"], [ONNXBytes.integer("axis", 1)]),
      ONNXBytes.node("MatMul", ["x.dq", "w.dq"], ["y"]),
      ONNXBytes.initialiser("w", 3, [3, 2], [1, 2, 3, 255, 0, 127]), ONNXBytes.input("x"),
      ONNXBytes.output("y", 1, ["N", "2"]),
    ]
    let bytes = ONNXBytes.model(
      nodes + codes("x", [0.5], [10], 2) + codes("w", [0.25, 2], [0, 0], 3) + codes("other", [0.75], [10], 2) + more)
    return try Conversion(reading: try folder.write("m.onnx", bytes))
  }

  private func run(_ model: Model) throws -> [Float]? {
    let session = try Session(Program(validating: model))
    try session.bind([Session.InputShape("x", [1, 3])])
    _ = session.withInput("x") { $0.update(fromContentsOf: [0.7, 1000, -1000] as [Float]) }
    try session.runToEnd()
    return session.withOutput(0) { [Float]($0) }
  }

  @Test func `a pair becomes a quantized value and a weight a quantized tensor`() throws {
    let conversion = try model()
    let graph = try #require(conversion.model.graph)
    #expect(graph.nodes.count == 1)
    #expect(
      graph.values.first { $0.name == "x" }?.quantization
        == Quantization(stored: .u8, scales: [0.5], zeroPoints: [10], minimum: 0, maximum: 255))
    let weight = try #require(conversion.model.tensors.first { $0.name == "w" })
    #expect(
      weight.quantization
        == Quantization(stored: .i8, scales: [0.25, 2], axis: 1, minimum: -127, maximum: 127))
    #expect(
      conversion.notes.contains(
        "1 tensor and 1 value between QuantizeLinear and DequantizeLinear became quantized ones, scales and zero points theirs; these operators are no nodes any more"
      ))
    #expect(try run(conversion.model) == Self.outputs)
  }

  @Test func `initialisers that nothing uses stay`() throws {
    #expect(try model().model.tensors.contains { $0.name == "other.scale" })
    #expect(try !model().model.tensors.contains { $0.name == "x.scale" })
  }

  @Test func `a pair of two scales stays what it is`() throws {
    let conversion = try model(readerScale: "other")
    let graph = try #require(conversion.model.graph)
    #expect(graph.nodes.count == 3)
    #expect(graph.values.allSatisfy { $0.quantization == nil })
    #expect(
      conversion.notes.contains(
        "2 nodes of QuantizeLinear and DequantizeLinear stay operators of ONNX: no pair of one constant scale, or no tensor before them"
      ))
  }

  @Test func `a value that others read as it was computed stays that`() throws {
    let conversion = try model(more: [
      ONNXBytes.node("Identity", ["x"], ["plain"]), ONNXBytes.output("plain"),
    ])
    let graph = try #require(conversion.model.graph)
    #expect(graph.values.first { $0.name == "x" }?.quantization == nil)
    #expect(graph.values.first { $0.name == "x.dq" }?.quantization != nil)
    #expect(try run(conversion.model) == Self.outputs)
  }

  @Test func `what came in as pairs goes out as pairs and comes back the same`() throws {
    let first = try model().model
    let notes = try OutputContainer(path: "b.onnx").write(
      first, to: folder.path("b.onnx"), level: 1, threads: 1, checksum: false)
    #expect(notes.allSatisfy { !$0.contains("quant") })
    let second = try Conversion(reading: folder.path("b.onnx")).model
    #expect(
      second.tensors.first { $0.name == "w" }?.quantization == first.tensors.first { $0.name == "w" }?.quantization)
    #expect(second.graph?.values.compactMap { $0.quantization } == first.graph?.values.compactMap { $0.quantization })
    #expect(try run(second) == run(first))
  }

  @Test func `codes that ONNX's operators do not clamp to are refused`() throws {
    var model = try model().model
    let place = try #require(model.graph?.values.firstIndex { $0.quantization != nil })
    model.graph?.values[place].quantization?.maximum = 100
    let error = #expect(throws: FormatError.self) {
      try OutputContainer(path: "b.onnx").write(
        model, to: folder.path("b.onnx"), level: 1, threads: 1, checksum: false)
    }
    #expect(error?.kind == .unsupported)
    #expect(
      error?.description.hasSuffix(
        "value \"x\": expected all of int8 or uint8 without blocks for an .onnx file, found uint8 from 0 to 100")
        == true)
  }
}

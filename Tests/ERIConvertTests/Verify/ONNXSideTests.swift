import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct ONNXSideTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func compare(_ node: [UInt8]) throws -> VerifyReport {
    let values = [2, 3, 4].flatMap { (value: Float) in withUnsafeBytes(of: value) { [UInt8]($0) } }
    let path = try folder.write(
      "m.onnx",
      ONNXBytes.model([ONNXBytes.input("x"), node, ONNXBytes.initialiser("w", 1, [3], values), ONNXBytes.output("y")]))
    try SafetensorsWriter.write([Tensor("w", [3], floats: [2, 3, 4])], to: folder.path("w.safetensors"))
    return try VerifyReport(
      VerifySide(reading: path), VerifySide(reading: folder.path("w.safetensors")), policy: .fp32)
  }

  @Test func `An ONNX graph that cannot be computed is left out with its reason, its weights compared`() throws {
    let report = try compare(ONNXBytes.node("Nonsense", ["x", "w"], ["y"]))
    #expect(report.isSame)
    #expect(!report.a.hasGraph)
    #expect(report.notes.count == 1)
    #expect(report.notes.first?.hasPrefix("the graph was left out: ") == true)
    #expect(report.notes.first?.contains("Nonsense") == true)
  }

  @Test func `An ONNX graph is compared with itself as any graph is`() throws {
    _ = try compare(ONNXBytes.node("Mul", ["x", "w"], ["y"]))
    let side = try VerifySide(reading: folder.path("m.onnx"))
    let report = try VerifyReport(side, side, policy: .fp32)
    #expect(report.isSame)
    #expect(report.graph?.rows.map { $0.name } == ["y"])
    #expect(report.graph?.rows.first?.isolatedErrorB != nil)
  }
}

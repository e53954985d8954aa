import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct ONNXWeightsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func model(_ graph: [UInt8]) -> [UInt8] { Wire.number(1, 8) + Wire.bytes(7, graph) }

  /// A model with one initialiser "w" of extents, a type and further fields.
  private static func initialiser(_ dims: [UInt64], _ type: UInt64, _ fields: [UInt8]) -> [UInt8] {
    model(
      Wire.bytes(5, dims.flatMap { Wire.number(1, $0) } + Wire.number(2, type) + Wire.text(8, "w") + fields))
  }

  private static func external(_ location: String, _ more: [(String, String)] = []) -> [UInt8] {
    ([("location", location)] + more).flatMap { Wire.bytes(13, Wire.text(1, $0.0) + Wire.text(2, $0.1)) }
      + Wire.number(14, 1)
  }

  static let refused: [(bytes: [UInt8], message: String)] = [
    (Wire.number(1, 8), "expected an ONNX model with a graph, found none; is it a single tensor?"),
    (model([]) + Wire.bytes(7, []), "byte 4: expected one graph, found a second"),
    (
      initialiser([2], 1, Wire.bytes(9, [0, 0])), "graph: initialiser 0: \"w\": expected 8 bytes for FLOAT [2], found 2"
    ),
    (
      initialiser([2], 1, Wire.bytes(4, [0, 0])), "graph: initialiser 0: \"w\": expected 8 bytes for FLOAT [2], found 2"
    ),
    (initialiser([2], 7, Wire.bytes(7, [0])), "graph: initialiser 0: \"w\": expected 2 bytes for INT64 [2], found 1"),
    (
      initialiser([1], 8, Wire.text(6, "x")),
      "graph: initialiser 0: \"w\": expected an element type that .eri has, found STRING"
    ),
    (
      initialiser([1], 14, []),
      "graph: initialiser 0: \"w\": expected an element type that .eri has, found COMPLEX64"
    ),
    (
      initialiser([1], 23, []),
      "graph: initialiser 0: \"w\": expected an element type that .eri has, found FLOAT4E2M1"
    ),
    (
      initialiser([1], 99, []),
      "graph: initialiser 0: \"w\": expected an element type that .eri has, found type 99"
    ),
    (
      initialiser([1], 3, Wire.bytes(5, Wire.varint(128))),
      "initialiser \"w\": expected values of int8, found 128 at element 0"
    ),
    (
      initialiser([1], 2, Wire.bytes(5, Wire.varint(UInt64.max))),
      "initialiser \"w\": expected values of uint8, found -1 at element 0"
    ),
    (initialiser([2], 7, Wire.bytes(7, [0, 0, 0])), "initialiser \"w\": expected 2 values, found more"),
    (initialiser([2], 7, Wire.bytes(7, [0x80, 0])), "initialiser \"w\": expected 2 values, found 1"),
    (
      initialiser([1], 9, Wire.bytes(9, [3])),
      "initialiser \"w\": expected 0 or 1 in a bool tensor, found 3 at element 0"
    ),
    (
      initialiser([1], 1, Wire.bytes(3, [])),
      "graph: initialiser 0: byte 13: expected a whole tensor, found a segment of one"
    ),
    (
      model(Wire.bytes(15, [])),
      "graph: byte 4: expected initialisers with all their values, found a sparse one; export the model with dense tensors"
    ),
    (
      initialiser([1], 1, Wire.number(14, 1)),
      "graph: initialiser 0: \"w\": external data: expected a location, found none"
    ),
    (
      initialiser([1], 1, external("a", [("offset", "-1")])),
      "graph: initialiser 0: \"w\": external data: expected offset as a number, found \"-1\""
    ),
    (
      initialiser([1], 1, external("data", [("offset", "6"), ("length", "4")])),
      "graph: initialiser 0: \"w\": external data \"data\": expected 4 bytes from offset 6, found a file of 8 bytes"
    ),
    (
      initialiser([1], 1, external("data", [("length", "5")])),
      "graph: initialiser 0: \"w\": expected 4 bytes for FLOAT [1], found 5"
    ),
    (
      model(Wire.bytes(5, Wire.number(2, 1) + Wire.bytes(9, [0, 0, 0, 0]))),
      "tensor 0: expected a name of 1 to 512 bytes, found 0"
    ),
  ]

  @Test(arguments: refused.indices) func `A model that breaks a rule is refused in one sentence`(_ index: Int) throws {
    _ = try folder.write("data", [UInt8](repeating: 0, count: 8))
    let error = try #require(try refusal(Self.refused[index].bytes, in: folder))
    #expect(error.description == Self.refused[index].message)
  }

  @Test(arguments: ["../secret", "/etc/hostname", "sub/../../secret", "link", "folder/secret", "./data", "sub//data"])
  func `External data outside of the model's folder is refused`(_ location: String) throws {
    let outside = try TemporaryFolder()
    _ = try outside.write("secret", [0, 0, 0, 0])
    try FileManager.default.createDirectory(at: folder.url("sub"), withIntermediateDirectories: true)
    _ = try folder.write("sub/data", [0, 0, 0, 0])
    try FileManager.default.createSymbolicLink(at: folder.url("link"), withDestinationURL: outside.url("secret"))
    try FileManager.default.createSymbolicLink(at: folder.url("folder"), withDestinationURL: outside.url)
    let error = try #require(try refusal(Self.initialiser([1], 1, Self.external(location)), in: folder))
    #expect(error.place == "graph: initialiser 0: \"w\": external data \"\(location)\"")
    #expect(error.message.hasSuffix("; it must lie in the model's folder, without .. and without links"))
  }

  @Test func `External data in a folder below the model's is read`() throws {
    try FileManager.default.createDirectory(at: folder.url("sub"), withIntermediateDirectories: true)
    _ = try folder.write("sub/data", [9] + bytes([7]))
    let path = try folder.write("m", Self.initialiser([1], 1, Self.external("sub/data", [("offset", "1")])))
    #expect(try Checkpoint(reading: path).entries[0].tensor.bytes() == bytes([7]))
  }

  @Test func `Values that stand one by one are read like packed ones`() throws {
    let single = Self.initialiser([2], 6, Wire.number(5, UInt64(bitPattern: -3)) + Wire.number(5, 300))
    let path = try folder.write("m", single)
    #expect(try Checkpoint(reading: path).entries[0].tensor.bytes() == [0xFD, 0xFF, 0xFF, 0xFF, 0x2C, 1, 0, 0])
  }

  @Test func `Initialisers of graphs within nodes are noted`() throws {
    let attribute = Wire.text(1, "then_branch") + Wire.bytes(6, Wire.bytes(5, Wire.text(8, "inner")))
    let path = try folder.write("m", Self.model(Wire.bytes(1, Wire.text(4, "If") + Wire.bytes(5, attribute))))
    let checkpoint = try Checkpoint(reading: path)
    #expect(checkpoint.entries.isEmpty)
    #expect(checkpoint.notes == ["initialisers of 1 graph within nodes left out"])
  }

  @Test func `A summary tells the model's graph`() throws {
    let path = ContainerReadingTests.folder.appendingPathComponent("raw.onnx").path
    guard case .onnx(let summary) = try Checkpoint(reading: path).details else {
      Issue.record("expected a summary of an ONNX model")
      return
    }
    #expect(summary.operatorTypes == ["Relu"])
    #expect(summary.opset.map { $0.version } == [17])
    #expect(summary.inputs.map { $0.name } == ["x"])
    #expect(summary.inputs.map { $0.shape } == [[-1, 3]])
  }
}

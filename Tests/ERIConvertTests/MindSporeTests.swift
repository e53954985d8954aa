import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct MindSporeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func tensor(_ dims: [UInt64], _ type: String, _ content: [UInt8]) -> [UInt8] {
    dims.flatMap { Wire.number(1, $0) } + Wire.text(2, type) + Wire.bytes(3, content)
  }

  private static func entry(_ tag: String, _ tensor: [UInt8]) -> [UInt8] {
    Wire.bytes(1, Wire.text(1, tag) + Wire.bytes(2, tensor))
  }

  private static let two = entry("w", tensor([2], "Float32", bytes([1, 2])))

  @Test func `Packed extents, chunks and both kinds of scalars are read`() throws {
    let packed = Wire.bytes(1, [2, 1]) + Wire.text(2, "Float32") + Wire.bytes(3, bytes([3, 4]))
    let file =
      Self.entry("c", Self.tensor([3], "Float32", bytes([1])))
      + Self.entry("p", packed) + Self.entry("c", Self.tensor([3], "Float32", bytes([2, 3])))
      + Self.entry("learning_rate", Self.tensor([0], "Float32", bytes([9])))
      + Self.entry("s", Self.tensor([], "Float32", bytes([8])))
    let checkpoint = try Checkpoint(reading: folder.write("a", file))
    #expect(checkpoint.entries.map { $0.tensor.name } == ["c", "p", "learning_rate", "s"])
    #expect(checkpoint.entries.map { $0.tensor.shape } == [[3], [2, 1], [], []])
    #expect(checkpoint.entries.map { $0.shape } == [[3], [2, 1], [0], []])
    #expect(checkpoint.entries.map { $0.tensor.role } == [.weight, .weight, .optimizerState, .weight])
    #expect(
      try checkpoint.entries.map { try $0.tensor.bytes() } == [
        bytes([1, 2, 3]), bytes([3, 4]), bytes([9]), bytes([8]),
      ])
    #expect(checkpoint.notes == ["1 tensor of optimiser state, by name"])
  }

  @Test func `Texts and map tensors are noted, not dropped silently`() throws {
    let text = "e\u{301}😀".unicodeScalars.flatMap { scalar in (0..<4).map { UInt8(scalar.value >> (8 * $0) & 255) } }
    let map = Wire.bytes(1, Wire.text(1, "m") + Wire.bytes(3, Wire.text(1, "x")))
    let path = try folder.write("a", Self.two + Self.entry("t", Self.tensor([0], "str", text)) + map)
    let checkpoint = try Checkpoint(reading: path)
    #expect(checkpoint.entries.map { $0.tensor.name } == ["w"])
    #expect(
      checkpoint.notes == [
        "entry \"m\" is a map tensor, which is left out", "entry \"t\" is the text \"e\u{301}😀\", not a tensor",
      ])
  }

  static let refused: [(bytes: [UInt8], message: String)] = [
    (
      entry("w", tensor([3], "Float32", bytes([1, 2]))),
      "tensor \"w\": expected 12 bytes for Float32 [3], found 8"
    ),
    (
      two + entry("w", tensor([2], "Float32", bytes([1]))), "tensor \"w\": expected 8 bytes for Float32 [2], found 12"
    ),
    (
      two + entry("w", tensor([2], "Int32", bytes([1]))),
      "tensor \"w\": expected chunks of one type and shape, found Float32 [2] and Int32 [2]"
    ),
    (
      entry("w", tensor([2], "Complex64", bytes([1]))),
      "tensor \"w\": expected a type that .eri has, found \"Complex64\""
    ),
    (
      entry("w", tensor([UInt64(bitPattern: -2)], "Float32", [])),
      "byte 7: expected extents from 0 to 2147483647, found -2"
    ),
    (
      entry("w", tensor([1 << 31], "Float32", [])), "byte 7: expected extents from 0 to 2147483647, found 2147483648"
    ),
    (
      entry("w", tensor([1 << 20, 1 << 20], "Float32", [])),
      "tensor \"w\": expected at most 2147483647 elements, found [1048576, 1048576]"
    ),
    (
      entry("w", tensor([1, 1, 1, 1, 1, 1, 1, 1, 1], "Float32", bytes([1]))),
      "byte 23: expected at most 8 dimensions, found more"
    ),
    (
      entry("w", tensor([2], "Float32", bytes([1, 2]))) + Wire.text(2, "x"),
      "byte 28: expected a value in field 1, found field 2"
    ),
    (two + [0x0A, 0x50, 0], "byte 28: expected 80 bytes, found 1 before the end of their message"),
    (
      two + [0x0B], "byte 28: expected a wire type of 0, 1, 2 or 5, found 3"
    ),
    (
      two + [0x0A] + [UInt8](repeating: 0xFF, count: 10), "byte 29: expected a number of 64 bits, found a longer one"
    ),
    (two + [0x02, 0x00], "byte 28: expected a field's number from 1 to 536870911, found 0"),
    (
      two + Wire.bytes(1, Wire.text(1, "n")), "byte 30: expected a tensor for \"n\", found none"
    ),
    (
      entry("w", tensor([2], "Float32", bytes([1])) + Wire.bytes(3, bytes([2]))),
      "byte 24: expected one content, found a second"
    ),
    (two + Wire.bytes(1, Wire.bytes(1, [0xFF])), "byte 30: expected a tag in UTF-8, found other bytes"),
    (two + Wire.bytes(1, Wire.number(2, 1)), "byte 30: expected a tensor with a length in field 2, found a number"),
    (
      two + Wire.bytes(1, Wire.text(1, String(repeating: "n", count: 513)) + Wire.bytes(2, [])),
      "byte 31: expected a tag of at most 512 bytes, found 513"
    ),
    (
      two + entry("", tensor([1], "Float32", bytes([1]))), "tensor 1: expected a name of 1 to 512 bytes, found 0"
    ),
    (
      two + entry("t", tensor([0], "str", [0, 0, 0x11, 0])),
      "tensor \"t\": expected text in UTF-32, found the number 1114112"
    ),
  ]

  @Test(arguments: refused.indices) func `A checkpoint that breaks a rule is refused in one sentence`(_ index: Int)
    throws
  {
    let error = try #require(try refusal(Self.refused[index].bytes, in: folder))
    #expect(error.description == Self.refused[index].message)
  }

  @Test func `A wrong CRC is noticed`() throws {
    let path = folder.path("c.ckpt")
    try MindSporeWriter.write([Tensor("w", [2], floats: [1, 2])], to: path, checksum: true)
    var bytes = try TemporaryFolder.read(path)
    #expect(try refusal(bytes, in: folder) == nil)
    bytes[bytes.count - 1] ^= 1
    let error = try #require(try refusal(bytes, in: folder))
    #expect(error.place == "trailer")
    #expect(error.message.hasPrefix("expected CRC ") && error.message.hasSuffix("; the file is damaged"))
  }

  @Test func `What is written is byte for byte what MindSpore writes`() throws {
    let golden = ContainerReadingTests.folder.appendingPathComponent("kinds.ckpt").path
    let tensors = try Checkpoint(reading: golden).entries.map { $0.tensor }
    try MindSporeWriter.write(tensors, to: folder.path("again.ckpt"), checksum: true)
    #expect(try folder.bytes("again.ckpt") == TemporaryFolder.read(golden))
  }

  @Test func `More chunks than the limit are refused`() throws {
    let chunk = Self.entry("w", Self.tensor([2], "Float32", []))
    var file = Self.two
    file.reserveCapacity(file.count + Limits.pieces * chunk.count)
    for _ in 0..<Limits.pieces { file += chunk }
    let error = try #require(try refusal(file, in: folder))
    #expect(error.kind == .limitExceeded)
    #expect(error.description == "tensor \"w\": expected at most 1048576 chunks, found more")
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct SafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file with this header and so many zero bytes behind it.
  private static func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let length = length ?? UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text + [UInt8](repeating: 0, count: data)
  }

  private static func tensor(_ offsets: String, dtype: String = "F32", shape: String = "[2]") -> String {
    "{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  static let refused: [(bytes: [UInt8], message: String)] = [
    (
      file("{\"a\":\(tensor("[0,8]"))}", data: 7),
      "expected 8 bytes behind the header, found 7; the file is cut short"
    ),
    (
      file("{\"a\":\(tensor("[0,8]"))}", data: 9), "expected 8 bytes behind the header, found 9; something else follows"
    ),
    (
      file("{\"a\":\(tensor("[0,8]")),\"b\":\(tensor("[4,12]"))}", data: 12),
      "tensor \"b\": expected its bytes from offset 8, where tensor \"a\" ends, found 4; two tensors overlap"
    ),
    (
      file("{\"a\":\(tensor("[1,9]"))}", data: 9),
      "tensor \"a\": expected its bytes from offset 0, where the header ends, found 1; bytes between them belong to none"
    ),
    (
      file("{\"a\":\(tensor("[0,8]", shape: "[3]"))}", data: 8),
      "header: tensor \"a\": expected 12 bytes for F32 [3], found 8"
    ),
    (
      file("{\"a\":\(tensor("[8,0]"))}", data: 8),
      "header: tensor \"a\": expected two ascending offsets, found 8, 0"
    ),
    (file("{\"a\":\(tensor("[8]"))}", data: 8), "header: tensor \"a\": expected two ascending offsets, found 8"),
    (
      file("{\"a\":\(tensor("[0,8,9]"))}", data: 8),
      "header: tensor \"a\": byte 60: expected offsets of at most 2 elements, found more"
    ),
    (
      file("{\"a\":\(tensor("[0,2]", dtype: "F8_E8M0"))}", data: 2),
      "header: tensor \"a\": expected a dtype that .eri has, found F8_E8M0"
    ),
    (
      file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", data: 8),
      "header: tensor \"a\": expected key data_offsets, found none"
    ),
    (
      file("{\"a\":{\"dtype\":\"F32\",\"scale\":1}}"),
      "header: tensor \"a\": expected the keys dtype, shape and data_offsets, found \"scale\""
    ),
    (
      file("{\"a\":\(tensor("[0,8]")),\"a\":\(tensor("[8,16]"))}", data: 16),
      "header: byte 62: expected each key once, found \"a\" a second time"
    ),
    (
      file("{\"a\":\(tensor("[0,8]", shape: "[4294967296]"))}", data: 8),
      "header: tensor \"a\": expected extents up to 2147483647, found 4294967296"
    ),
    (
      file("{\"a\":\(tensor("[0,8]", shape: "[2147483647,2]"))}", data: 8),
      "header: tensor \"a\": expected at most 2147483647 elements, found [2147483647, 2]"
    ),
    (
      file("{\"a\":\(tensor("[0,4]", shape: "[1,1,1,1,1,1,1,1,1]"))}", data: 4),
      "header: tensor \"a\": byte 53: expected a shape of at most 8 elements, found more"
    ),
    (
      file("{\"a\":\(tensor("[0,8]", shape: "[-2]"))}", data: 8),
      "header: tensor \"a\": byte 37: expected an extent as an integer from 0, found -2],\"data_of"
    ),
    (
      file("{\"\":\(tensor("[0,8]"))}", data: 8), "tensor 0: expected a name of 1 to 512 bytes, found 0"
    ),
    (
      file("{\"\(String(repeating: "n", count: 513))\":\(tensor("[0,8]"))}", data: 8),
      "tensor 0: expected a name of 1 to 512 bytes, found 513"
    ),
    (file("{}", length: 3), "header: expected 3 bytes, found 2 before the end of the file; it is cut short"),
    (
      file("{}", length: 100_000_001), "header: expected at most 100000000 bytes, found 100000001"
    ),
    (file("{} x"), "header: byte 11: expected the end of the text, found x"),
    (
      file("{\"__metadata__\":{\"a\":1}}"),
      "header: byte 29: expected the value of \"a\" as a string, found 1}}"
    ),
    (
      file("{\"__metadata__\":{\"eri.roles\":\"{\\\"a\\\": \\\"king\\\"}\"}}"),
      "metadata \"eri.roles\": expected constant or optimizer state, found \"king\""
    ),
    (
      file("{\"a\":\(tensor("[0,1]", dtype: "BOOL", shape: "[1]"))}") + [2],
      "tensor \"a\": expected 0 or 1 in a bool tensor, found 2 at element 0"
    ),
  ]

  @Test(arguments: refused.indices) func `A header that breaks a rule is refused in one sentence`(_ index: Int) throws {
    let error = try #require(try refusal(Self.refused[index].bytes, in: folder))
    #expect(error.description == Self.refused[index].message)
  }

  @Test func `An empty header, padding, unaligned and empty tensors are accepted`() throws {
    #expect(try refusal(Self.file("{}"), in: folder) == nil)
    let header =
      "{\"b\":\(Self.tensor("[1,9]")),\"a\":\(Self.tensor("[0,1]", dtype: "U8", shape: "[1]")),"
      + "\"e\":\(Self.tensor("[9,9]", shape: "[0,7]"))}   "
    let path = try folder.write("odd", Self.file(header, data: 9))
    #expect(try Checkpoint(reading: path).entries.map { $0.tensor.name } == ["b", "a", "e"])
  }

  @Test func `Metadata and MindSpore's names of optimiser state are understood`() throws {
    let header =
      "{\"__metadata__\":{\"format\":\"ms\",\"k\":\"v\"},\"global_step\":\(Self.tensor("[0,4]", dtype: "I32", shape: "[]"))}"
    let path = try folder.write("ms", Self.file(header, data: 4))
    let checkpoint = try Checkpoint(reading: path)
    #expect(checkpoint.entries[0].tensor.role == .optimizerState)
    #expect(checkpoint.notes == ["metadata \"format\" is \"ms\"", "metadata \"k\" is \"v\""])
  }

  @Test func `What is written is aligned and comes back with its roles`() throws {
    let tensors = [
      Tensor("byte", .u8, [3], values: .bytes([1, 2, 3])), Tensor("wide", .f64, [1], values: .bytes(Array(0..<8))),
      Tensor("fixed", [1], role: .constant, floats: [4]), Tensor("state", [1], role: .optimizerState, floats: [5]),
    ]
    let path = folder.path("out.safetensors")
    try SafetensorsWriter.write(tensors, to: path)
    let bytes = try TemporaryFolder.read(path)
    #expect((8 + Int(bytes[0])) % 8 == 0)
    let found = try Checkpoint(reading: path).entries.map { $0.tensor }
    #expect(found.map { $0.name } == ["wide", "fixed", "state", "byte"])
    #expect(found.map { $0.role } == [.weight, .constant, .optimizerState, .weight])
    #expect(try found.map { try $0.bytes() } == [1, 2, 3, 0].map { try tensors[$0].bytes() })
  }

  @Test func `A tensor of the metadata's name cannot be written`() throws {
    #expect(
      throws: FormatError(
        .unsupported, at: "\(folder.path("x")): tensor \"__metadata__\"",
        "expected a name that safetensors leaves to tensors, found its own; rename it")
    ) { try SafetensorsWriter.write([Tensor("__metadata__", [1], floats: [1])], to: folder.path("x")) }
    #expect(try folder.entries() == [])
  }

  @Test func `More tensors than the format holds are refused`() throws {
    let entries = (0...Limits.tensors + 1).map { "\"\($0)\":\(Self.tensor("[0,0]", shape: "[0]"))" }
    let error = try #require(try refusal(Self.file("{\(entries.joined(separator: ","))}"), in: folder))
    #expect(error.kind == .limitExceeded)
    #expect(error.message == "expected a header of at most 65537 members, found more")
  }

  @Test func `More metadata than the limit is refused`() throws {
    let entries = (0...Limits.metadata).map { "\"\($0)\":\"\"" }
    let error = try #require(
      try refusal(Self.file("{\"__metadata__\":{\(entries.joined(separator: ","))}}"), in: folder))
    #expect(error.message == "expected metadata of at most 65536 members, found more")
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct ZipTests {
  private let folder: TemporaryFolder
  private let data = Array("some bytes that are stored or deflated".utf8)

  init() throws { folder = try TemporaryFolder() }

  private func open(_ bytes: [UInt8]) throws -> ZipArchive { try ZipArchive(path: folder.write("a.zip", bytes)) }

  /// The refusal of an archive, of opening it or of reading its entries.
  private func refused(_ bytes: [UInt8]) -> String {
    refusal {
      for entry in try open(bytes).entries { _ = try entry.bytes(limit: 1 << 20) }
    }.map { String($0.description.dropFirst(folder.path("a.zip").count + 2)) } ?? "accepted"
  }

  @Test func `Stored and deflated entries are read`() throws {
    let archive = try open(ZipBytes([.init("s", data), .init("d", data, .deflated), .init("", [])].dropLast()).bytes)
    for name in ["s", "d"] { #expect(try archive.entry(name)?.bytes(limit: 100) == data) }
    #expect(archive.entry("x") == nil)
  }

  @Test func `Empty entries of both kinds are read`() throws {
    let archive = try open(ZipBytes([.init("s", []), .init("d", [], .deflated)]).bytes)
    for name in ["s", "d"] { #expect(try archive.entry(name)?.bytes(limit: 0) == []) }
  }

  @Test func `Parts of an entry are read before and after its checksum is known`() throws {
    for method in [ZipBytes.Method.stored, .deflated] {
      let entry = try #require(try open(ZipBytes([.init("a", data, method)]).bytes).entry("a"))
      for _ in 0..<2 {
        var part = [UInt8](repeating: 0, count: 10)
        try part.withUnsafeMutableBytes { try entry.read(into: $0, at: 5) }
        #expect(part == Array(data[5..<15]))
      }
    }
  }

  @Test func `A comment that looks like an end record is no end`() throws {
    let comment = ZipBytes.end(count: 0, directoryBytes: 0, offset: 0) + [0]
    #expect(try open(ZipBytes([.init("a", data)], comment: comment).bytes).entries.count == 1)
  }

  @Test func `A part of a damaged entry is refused as the whole is`() throws {
    for method in [ZipBytes.Method.stored, .deflated] {
      var zip = ZipBytes.Entry("a", data, method)
      zip.checksum ^= 1
      let entry = try #require(try open(ZipBytes([zip]).bytes).entry("a"))
      var part = [UInt8](repeating: 0, count: 2)
      let error = refusal { try part.withUnsafeMutableBytes { try entry.read(into: $0, at: 1) } }
      #expect(error?.description.contains("expected CRC-32") == true)
    }
  }

  @Test func `What is no zip archive or cut off is refused`() {
    #expect(refused([1, 2, 3]).hasPrefix("expected a zip archive's end record, found none"))
    #expect(refused([]).hasPrefix("expected a zip archive's end record, found none"))
  }

  @Test func `Entries that overlap are refused`() {
    var second = ZipBytes.Entry("b", data)
    second.offset = 10
    #expect(
      refused(ZipBytes([.init("a", data), second]).bytes).contains(
        "expected \"a\" to end before \"b\" begins at offset 10"))
  }

  @Test func `Two entries of one name are refused`() {
    #expect(
      refused(ZipBytes([.init("a", data), .init("a", [])]).bytes)
        == "central directory: expected each name once, found \"a\" twice")
  }

  @Test func `An entry that declares more than deflate can make is refused`() {
    var entry = ZipBytes.Entry("a", data, .deflated)
    entry.byteCount = UInt32(entry.data.count * Limits.deflateRatio + 1)
    #expect(refused(ZipBytes([entry]).bytes).contains("deflated ones, found \(entry.byteCount) declared"))
  }

  @Test func `An entry that inflates to more or less than it declares is refused`() {
    for difference in [-1, 1] {
      var entry = ZipBytes.Entry("a", data, .deflated)
      entry.byteCount = UInt32(data.count + difference)
      #expect(refused(ZipBytes([entry]).bytes).hasPrefix("a: expected "))
    }
  }

  @Test func `A stored entry with two sizes is refused`() {
    var entry = ZipBytes.Entry("a", data)
    entry.byteCount += 1
    #expect(refused(ZipBytes([entry]).bytes).contains("expected a stored entry's two sizes to be equal"))
  }

  @Test func `Encrypted and otherwise packed entries are refused by name`() {
    var entry = ZipBytes.Entry("a", data)
    entry.flags = 1
    #expect(refused(ZipBytes([entry]).bytes).contains("found \"a\" encrypted"))
    entry.flags = 0
    entry.method = 12
    #expect(refused(ZipBytes([entry]).bytes).contains("found compression method 12"))
  }

  @Test func `Bytes between entries and directory are refused`() {
    var bytes = ZipBytes([.init("a", data)]).bytes
    bytes.insert(0, at: bytes.count - 22)
    #expect(refused(bytes).hasPrefix("central directory: expected it to end at offset"))
  }

  @Test func `More entries than allowed are refused before they are read`() {
    var bytes: [UInt8] = []
    put(&bytes, 0x0606_4b50, 4)
    put(&bytes, 44, 8)
    put(&bytes, 0x002d_002d, 4)
    put(&bytes, 0, 8)
    put(&bytes, UInt64(Limits.zipEntries + 1), 8)
    put(&bytes, UInt64(Limits.zipEntries + 1), 8)
    put(&bytes, 0, 8)
    put(&bytes, 0, 8)
    put(&bytes, 0x0706_4b50, 4)
    put(&bytes, 0, 4)
    put(&bytes, 0, 8)
    put(&bytes, 1, 4)
    bytes += ZipBytes.end(count: 0xffff, directoryBytes: 0xffff_ffff, offset: 0xffff_ffff)
    #expect(
      refused(bytes)
        == "central directory: expected at most \(Limits.zipEntries) entries, found \(Limits.zipEntries + 1)")
  }

  @Test func `A directory larger than allowed is refused before it is read`() {
    let count = Limits.zipDirectoryBytes + 1
    #expect(
      refused(ZipBytes.end(count: 1, directoryBytes: count, offset: 0))
        == "central directory: expected at most \(Limits.zipDirectoryBytes) bytes, found \(count)")
  }

  @Test func `A name longer than allowed is refused`() {
    let name = String(repeating: "n", count: Limits.zipNameBytes + 1)
    #expect(
      refused(ZipBytes([.init(name, data)]).bytes).contains("expected a name of 1 to \(Limits.zipNameBytes) bytes"))
  }

  @Test func `An entry larger than its use allows is refused before it is read`() throws {
    let entry = try #require(try open(ZipBytes([.init("a", data)]).bytes).entry("a"))
    #expect(refusal { _ = try entry.bytes(limit: 5) }?.kind == .limitExceeded)
  }

  @Test(arguments: [UInt64(0), 40, UInt64(UInt32.max)])
  func `What the writer writes is read again by us and by unzip, with zip64 fields and without`(largeFrom: UInt64)
    throws
  {
    let path = folder.path("written.zip")
    let writer = try ZipWriter(path, largeFrom: largeFrom)
    try writer.add("x/plain", data)
    try writer.add("x/ä", Array(data.reversed()), alignment: 64)
    try writer.add("empty", [], alignment: 64)
    try writer.finish()
    let archive = try ZipArchive(path: path)
    #expect(archive.entries.map { $0.name } == ["x/plain", "x/ä", "empty"])
    #expect(try archive.entry("x/ä")?.bytes(limit: 100) == Array(data.reversed()))
    #expect(try Command.output(["unzip", "-p", path, "x/plain"]) == data)
    #expect(try Command.output(["unzip", "-p", path, "empty"]) == [])
    let bytes = try TemporaryFolder.read(path)
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: data.reversed()) })
    #expect(start % 64 == 0)
  }

  @Test func `An archive that is not finished leaves nothing behind`() throws {
    do {
      let writer = try ZipWriter(folder.path("half.zip"))
      try writer.add("a", data)
    }
    #expect(try folder.entries() == [])
  }

  @Test func `The writer refuses a second entry of the same name`() throws {
    let writer = try ZipWriter(folder.path("twice.zip"))
    try writer.add("a", data)
    #expect(refusal { try writer.add("a", data) }?.message == "expected each name once, found \"a\" twice")
  }
}

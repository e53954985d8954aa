package import ERIFormat
import Synchronization

/// One file of a zip archive, stored or deflated. Its bytes are read when asked for and its checksum is held against them.
package final class ZipEntry: Sendable {
  static let headerBytes = 30
  /// Bytes read at a time: large enough for a disk, small enough to be in the cache still when they are summed.
  private static let blockBytes = 1 << 20

  package let name: String
  /// Bytes unpacked.
  package let byteCount: Int
  private let record: ZipRecord
  private let file: FileHandle
  private let path: String
  private let end: UInt64
  /// Whether the checksum has been compared with all bytes, so that a part may be read by itself.
  private let isVerified = Atomic(false)

  /// - Parameter end: the offset that the entry must not pass.
  init(_ record: ZipRecord, in file: FileHandle, path: String, end: UInt64) throws(FormatError) {
    guard record.method == 0 || record.method == 8 else {
      throw FormatError(
        .unsupported, at: record.name,
        "expected a stored or deflated entry, found compression method \(record.method); pack it again with deflate")
    }
    guard let byteCount = Int(exactly: record.byteCount), byteCount <= Int.max / 2 else {
      throw FormatError(.invalid, at: record.name, "expected at most \(Int.max / 2) bytes, found \(record.byteCount)")
    }
    if record.method == 0 {
      guard record.compressedBytes == record.byteCount else {
        throw FormatError(
          .invalid, at: record.name,
          "expected a stored entry's two sizes to be equal, found \(record.compressedBytes) and \(record.byteCount)")
      }
    } else {
      let (most, overflow) = record.compressedBytes.multipliedReportingOverflow(by: UInt64(Limits.deflateRatio))
      guard overflow || record.byteCount <= most else {
        throw FormatError(
          .invalid, at: record.name,
          "expected at most \(most) bytes from \(record.compressedBytes) deflated ones, found \(record.byteCount) declared"
        )
      }
    }
    name = record.name
    self.byteCount = byteCount
    self.record = record
    self.file = file
    self.path = path
    self.end = end
  }

  /// The whole entry, checked.
  /// - Parameter limit: the most bytes it may have.
  package func bytes(limit: Int) throws(FormatError) -> [UInt8] {
    guard byteCount <= limit else {
      throw FormatError(.limitExceeded, at: place, "expected at most \(limit) bytes, found \(byteCount)")
    }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var failure: FormatError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(FormatError) { try read(into: buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Copies the bytes from an offset on.
  /// - Throws: `FormatError` `.invalid` if the entry is damaged anywhere, `.inputOutput`.
  package func read(into memory: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormatError) {
    try checkRange(offset, memory.count)
    var position = 0
    let isStored = record.method == 0
    let isWhole = memory.count == byteCount
    if isStored && (isWhole || isVerified.load(ordering: .acquiring)) {
      do throws(FormatError) {
        try readStored(memory, at: offset, checked: isWhole)
      } catch {
        throw error.inside(place)
      }
      return
    }
    try forEachBlock(in: offset..<(offset + memory.count), elementBytes: 1) { block in
      UnsafeMutableRawBufferPointer(rebasing: memory[position...]).copyMemory(from: block)
      position += block.count
    }
  }

  /// Hands over the bytes of a range in order, in blocks of whole elements counted from the range's beginning.
  /// - Throws: as `read`.
  package func forEachBlock(
    in range: Range<Int>, elementBytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    try checkRange(range.lowerBound, range.count)
    do throws(FormatError) {
      if record.method == 0 && isVerified.load(ordering: .acquiring) {
        try forEachStoredBlock(range, of: range, elementBytes, body)
      } else if record.method == 0 {
        try forEachStoredBlock(0..<byteCount, of: range, elementBytes, body)
      } else {
        try forEachInflatedBlock(range, elementBytes, body)
      }
    } catch {
      throw error.inside(place)
    }
  }

  /// The first bytes, not held against the checksum: enough to learn what the entry is.
  package func beginning(_ count: Int) throws(FormatError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: min(max(count, 0), byteCount))
    var failure: FormatError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(FormatError) {
        if record.method == 0 {
          try readStored(buffer, at: 0, checked: false)
        } else if try ZipInflation(file, try dataOffset(), record.compressedBytes).fill(buffer) != buffer.count {
          throw FormatError(
            .invalid, at: "", "expected \(byteCount) inflated bytes, found fewer; the file is damaged")
        }
      } catch { failure = error.inside(place) }
    }
    if let failure { throw failure }
    return bytes
  }

  private var place: String { "\(path): \(name)" }

  private func checkRange(_ offset: Int, _ count: Int) throws(FormatError) {
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
      throw FormatError(
        .invalid, at: place, "expected \(count) bytes from offset \(offset), found \(byteCount) bytes in all")
    }
  }

  /// Where the bytes begin, which only the local header tells; what else it says must agree with the directory.
  private func dataOffset() throws(FormatError) -> UInt64 {
    let header = ByteFields(try file.bytes(ZipEntry.headerBytes, at: record.localOffset))
    guard header.u32(0) == 0x0403_4b50, let flags = header.u16(6), let method = header.u16(8),
      let nameCount = header.u16(26), let extraCount = header.u16(28), method == record.method, flags & 0x2041 == 0,
      Int(nameCount) == record.nameBytes.count,
      try file.bytes(Int(nameCount), at: record.localOffset + UInt64(ZipEntry.headerBytes)) == record.nameBytes
    else {
      throw FormatError(
        .invalid, at: "",
        "expected a header like the central directory's at offset \(record.localOffset), found another; the file is damaged"
      )
    }
    let offset = record.localOffset + UInt64(ZipEntry.headerBytes + Int(nameCount) + Int(extraCount))
    guard offset <= end, end - offset >= record.compressedBytes else {
      throw FormatError(
        .invalid, at: "",
        "expected \(record.compressedBytes) bytes from offset \(offset) to end by \(end), where something else begins")
    }
    return offset
  }

  private func check(_ checksum: ZipChecksum) throws(FormatError) {
    guard checksum.value == record.checksum else {
      throw FormatError(
        .invalid, at: "",
        "expected CRC-32 \(hexadecimal(record.checksum)), found \(hexadecimal(checksum.value)); the file is damaged")
    }
    isVerified.store(true, ordering: .releasing)
  }

  private func readStored(
    _ memory: UnsafeMutableRawBufferPointer, at offset: Int, checked: Bool
  ) throws(FormatError) {
    let start = try dataOffset() + UInt64(offset)
    var checksum = ZipChecksum()
    var position = 0
    while position < memory.count {
      let count = min(ZipEntry.blockBytes, memory.count - position)
      let block = UnsafeMutableRawBufferPointer(rebasing: memory[position..<(position + count)])
      try file.read(into: block, at: start + UInt64(position))
      if checked { checksum.update(UnsafeRawBufferPointer(block)) }
      position += count
    }
    if checked { try check(checksum) }
  }

  private func forEachStoredBlock(
    _ read: Range<Int>, of range: Range<Int>, _ elementBytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    let start = try dataOffset()
    let blocks = try BlockBuffer(ZipEntry.blockBytes, elementBytes)
    defer { withExtendedLifetime(blocks) {} }
    var checksum = ZipChecksum()
    var position = read.lowerBound
    while position < read.upperBound {
      let block = blocks.prefix(ZipEntry.blockEnd(position, range, byteCount: read.upperBound) - position)
      try file.read(into: block, at: start + UInt64(position))
      checksum.update(UnsafeRawBufferPointer(block))
      if range.contains(position) { body(UnsafeRawBufferPointer(block)) }
      position += block.count
    }
    if read.count == byteCount { try check(checksum) }
  }

  private func forEachInflatedBlock(
    _ range: Range<Int>, _ elementBytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    let start = try dataOffset()
    let blocks = try BlockBuffer(ZipEntry.blockBytes, elementBytes)
    defer { withExtendedLifetime(blocks) {} }
    let inflation = try ZipInflation(file, start, record.compressedBytes)
    var checksum = ZipChecksum()
    var position = 0
    while position < byteCount {
      let block = blocks.prefix(ZipEntry.blockEnd(position, range, byteCount: byteCount) - position)
      let filled = try inflation.fill(block)
      guard filled == block.count else {
        throw FormatError(
          .invalid, at: "", "expected \(byteCount) inflated bytes, found \(position + filled); the file is damaged")
      }
      checksum.update(UnsafeRawBufferPointer(block))
      if range.contains(position) { body(UnsafeRawBufferPointer(block)) }
      position += block.count
    }
    guard try inflation.isAtEnd() else {
      throw FormatError(
        .invalid, at: "",
        "expected the deflated data to end with its \(byteCount) bytes, found more; the file is damaged")
    }
    try check(checksum)
  }

  /// The end of the block at a position: blocks break where the wanted range begins and ends.
  private static func blockEnd(_ position: Int, _ range: Range<Int>, byteCount: Int) -> Int {
    let border =
      position < range.lowerBound ? range.lowerBound : position < range.upperBound ? range.upperBound : byteCount
    return min(border, position + blockBytes)
  }
}

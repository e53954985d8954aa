import CERISystem
package import ERIFormat

/// Writes a zip archive of stored entries; the file appears whole or not at all, and equal contents give equal bytes.
///
/// Zip64 fields are written where a number needs them and only there.
package final class ZipWriter {
  /// 1 January 1980, midnight: the earliest date that the format has.
  private static let date: UInt16 = 0x0021
  private static let escaped = UInt32.max

  private struct Record {
    var nameBytes: [UInt8]
    var byteCount: UInt64
    var localOffset: UInt64
    var checksum: UInt32
    var isLarge: Bool
  }

  private let path: String
  private let largeFrom: UInt64
  private var output: OpaquePointer?
  private var position: UInt64 = 0
  private var records: [Record] = []
  private var names: Set<String> = []
  private var checksum = ZipChecksum()
  private var remaining: UInt64 = 0

  /// - Parameter largeFrom: sizes and offsets from here on stand in zip64 fields; lower only to test them.
  /// - Throws: `FormatError` `.inputOutput` if the file cannot be made.
  package init(_ path: String, largeFrom: UInt64 = UInt64(UInt32.max)) throws(FormatError) {
    self.path = path
    self.largeFrom = largeFrom
    var code: Int32 = 0
    guard !path.utf8.contains(0), let output = eri_writer_create(path, &code) else {
      throw FormatError(.inputOutput, at: path, "cannot be written: \(String(cString: eri_error_message(code)))")
    }
    self.output = output
  }

  deinit { eri_writer_abandon(output) }

  /// Adds an entry whose bytes are at hand.
  package func add(_ name: String, _ bytes: [UInt8], alignment: Int = 1) throws(FormatError) {
    try begin(name, byteCount: bytes.count, alignment: alignment)
    var failure: FormatError?
    bytes.withUnsafeBytes { buffer in
      do throws(FormatError) { try append(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    try end()
  }

  /// Begins an entry; its bytes follow by `append`.
  /// - Parameters:
  ///   - byteCount: how many they will be.
  ///   - alignment: what the offset of the first is a multiple of, by an extra field "FB" full of "Z" as PyTorch has it.
  /// - Throws: `FormatError` `.invalid` for a name that is there already, `.limitExceeded`, `.inputOutput`.
  package func begin(_ name: String, byteCount: Int, alignment: Int = 1) throws(FormatError) {
    let nameBytes = Array(name.utf8)
    guard nameBytes.count > 0, nameBytes.count <= Limits.zipNameBytes, !nameBytes.contains(0) else {
      throw FormatError(
        .limitExceeded, at: "\(path): \"\(name)\"",
        "expected a name of 1 to \(Limits.zipNameBytes) bytes without zero, found \(nameBytes.count)")
    }
    guard names.insert(name).inserted else {
      throw FormatError(.invalid, at: path, "expected each name once, found \"\(name)\" twice")
    }
    guard records.count < Limits.zipEntries else {
      throw FormatError(.limitExceeded, at: path, "expected at most \(Limits.zipEntries) entries, found more")
    }
    let isLarge = UInt64(byteCount) >= largeFrom
    let record = Record(
      nameBytes: nameBytes, byteCount: UInt64(byteCount), localOffset: position, checksum: 0, isLarge: isLarge)
    var extra: [UInt8] = []
    if isLarge { extra.append(numbers: [.u16(1), .u16(16), .u64(record.byteCount), .u64(record.byteCount)]) }
    let unpadded = position + UInt64(ZipEntry.headerBytes + nameBytes.count + extra.count)
    if alignment > 1 {
      // A field takes four bytes even when it is empty.
      let padding = (UInt64(alignment) - (unpadded + 4) % UInt64(alignment)) % UInt64(alignment)
      extra += Array("FB".utf8)
      extra.append(numbers: [.u16(UInt16(truncatingIfNeeded: padding))])
      extra += [UInt8](repeating: 0x5a, count: Int(padding))
    }
    let size = isLarge ? ZipWriter.escaped : UInt32(truncatingIfNeeded: byteCount)
    var header: [UInt8] = []
    header.append(numbers: [
      .u32(0x0403_4b50), .u16(isLarge ? 45 : 20), .u16(ZipWriter.flags(nameBytes)), .u16(0), .u16(0),
      .u16(ZipWriter.date), .u32(0), .u32(size), .u32(size), .u16(UInt16(nameBytes.count)), .u16(UInt16(extra.count)),
    ])
    try write(header + nameBytes + extra)
    records.append(record)
    checksum = ZipChecksum()
    remaining = record.byteCount
  }

  /// The next bytes of the entry that was begun.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    guard UInt64(bytes.count) <= remaining else {
      throw FormatError(.invalid, at: path, "expected \(remaining) bytes more of an entry, found \(bytes.count)")
    }
    checksum.update(bytes)
    try check(eri_writer_append(output, bytes.baseAddress, bytes.count))
    remaining -= UInt64(bytes.count)
    position += UInt64(bytes.count)
  }

  /// Appends a tensor's values to the entry that was begun.
  /// - Throws: `FormatError` of the values' reading or the file's writing.
  func append(_ tensor: Tensor) throws(FormatError) {
    let block = try TensorBlock(tensor)
    try withExtendedLifetime(block) { () throws(FormatError) in try append(block.bytes) }
  }

  /// Ends the entry: its checksum goes into the header that was written before it was known.
  package func end() throws(FormatError) {
    guard remaining == 0, let index = records.indices.last else {
      throw FormatError(.invalid, at: path, "expected \(remaining) bytes more of an entry, found its end")
    }
    records[index].checksum = checksum.value
    var bytes: [UInt8] = []
    bytes.append(numbers: [.u32(checksum.value)])
    try check(eri_writer_overwrite(output, bytes, bytes.count, records[index].localOffset + 14))
  }

  /// Writes the directory and puts the file in its place.
  package func finish() throws(FormatError) {
    let start = position
    for record in records { try write(directoryRecord(record)) }
    try write(end(directory: start))
    guard let output else { return }
    self.output = nil
    try check(eri_writer_commit(output))
  }

  private func directoryRecord(_ record: Record) -> [UInt8] {
    let isFar = record.localOffset >= largeFrom
    var extra: [UInt8] = []
    if record.isLarge { extra.append(numbers: [.u64(record.byteCount), .u64(record.byteCount)]) }
    if isFar { extra.append(numbers: [.u64(record.localOffset)]) }
    var field: [UInt8] = []
    if !extra.isEmpty { field.append(numbers: [.u16(1), .u16(UInt16(extra.count))]) }
    let version: UInt16 = record.isLarge || isFar ? 45 : 20
    let size = record.isLarge ? ZipWriter.escaped : UInt32(truncatingIfNeeded: record.byteCount)
    var bytes: [UInt8] = []
    bytes.append(numbers: [
      .u32(0x0201_4b50), .u16(version), .u16(version), .u16(ZipWriter.flags(record.nameBytes)), .u16(0), .u16(0),
      .u16(ZipWriter.date), .u32(record.checksum), .u32(size), .u32(size), .u16(UInt16(record.nameBytes.count)),
      .u16(UInt16(field.count + extra.count)), .u16(0), .u16(0), .u16(0), .u32(0),
      .u32(isFar ? ZipWriter.escaped : UInt32(truncatingIfNeeded: record.localOffset)),
    ])
    return bytes + record.nameBytes + field + extra
  }

  private func end(directory start: UInt64) -> [UInt8] {
    let byteCount = position - start
    let count = UInt64(records.count)
    let isLarge = start >= largeFrom || byteCount >= largeFrom || count >= 0xffff
    var bytes: [UInt8] = []
    if isLarge {
      bytes.append(numbers: [
        .u32(0x0606_4b50), .u64(44), .u16(45), .u16(45), .u32(0), .u32(0), .u64(count), .u64(count), .u64(byteCount),
        .u64(start), .u32(0x0706_4b50), .u32(0), .u64(position), .u32(1),
      ])
    }
    let shortCount = isLarge ? 0xffff : UInt16(truncatingIfNeeded: count)
    bytes.append(numbers: [
      .u32(0x0605_4b50), .u16(0), .u16(0), .u16(shortCount), .u16(shortCount),
      .u32(isLarge ? ZipWriter.escaped : UInt32(truncatingIfNeeded: byteCount)),
      .u32(isLarge ? ZipWriter.escaped : UInt32(truncatingIfNeeded: start)), .u16(0),
    ])
    return bytes
  }

  /// Bit 11: the name is UTF-8.
  private static func flags(_ nameBytes: [UInt8]) -> UInt16 { nameBytes.allSatisfy { $0 < 0x80 } ? 0 : 0x0800 }

  private func write(_ bytes: [UInt8]) throws(FormatError) {
    try check(eri_writer_append(output, bytes, bytes.count))
    position += UInt64(bytes.count)
  }

  private func check(_ status: Int32) throws(FormatError) {
    guard status == 0 else {
      throw FormatError(.inputOutput, at: path, "cannot be written: \(String(cString: eri_error_message(status)))")
    }
  }
}

/// A number of a fixed size, written lowest byte first.
enum FixedNumber {
  case u16(UInt16)
  case u32(UInt32)
  case u64(UInt64)
}

extension Array where Element == UInt8 {
  /// Appends numbers, each lowest byte first.
  mutating func append(numbers: [FixedNumber]) {
    for number in numbers {
      switch number {
      case .u16(let value): appendLittleEndian(value)
      case .u32(let value): appendLittleEndian(value)
      case .u64(let value): appendLittleEndian(value)
      }
    }
  }
}

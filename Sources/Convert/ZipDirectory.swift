import ERIFormat

/// What the central directory says of one entry.
struct ZipRecord {
  var name: String
  var nameBytes: [UInt8]
  var method: UInt16
  var checksum: UInt32
  var compressedBytes: UInt64
  var byteCount: UInt64
  var localOffset: UInt64
}

/// Reads a zip archive's end and its central directory (APPNOTE 6.3: 4.3.12 to 4.3.16), the only word on what it holds.
struct ZipDirectory {
  private static let endBytes = 22
  private static let longestComment = 65_535
  private static let locatorBytes = 20
  private static let largeEndBytes = 56
  private static let recordBytes = 46

  let records: [ZipRecord]
  /// Where the directory begins and with it the entries end.
  let offset: UInt64

  init(_ file: FileHandle) throws(FormatError) {
    let place = try ZipDirectory.locate(file)
    offset = place.offset
    records = try ZipDirectory.records(try file.bytes(Int(place.byteCount), at: place.offset), place.count)
  }

  private struct Place {
    var offset: UInt64
    var byteCount: UInt64
    var count: UInt64
  }

  private static func locate(_ file: FileHandle) throws(FormatError) -> Place {
    let tailBytes = Int(min(file.byteCount, UInt64(endBytes + longestComment)))
    let tailOffset = file.byteCount - UInt64(tailBytes)
    let tail = ByteFields(try file.bytes(tailBytes, at: tailOffset))
    // The comment may hold anything; the end record is the one whose comment reaches the file's end.
    var position = tailBytes - endBytes
    while position >= 0 {
      if tail.u32(position) == 0x0605_4b50, tail.u16(position + 20) == UInt16(tailBytes - endBytes - position) { break }
      position -= 1
    }
    guard position >= 0, let disk = tail.u16(position + 4), let directoryDisk = tail.u16(position + 6),
      let countHere = tail.u16(position + 8), let count = tail.u16(position + 10),
      let byteCount = tail.u32(position + 12), let offset = tail.u32(position + 16)
    else {
      throw FormatError(
        .invalid, at: "", "expected a zip archive's end record, found none; the file is cut off or no zip archive")
    }
    let end = tailOffset + UInt64(position)
    var place = Place(offset: UInt64(offset), byteCount: UInt64(byteCount), count: UInt64(count))
    var directoryEnd = end
    if let large = try largePlace(file, before: end) {
      guard [UInt64(0xffff), large.place.count].contains(place.count),
        [UInt64(0xffff_ffff), large.place.byteCount].contains(place.byteCount),
        [UInt64(0xffff_ffff), large.place.offset].contains(place.offset)
      else {
        throw FormatError(.invalid, at: "", "expected the two end records to agree, found different ones")
      }
      (place, directoryEnd) = large
    } else if disk != 0 || directoryDisk != 0 || countHere != count {
      throw FormatError(.unsupported, at: "", "expected a zip archive in one piece, found a part of a split one")
    }
    guard place.byteCount <= UInt64(Limits.zipDirectoryBytes) else {
      throw FormatError(
        .limitExceeded, at: "central directory",
        "expected at most \(Limits.zipDirectoryBytes) bytes, found \(place.byteCount)")
    }
    guard place.count <= UInt64(Limits.zipEntries) else {
      throw FormatError(
        .limitExceeded, at: "central directory", "expected at most \(Limits.zipEntries) entries, found \(place.count)")
    }
    let (reach, overflow) = place.offset.addingReportingOverflow(place.byteCount)
    guard !overflow, reach == directoryEnd else {
      throw FormatError(
        .invalid, at: "central directory",
        "expected it to end at offset \(directoryEnd), where its end record stands, found \(place.byteCount) bytes at "
          + "offset \(place.offset)")
    }
    return place
  }

  /// What the zip64 end record says and where it stands, if there is one. PyTorch writes one whatever the size.
  private static func largePlace(
    _ file: FileHandle, before end: UInt64
  ) throws(FormatError) -> (place: Place, end: UInt64)? {
    guard end >= UInt64(locatorBytes) else { return nil }
    let locatorOffset = end - UInt64(locatorBytes)
    let locator = ByteFields(try file.bytes(locatorBytes, at: locatorOffset))
    guard locator.u32(0) == 0x0706_4b50, let offset = locator.u64(8) else { return nil }
    guard locatorOffset >= UInt64(largeEndBytes), offset <= locatorOffset - UInt64(largeEndBytes) else {
      throw FormatError(
        .invalid, at: "zip64 locator", "expected an end record before offset \(locatorOffset), found offset \(offset)")
    }
    let record = ByteFields(try file.bytes(largeEndBytes, at: offset))
    guard record.u32(0) == 0x0606_4b50, let disk = record.u32(16), let directoryDisk = record.u32(20),
      let countHere = record.u64(24), let count = record.u64(32), let byteCount = record.u64(40),
      let directory = record.u64(48)
    else {
      throw FormatError(
        .invalid, at: "zip64 locator", "expected a zip64 end record at offset \(offset), found other bytes")
    }
    guard disk == 0, directoryDisk == 0, countHere == count else {
      throw FormatError(.unsupported, at: "", "expected a zip archive in one piece, found a part of a split one")
    }
    return (Place(offset: directory, byteCount: byteCount, count: count), offset)
  }

  private static func records(_ bytes: [UInt8], _ count: UInt64) throws(FormatError) -> [ZipRecord] {
    let fields = ByteFields(bytes)
    var records: [ZipRecord] = []
    records.reserveCapacity(min(Int(count), bytes.count / recordBytes))
    var position = 0
    for index in 0..<Int(count) {
      do throws(FormatError) {
        records.append(try record(fields, &position))
      } catch {
        throw error.inside("central directory: entry \(index)")
      }
    }
    guard position == bytes.count else {
      throw FormatError(
        .invalid, at: "central directory",
        "expected \(count) entries in \(bytes.count) bytes, found them in \(position)")
    }
    return records
  }

  private static func record(_ fields: ByteFields, _ position: inout Int) throws(FormatError) -> ZipRecord {
    guard fields.u32(position) == 0x0201_4b50, let flags = fields.u16(position + 8),
      let method = fields.u16(position + 10), let checksum = fields.u32(position + 16),
      let compressed = fields.u32(position + 20), let byteCount = fields.u32(position + 24),
      let nameCount = fields.u16(position + 28), let extraCount = fields.u16(position + 30),
      let commentCount = fields.u16(position + 32), let localOffset = fields.u32(position + 42)
    else {
      throw FormatError(.invalid, at: "", "expected an entry's record, found the end of the directory or other bytes")
    }
    guard nameCount > 0, nameCount <= UInt16(Limits.zipNameBytes) else {
      throw FormatError(
        .limitExceeded, at: "", "expected a name of 1 to \(Limits.zipNameBytes) bytes, found \(nameCount)")
    }
    let nameStart = position + recordBytes
    let extraStart = nameStart + Int(nameCount)
    let next = extraStart + Int(extraCount) + Int(commentCount)
    guard next <= fields.bytes.count else {
      throw FormatError(.invalid, at: "", "expected an entry's name and fields, found the end of the directory")
    }
    let nameBytes = Array(fields.bytes[nameStart..<extraStart])
    guard let name = String(validating: nameBytes, as: UTF8.self), !nameBytes.contains(0) else {
      throw FormatError(.invalid, at: "", "expected a name in UTF-8 without zero bytes, found other bytes")
    }
    guard flags & 0x2041 == 0 else {
      throw FormatError(
        .unsupported, at: "", "expected an entry without a password, found \"\(name)\" encrypted; unpack it first")
    }
    var record = ZipRecord(
      name: name, nameBytes: nameBytes, method: method, checksum: checksum, compressedBytes: UInt64(compressed),
      byteCount: UInt64(byteCount), localOffset: UInt64(localOffset))
    try widen(&record, fields, extraStart..<(extraStart + Int(extraCount)))
    position = next
    return record
  }

  /// Takes what does not fit 32 bits from the zip64 extra field.
  private static func widen(
    _ record: inout ZipRecord, _ fields: ByteFields, _ range: Range<Int>
  ) throws(FormatError) {
    let escaped = UInt64(UInt32.max)
    guard record.byteCount == escaped || record.compressedBytes == escaped || record.localOffset == escaped else {
      return
    }
    var position = range.lowerBound
    while range.upperBound - position >= 4, let id = fields.u16(position), let count = fields.u16(position + 2) {
      var field = position + 4
      let end = field + Int(count)
      guard end <= range.upperBound else { break }
      position = end
      guard id == 1 else { continue }
      func next() throws(FormatError) -> UInt64 {
        guard end - field >= 8, let value = fields.u64(field) else {
          throw FormatError(
            .invalid, at: "", "expected 64-bit sizes in \"\(record.name)\"'s zip64 field, found its end")
        }
        field += 8
        return value
      }
      if record.byteCount == escaped { record.byteCount = try next() }
      if record.compressedBytes == escaped { record.compressedBytes = try next() }
      if record.localOffset == escaped { record.localOffset = try next() }
      return
    }
    // Without the field, 0xFFFFFFFF is meant as it stands; the checks of ranges decide whether it can be.
  }
}

/// Little-endian numbers at offsets of bytes; nil beyond their end.
struct ByteFields {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func u16(_ offset: Int) -> UInt16? { bytes.littleEndian(UInt16.self, at: offset) }
  func u32(_ offset: Int) -> UInt32? { bytes.littleEndian(UInt32.self, at: offset) }
  func u64(_ offset: Int) -> UInt64? { bytes.littleEndian(UInt64.self, at: offset) }
}

/// A skippable frame that holds one tensor's values as they are, aligned so that a map of the file can be used in place.
enum UnpackedFrame {
  static let magic: UInt32 = 0x184D_2A52
  /// What the values' offset in the file is a multiple of.
  static let alignment = 64
  /// The longest header: the frame's own and 63 zeros.
  static let largestHeader = SkippableFrame.headerBytes + alignment - 1
  /// A skippable frame states its size in 32 bits.
  static let largestTensor = Int(clamping: UInt32.max - UInt32(largestHeader))

  /// Bytes from the frame's begin at `offset` to the values: the frame's header and the zeros that align them.
  static func headerBytes(at offset: UInt64) -> Int {
    let misaligned = Int((offset + UInt64(SkippableFrame.headerBytes)) % UInt64(alignment))
    return SkippableFrame.headerBytes + (misaligned == 0 ? 0 : alignment - misaligned)
  }

  /// All bytes before the values of a frame at `offset`.
  static func header(at offset: UInt64, unpackedBytes: Int) -> [UInt8] {
    let count = headerBytes(at: offset)
    let content = count - SkippableFrame.headerBytes + unpackedBytes
    return SkippableFrame.header(magic, UInt32(content))
      + [UInt8](repeating: 0, count: count - SkippableFrame.headerBytes)
  }

  /// CRC32C of a frame.
  static func checksum(_ header: [UInt8], _ values: UnsafeRawBufferPointer) -> UInt32 {
    crc32c(values, continuing: header.withUnsafeBytes { crc32c($0) })
  }

  /// Reads a frame's values into memory of exactly their size.
  static func read(
    _ frame: Frame, of file: ModelFile, into target: UnsafeMutableRawBufferPointer
  ) throws(FormatError) {
    let header = try file.handle.bytes(frame.headerBytes, at: frame.offset)
    guard header == UnpackedFrame.header(at: frame.offset, unpackedBytes: frame.unpackedBytes) else {
      throw contractError("expected the header of a skippable frame and zeros up to the values, found other bytes")
    }
    try file.handle.read(into: target, at: frame.offset + UInt64(frame.headerBytes))
    let computed = checksum(header, UnsafeRawBufferPointer(target))
    guard computed == frame.checksum else {
      throw contractError(
        "expected CRC32C \(hexadecimal(frame.checksum)), found \(hexadecimal(computed)); the file is damaged")
    }
  }
}

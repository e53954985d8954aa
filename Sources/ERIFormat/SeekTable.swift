/// Headers of the zstd frames that decoders skip.
enum SkippableFrame {
  static let headerBytes = 8
  static let directoryMagic: UInt32 = 0x184D_2A51
  static let seekTableMagic: UInt32 = 0x184D_2A5E

  /// The header of a frame with `count` bytes of content.
  static func header(_ magic: UInt32, _ count: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(magic)
    bytes.appendLittleEndian(count)
    return bytes
  }
}

/// The last frame of a file, in zstd's seekable format: the sizes of all frames before it, skippable ones with nothing unpacked.
enum SeekTable {
  static let footerMagic: UInt32 = 0x8F92_EAB1

  /// Bytes of a table of so many frames, its header included.
  static func byteCount(frames: Int) -> Int { SkippableFrame.headerBytes + 8 * frames + 9 }

  /// The table of a file with these data frames and this directory.
  static func encoded(_ frames: [Frame], directoryBytes: UInt32) -> [UInt8] {
    let count = frames.count + 2
    var bytes = SkippableFrame.header(SkippableFrame.seekTableMagic, UInt32(8 * count + 9))
    bytes.reserveCapacity(byteCount(frames: count))
    bytes.appendLittleEndian(UInt32(Prologue.byteCount))
    bytes.appendLittleEndian(UInt32(0))
    for frame in frames {
      bytes.appendLittleEndian(UInt32(frame.storedBytes))
      bytes.appendLittleEndian(frame.headerBytes > 0 ? 0 : UInt32(frame.unpackedBytes))
    }
    bytes.appendLittleEndian(directoryBytes + UInt32(SkippableFrame.headerBytes))
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(UInt32(count))
    // No checksums of its own: each data frame ends with one.
    bytes.append(0)
    bytes.appendLittleEndian(footerMagic)
    return bytes
  }
}

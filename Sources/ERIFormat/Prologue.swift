/// The first 256 bytes of a file: what it is, where its parts lie, and their digests.
struct Prologue: Equatable {
  static let byteCount = 256
  /// The prologue's skippable zstd frame.
  static let frameMagic: UInt32 = 0x184D_2A50
  static let magic: [UInt8] = [0x45, 0x52, 0x49, 0x0D, 0x0A, 0x1A, 0x0A, 0x00]
  /// Required features that this reader knows.
  static let knownFeatures = Feature.unpackedPayload.mask

  var version = FormatVersion.current
  var requiredFeatures: UInt64 = 0
  var optionalFeatures: UInt64 = 0
  var fileBytes: UInt64 = 0
  var directoryOffset: UInt64 = 0
  var directoryBytes: UInt64 = 0
  var unpackedBytes: UInt64 = 0
  var largestTensorBytes: UInt64 = 0
  var frameCount: UInt64 = 0
  var directoryDigest: SHA256Digest
  var digests: Digests

  /// The bytes as stored.
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(Prologue.frameMagic)
    bytes.appendLittleEndian(UInt32(Prologue.byteCount - 8))
    bytes += Prologue.magic
    bytes.appendLittleEndian(version.major)
    bytes.appendLittleEndian(version.minor)
    bytes.appendLittleEndian(UInt32(0))
    for field in [
      requiredFeatures, optionalFeatures, fileBytes, directoryOffset, directoryBytes, unpackedBytes,
      largestTensorBytes, frameCount, 0,
    ] {
      bytes.appendLittleEndian(field)
    }
    bytes += directoryDigest.bytes
    bytes += digests.logical.bytes
    bytes += digests.weights.bytes
    bytes += [UInt8](repeating: 0, count: 60)
    bytes.appendLittleEndian(bytes.withUnsafeBytes { crc32c($0) })
    return bytes
  }

  /// Reads the first bytes of a file.
  /// - Throws: `FormatError` if they are no prologue, are damaged, or are of a newer major version.
  init(decoding bytes: [UInt8]) throws(FormatError) {
    guard bytes.count == Prologue.byteCount else {
      throw Prologue.error("expected an .eri file of at least \(Prologue.byteCount) bytes, found \(bytes.count)")
    }
    func word<Integer: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _ type: Integer.Type) -> Integer {
      bytes.littleEndian(type, at: offset) ?? 0
    }
    guard word(0, UInt32.self) == Prologue.frameMagic, Array(bytes[8..<16]) == Prologue.magic else {
      throw Prologue.error("expected the first bytes of an .eri file, found others")
    }
    let stored = word(252, UInt32.self)
    let computed = bytes.withUnsafeBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[..<252])) }
    guard stored == computed else {
      throw Prologue.error(
        "expected CRC32C \(hexadecimal(stored)), found \(hexadecimal(computed)); the file is damaged")
    }
    version = FormatVersion(word(16, UInt16.self), word(18, UInt16.self))
    guard version.major == FormatVersion.current.major else {
      throw FormatError(
        .unsupported, at: "prologue",
        "expected format version \(FormatVersion.current.major), found \(version.text); "
          + (version.major > FormatVersion.current.major ? "read it with a newer release" : "write it anew"))
    }
    guard word(4, UInt32.self) == UInt32(Prologue.byteCount - 8) else {
      throw Prologue.error("expected a frame of \(Prologue.byteCount - 8) bytes, found \(word(4, UInt32.self))")
    }
    guard word(20, UInt32.self) == 0, word(88, UInt64.self) == 0, bytes[192..<252].allSatisfy({ $0 == 0 }) else {
      throw Prologue.error("expected zeros in the reserved bytes, found others")
    }
    requiredFeatures = word(24, UInt64.self)
    optionalFeatures = word(32, UInt64.self)
    fileBytes = word(40, UInt64.self)
    directoryOffset = word(48, UInt64.self)
    directoryBytes = word(56, UInt64.self)
    unpackedBytes = word(64, UInt64.self)
    largestTensorBytes = word(72, UInt64.self)
    frameCount = word(80, UInt64.self)
    guard let directoryDigest = SHA256Digest(Array(bytes[96..<128])),
      let logical = SHA256Digest(Array(bytes[128..<160])), let weights = SHA256Digest(Array(bytes[160..<192]))
    else { throw Prologue.error("expected three digests, found fewer bytes") }
    self.directoryDigest = directoryDigest
    digests = Digests(logical: logical, weights: weights)
  }

  init(directoryDigest: SHA256Digest, digests: Digests) {
    self.directoryDigest = directoryDigest
    self.digests = digests
  }

  /// Checks that the parts fit a file of this size back to back and keep within the limits.
  func checkLayout(fileBytes actual: UInt64) throws(FormatError) {
    guard fileBytes == actual else {
      throw Prologue.error(
        "expected a file of \(fileBytes) bytes, found \(actual); it is "
          + (actual < fileBytes ? "cut short" : "followed by other data"))
    }
    try Prologue.limit(directoryBytes, UInt64(Limits.directoryBytes), "bytes of directory")
    try Prologue.limit(frameCount, UInt64(Limits.frames), "data frames")
    try Prologue.limit(unpackedBytes, Limits.unpackedBytes, "unpacked bytes")
    let seekTable = UInt64(SeekTable.byteCount(frames: Int(frameCount) + 2))
    let (directoryEnd, overflow) = directoryOffset.addingReportingOverflow(directoryBytes)
    guard !overflow, directoryOffset >= UInt64(Prologue.byteCount + SkippableFrame.headerBytes),
      directoryEnd <= fileBytes, fileBytes - directoryEnd == seekTable
    else {
      throw Prologue.error(
        "expected a directory that ends \(seekTable) bytes before the file's end at \(fileBytes), found "
          + "\(directoryBytes) bytes at \(directoryOffset)")
    }
  }

  private static func limit(_ found: UInt64, _ maximum: UInt64, _ what: String) throws(FormatError) {
    guard found <= maximum else {
      throw FormatError(.limitExceeded, at: "prologue", "expected at most \(maximum) \(what), found \(found)")
    }
  }

  private static func error(_ message: String) -> FormatError { FormatError(.invalid, at: "prologue", message) }
}

/// "0x0001f00d".
package func hexadecimal(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
}

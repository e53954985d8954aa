import CERISystem

/// SHA-256 (FIPS 180-4) over bytes that come piece by piece.
package struct SHA256 {
  private var state = eri_sha256()

  package init() { eri_sha256_init(&state) }

  /// Takes in more bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    eri_sha256_update(&state, bytes.baseAddress, bytes.count)
  }

  /// Takes in more bytes.
  package mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// The digest of all bytes taken in.
  package func finished() -> SHA256Digest {
    var final = state
    var bytes = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    eri_sha256_final(&final, &bytes)
    return SHA256Digest(unchecked: bytes)
  }

  /// The digest of these bytes.
  package static func digest(of bytes: UnsafeRawBufferPointer) -> SHA256Digest {
    var digest = SHA256()
    digest.update(bytes)
    return digest.finished()
  }
}

/// The 32 bytes of a SHA-256.
package struct SHA256Digest: Equatable, Sendable {
  package static let byteCount = 32

  package let bytes: [UInt8]

  fileprivate init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// A digest of stored bytes, or nil unless there are 32.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == SHA256Digest.byteCount else { return nil }
    self.bytes = bytes
  }

  /// 64 lower-case hexadecimal digits.
  package var text: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// CRC32C of bytes (RFC 3720), of all that came before if that is given.
func crc32c(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
  eri_crc32c(crc, bytes.baseAddress, bytes.count)
}

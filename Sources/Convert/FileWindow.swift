import ERIFormat

/// A file seen byte by byte through a buffer, for readers of headers.
final class FileWindow {
  private static let byteCount = 1 << 16

  let file: FileHandle
  private var bytes: [UInt8] = []
  private var start: UInt64 = 0

  init(_ file: FileHandle) { self.file = file }

  /// The byte at an offset below the file's size.
  func byte(at offset: UInt64) throws(FormatError) -> UInt8 {
    if offset < start || offset - start >= UInt64(bytes.count) {
      guard offset < file.byteCount else {
        throw FormatError(.invalid, at: "byte \(offset)", "expected another byte, found the end of the file")
      }
      bytes = try file.bytes(Int(min(UInt64(FileWindow.byteCount), file.byteCount - offset)), at: offset)
      start = offset
    }
    return bytes[Int(offset - start)]
  }
}

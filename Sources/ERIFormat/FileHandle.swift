import CERISystem

/// A file open for reading, closed with the last reference.
///
/// Positioned reads, not a map: a map of a file that someone shortens meanwhile would end the process.
package final class FileHandle: Sendable {
  /// Its size when it was opened.
  package let byteCount: UInt64
  private let descriptor: Int32

  package convenience init(path: String) throws(FormatError) {
    guard !path.utf8.contains(0) else {
      throw FormatError(.inputOutput, at: "", "expected a path without a zero byte, found one")
    }
    try self.init(descriptor: eri_file_open_read(path))
  }

  /// Opens a file that must lie in a folder, by a path relative to it: no `..`, no link on the way.
  package convenience init(path: String, inside folder: String) throws(FormatError) {
    guard !path.utf8.contains(0), !folder.utf8.contains(0) else {
      throw FormatError(.inputOutput, at: "", "expected a path without a zero byte, found one")
    }
    try self.init(descriptor: eri_file_open_read_inside(folder, path))
  }

  private init(descriptor: Int32) throws(FormatError) {
    guard descriptor >= 0 else { throw inputOutputError("a readable file", descriptor) }
    let size = eri_file_size(descriptor)
    guard size >= 0 else {
      eri_file_close(descriptor)
      throw inputOutputError("a file's size", Int32(truncatingIfNeeded: size))
    }
    self.descriptor = descriptor
    byteCount = UInt64(size)
  }

  deinit { eri_file_close(descriptor) }

  /// Fills the buffer with the bytes at an offset.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(FormatError) {
    let status = eri_file_read_at(descriptor, buffer.baseAddress, buffer.count, offset)
    guard status == 0 else { throw inputOutputError("\(buffer.count) bytes at offset \(offset)", status) }
  }

  /// The bytes at an offset; the caller has checked their number against a limit.
  package func bytes(_ count: Int, at offset: UInt64) throws(FormatError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let status = bytes.withUnsafeMutableBytes { eri_file_read_at(descriptor, $0.baseAddress, count, offset) }
    guard status == 0 else { throw inputOutputError("\(count) bytes at offset \(offset)", status) }
    return bytes
  }
}

/// The error of a failed system call that gave a negative errno.
package func inputOutputError(_ expected: String, _ status: Int32) -> FormatError {
  FormatError(
    .inputOutput, at: "", "expected \(expected), found \"\(String(cString: eri_error_message(status)))\"")
}

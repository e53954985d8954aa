import CERISystem

/// A file being written, which replaces an earlier one as a whole when it is committed, and leaves no trace if it is not.
package final class FileWriter {
  private var output: OpaquePointer?
  /// Bytes appended so far.
  package private(set) var byteCount: UInt64 = 0

  /// - Throws: `FormatError` `.inputOutput` if no file can be made beside `path`.
  package init(path: String) throws(FormatError) {
    guard !path.utf8.contains(0) else {
      throw FormatError(.inputOutput, at: "", "expected a path without a zero byte, found one")
    }
    var status: Int32 = 0
    guard let output = eri_writer_create(path, &status) else {
      throw inputOutputError("a file that can be written", status)
    }
    self.output = output
  }

  deinit {
    if let output { eri_writer_abandon(output) }
  }

  /// Adds bytes at the end.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    if bytes.isEmpty { return }
    try check(eri_writer_append(output, bytes.baseAddress, bytes.count))
    byteCount += UInt64(bytes.count)
  }

  /// Adds bytes at the end.
  package func append(_ bytes: [UInt8]) throws(FormatError) {
    try check(eri_writer_append(output, bytes, bytes.count))
    byteCount += UInt64(bytes.count)
  }

  /// Replaces bytes appended earlier.
  package func overwrite(_ bytes: [UInt8], at offset: UInt64) throws(FormatError) {
    try check(eri_writer_overwrite(output, bytes, bytes.count, offset))
  }

  /// Puts the file in its place; nothing can be written afterwards.
  package func commit() throws(FormatError) {
    guard let output else { throw contractError("expected one commit, found a second") }
    self.output = nil
    try check(eri_writer_commit(output))
  }

  /// Writes a text to a file, which replaces an earlier one as a whole or not at all.
  /// - Throws: `FormatError` `.inputOutput` at the path.
  package static func write(_ text: String, to path: String) throws(FormatError) {
    do throws(FormatError) {
      let output = try FileWriter(path: path)
      try output.append(Array(text.utf8))
      try output.commit()
    } catch { throw error.inside(path) }
  }

  private func check(_ status: Int32) throws(FormatError) {
    guard status >= 0 else { throw inputOutputError("the file to be written", status) }
  }
}

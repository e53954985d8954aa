import ERIFormat

/// The bytes of a pickle, taken from front to back: of memory, or of a file that goes on after it.
struct PickleInput {
  private static let bufferBytes = 1 << 16

  private var buffer: [UInt8]
  private var next = 0
  /// Where in the file or memory the buffer begins.
  private var bufferOffset: UInt64 = 0
  private let file: FileHandle?

  /// The bytes of memory.
  init(_ bytes: [UInt8]) {
    buffer = bytes
    file = nil
  }

  /// A file from its beginning.
  init(_ file: FileHandle) {
    buffer = []
    self.file = file
  }

  /// Bytes taken so far.
  var offset: UInt64 { bufferOffset + UInt64(next) }

  /// One byte, or nil at the end.
  mutating func byte() throws(FormatError) -> UInt8? {
    if next == buffer.count { try refill(1) }
    guard next < buffer.count else { return nil }
    defer { next += 1 }
    return buffer[next]
  }

  /// That many bytes, or nil if the input ends before; the caller has checked the count against a limit.
  mutating func bytes(_ count: Int) throws(FormatError) -> ArraySlice<UInt8>? {
    if buffer.count - next < count { try refill(count) }
    guard count >= 0, buffer.count - next >= count else { return nil }
    defer { next += count }
    return buffer[next..<(next + count)]
  }

  /// Moves what is left to the buffer's front and reads on, so that at least `count` bytes are there unless the file ends.
  private mutating func refill(_ count: Int) throws(FormatError) {
    guard let file else { return }
    bufferOffset += UInt64(next)
    buffer.removeSubrange(..<next)
    next = 0
    let position = bufferOffset + UInt64(buffer.count)
    let left = position < file.byteCount ? file.byteCount - position : 0
    let wanted = max(count - buffer.count, PickleInput.bufferBytes)
    buffer += try file.bytes(min(wanted, Int(clamping: left)), at: position)
  }
}

import ERIFormat

/// A run of bytes in a container that tensors are views of. May be read from several threads.
class StorageBytes: @unchecked Sendable {
  let byteCount: Int

  init(byteCount: Int) { self.byteCount = byteCount }

  /// Copies the bytes from an offset on.
  func read(into memory: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormatError) {
    throw FormatError(.invalid, at: "", "expected a storage with bytes, found none")
  }

  /// Hands over the bytes of a range in order, in blocks of whole elements counted from the range's beginning.
  func forEachBlock(
    in range: Range<Int>, elementBytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    throw FormatError(.invalid, at: "", "expected a storage with bytes, found none")
  }
}

/// A part of a zip archive's entry.
final class ZipStorage: StorageBytes, @unchecked Sendable {
  private let entry: ZipEntry
  private let start: Int

  /// - Parameter start: the offset in the entry, whose rest is the storage.
  init(_ entry: ZipEntry, from start: Int = 0) {
    self.entry = entry
    self.start = min(start, entry.byteCount)
    super.init(byteCount: entry.byteCount - self.start)
  }

  override func read(into memory: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormatError) {
    try entry.read(into: memory, at: start + offset)
  }

  override func forEachBlock(
    in range: Range<Int>, elementBytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    try entry.forEachBlock(
      in: (start + range.lowerBound)..<(start + range.upperBound), elementBytes: elementBytes, body)
  }
}

/// A part of a plain file.
final class FileStorage: StorageBytes, @unchecked Sendable {
  private static let blockBytes = 1 << 20

  private let file: FileHandle
  private let path: String
  private let start: UInt64

  /// A part that lies inside the file, as the caller has checked.
  init(_ file: FileHandle, path: String, start: UInt64, byteCount: Int) {
    self.file = file
    self.path = path
    self.start = start
    super.init(byteCount: byteCount)
  }

  override func read(into memory: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormatError) {
    do throws(FormatError) {
      try file.read(into: memory, at: start + UInt64(offset))
    } catch {
      throw error.inside(path)
    }
  }

  override func forEachBlock(
    in range: Range<Int>, elementBytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    let blocks = try BlockBuffer(FileStorage.blockBytes, elementBytes)
    defer { withExtendedLifetime(blocks) {} }
    var position = range.lowerBound
    while position < range.upperBound {
      let block = blocks.prefix(range.upperBound - position)
      try read(into: block, at: position)
      body(UnsafeRawBufferPointer(block))
      position += block.count
    }
  }
}

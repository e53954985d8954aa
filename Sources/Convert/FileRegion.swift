import CERISystem
import ERIFormat

/// Values that stand in a file as .eri has them, row-major little-endian, in one piece or several.
final class FileRegion: TensorSource, @unchecked Sendable {
  /// A piece of a file.
  struct Piece {
    let offset: UInt64
    let count: Int
  }

  private let file: FileHandle
  private let pieces: [Piece]
  private let place: String
  private let isBool: Bool

  /// - Parameters:
  ///   - pieces: ranges that lie within the file.
  ///   - place: the file and the tensor, for errors.
  init(_ file: FileHandle, _ pieces: [Piece], dtype: DType, place: String) {
    self.file = file
    self.pieces = pieces
    self.place = place
    isBool = dtype == .bool
  }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    var filled = 0
    for piece in pieces {
      guard piece.count <= memory.count - filled else { break }
      do throws(FormatError) {
        try file.read(
          into: UnsafeMutableRawBufferPointer(rebasing: memory[filled..<(filled + piece.count)]), at: piece.offset)
      } catch {
        throw error.inside(place)
      }
      filled += piece.count
    }
    let all = pieces.reduce(0) { $0 + $1.count }
    guard filled == memory.count, filled == all else {
      throw FormatError(.invalid, at: place, "expected memory of \(all) bytes, found \(memory.count)")
    }
    if isBool { try requireBools(UnsafeRawBufferPointer(memory), at: place) }
  }
}

/// Requires every byte to be 0 or 1.
func requireBools(_ bytes: UnsafeRawBufferPointer, at place: String) throws(FormatError) {
  for (index, byte) in bytes.enumerated() where byte > 1 {
    throw FormatError(.invalid, at: place, "expected 0 or 1 in a bool tensor, found \(byte) at element \(index)")
  }
}

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

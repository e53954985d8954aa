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

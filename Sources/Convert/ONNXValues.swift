import ERIFormat

/// Values that stand in a file as protobuf's varints, to be narrowed to their own type.
final class VarintRegion: TensorSource, @unchecked Sendable {
  private let file: FileHandle
  private let pieces: [FileRegion.Piece]
  private let dtype: DType
  private let place: String

  /// - Parameter pieces: ranges of whole varints that lie within the file.
  init(_ file: FileHandle, _ pieces: [FileRegion.Piece], dtype: DType, place: String) {
    self.file = file
    self.pieces = pieces
    self.dtype = dtype
    self.place = place
  }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    do throws(FormatError) { try decode(into: memory) } catch { throw error.inside(place) }
  }

  private func decode(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    let window = FileWindow(file)
    let width = dtype.byteCount
    var filled = 0
    for piece in pieces {
      var reader = ProtobufReader(window, from: piece.offset, to: piece.offset + UInt64(piece.count))
      while reader.position < reader.end {
        let value = try reader.varint()
        guard filled + width <= memory.count else {
          throw FormatError(.invalid, at: "", "expected \(memory.count / width) values, found more")
        }
        guard isInRange(value) else {
          throw FormatError(
            .invalid, at: "",
            "expected values of \(dtype.name), found \(Int64(bitPattern: value)) at element \(filled / width)")
        }
        for byte in 0..<width { memory[filled + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
        filled += width
      }
    }
    guard filled == memory.count else {
      throw FormatError(.invalid, at: "", "expected \(memory.count / width) values, found \(filled / width)")
    }
  }

  /// Whether the type holds the number; floats stand as their bits.
  private func isInRange(_ value: UInt64) -> Bool {
    let signed = Int64(bitPattern: value)
    switch dtype {
    case .i64, .u64: return true
    case .i32: return Int32(exactly: signed) != nil
    case .i16: return Int16(exactly: signed) != nil
    case .i8: return Int8(exactly: signed) != nil
    case .u32: return UInt32(exactly: value) != nil
    case .u16, .f16, .bf16: return UInt16(exactly: value) != nil
    case .u8, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: return UInt8(exactly: value) != nil
    // Two share a byte, so that they never stand as varints of their own here.
    case .i4, .u4: return false
    case .bool: return value <= 1
    case .f32, .f64: return false
    }
  }
}

/// Elements of 4 bits, two to a byte of another source, the first in its lower half; each gets a byte of its own.
final class NibbleSource: TensorSource, @unchecked Sendable {
  private let packed: TensorSource
  private let elements: Int
  private let isSigned: Bool

  /// - Parameter packed: `elements` halves, rounded up, in bytes.
  init(_ packed: TensorSource, _ elements: Int, isSigned: Bool) {
    self.packed = packed
    self.elements = elements
    self.isSigned = isSigned
  }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    guard memory.count == elements else {
      throw FormatError(.invalid, at: "", "expected memory of \(elements) bytes, found \(memory.count)")
    }
    // The packed half comes to lie at the end, so that unpacking from the front never overtakes it.
    let start = elements / 2
    try packed.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[start...]))
    for index in 0..<elements {
      let byte = memory[start + index / 2]
      let nibble = index % 2 == 0 ? byte & 0xF : byte >> 4
      memory[index] = isSigned && nibble > 7 ? nibble | 0xF0 : nibble
    }
  }
}

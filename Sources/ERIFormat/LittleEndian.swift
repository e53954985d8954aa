extension Array where Element == UInt8 {
  /// Appends an integer, lowest byte first.
  package mutating func appendLittleEndian<Integer: FixedWidthInteger>(_ value: Integer) {
    var rest = value
    for _ in 0..<(Integer.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  /// The integer at an offset, lowest byte first, or nil if it does not lie within the bytes.
  package func littleEndian<Integer: FixedWidthInteger & UnsignedInteger>(_ type: Integer.Type, at offset: Int)
    -> Integer?
  {
    let width = Integer.bitWidth / 8
    guard offset >= 0, count >= width, offset <= count - width else { return nil }
    var value: Integer = 0
    for index in 0..<width { value |= Integer(truncatingIfNeeded: self[offset + index]) << Integer(8 * index) }
    return value
  }
}

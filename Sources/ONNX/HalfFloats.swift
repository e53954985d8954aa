/// float16 and bfloat16 to and from float32 without a call or a branch, so that loops over them are vectorised: processors without
/// such instructions take a call for every Float16.
enum HalfFloats {
  @inline(__always)
  static func float16(_ bits: UInt16) -> Float {
    let shifted = UInt32(bits) << 16
    let doubled = shifted &+ shifted
    // A normal number: its exponent moved to float32's range. A subnormal one: its digits below 0.5, less that 0.5.
    let normal = Float(bitPattern: (doubled >> 4) &+ 0x7000_0000) * 0x1p-112
    let subnormal = Float(bitPattern: (doubled >> 17) | 0x3F00_0000) - 0.5
    let magnitude = doubled < 0x0800_0000 ? subnormal.bitPattern : normal.bitPattern
    return Float(bitPattern: (shifted & 0x8000_0000) | magnitude)
  }

  /// The nearest number, ties to even.
  @inline(__always)
  static func float16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let doubled = bits &+ bits
    // Too much becomes infinite; adding a power of two of the right exponent lets the processor round to float16's digits.
    let scaled = (value.magnitude * 0x1p112) * 0x1p-110
    let exponent = doubled & 0xFF00_0000
    let bias = exponent < 0x7100_0000 ? 0x7100_0000 : exponent
    let rounded = (Float(bitPattern: (bias >> 1) &+ 0x0780_0000) + scaled).bitPattern
    let magnitude = ((rounded >> 13) & 0x7C00) &+ (rounded & 0x0FFF)
    return UInt16(truncatingIfNeeded: ((bits >> 16) & 0x8000) | (doubled > 0xFF00_0000 ? 0x7E00 : magnitude))
  }

  @inline(__always)
  static func bfloat16(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// The nearest number, ties to even.
  @inline(__always)
  static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
    return UInt16(truncatingIfNeeded: value != value ? (bits >> 16) | 0x40 : rounded)
  }
}

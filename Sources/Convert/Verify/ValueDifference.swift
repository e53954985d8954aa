import ERIFormat

/// How far the elements of two tensors of one shape lie apart.
package struct ValueDifference: Equatable, Sendable {
  /// Elements in all.
  package var count = 0
  /// Elements that are not the same number.
  package var differing = 0
  /// Of two floating-point tensors: the largest count of representable numbers from one to the other, in the coarser type.
  package var largestULP: UInt64?
  /// Infinite where only one side is not a number.
  package var largestAbsolute = 0.0
  /// Of the difference to the larger of the two absolute values.
  package var largestRelative = 0.0
  /// The largest absolute value of A.
  package var magnitude = 0.0
  /// The element with the largest absolute difference.
  package var worst = 0

  init(_ a: ElementView, _ b: ElementView) {
    count = min(a.count, b.count)
    let type = ValueDifference.coarser(a, b)
    if type != nil { largestULP = 0 }
    let comparesBits = a.dtype == b.dtype && !a.isFloat
    for index in 0..<count {
      let x = a[index]
      let y = b[index]
      if x.isFinite { magnitude = max(magnitude, x.magnitude) }
      // 64-bit integers may differ where their Doubles agree.
      if isSame(x, y) && !(comparesBits && a.bits(index) != b.bits(index)) { continue }
      differing += 1
      var absolute = (x - y).magnitude
      if absolute.isNaN { absolute = .infinity }
      if absolute > largestAbsolute || differing == 1 {
        largestAbsolute = absolute
        worst = index
      }
      let relative = absolute.isFinite ? absolute / max(x.magnitude, y.magnitude) : .infinity
      largestRelative = max(largestRelative, relative.isNaN ? 0 : relative)
      if let type { largestULP = max(largestULP ?? 0, ValueDifference.distance(x, y, type)) }
    }
  }

  /// The floating-point type with fewer bits, or nil if one is no such type.
  private static func coarser(_ a: ElementView, _ b: ElementView) -> DType? {
    guard a.isFloat, b.isFloat else { return nil }
    return a.dtype.byteCount <= b.dtype.byteCount ? a.dtype : b.dtype
  }

  /// Representable numbers from one to the other; the most there can be where one is not a number.
  private static func distance(_ x: Double, _ y: Double, _ type: DType) -> UInt64 {
    if x.isNaN || y.isNaN { return x.isNaN && y.isNaN ? 0 : .max }
    let (a, b) = (magnitudeBits(x, type), magnitudeBits(y, type))
    if (x.sign == .minus) == (y.sign == .minus) { return a > b ? a - b : b - a }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }

  /// The bits of the absolute value, which ascend as it does.
  private static func magnitudeBits(_ value: Double, _ type: DType) -> UInt64 {
    switch type {
    case .f64: return value.magnitude.bitPattern
    case .f16: return UInt64(Float16(value.magnitude).bitPattern)
    case .bf16: return UInt64(BFloat16(rounding: value.magnitude).bits)
    case .f32, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4,
      .u4:
      return UInt64(Float(value.magnitude).bitPattern)
    }
  }
}

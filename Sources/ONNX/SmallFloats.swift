import ERIFormat

/// The floating-point types of 8 bits.
enum SmallFloat {
  case e4m3fn, e4m3fnuz, e5m2, e5m2fnuz

  init?(_ dtype: DType) {
    switch dtype {
    case .f8e4m3fn: self = .e4m3fn
    case .f8e4m3fnuz: self = .e4m3fnuz
    case .f8e5m2: self = .e5m2
    case .f8e5m2fnuz: self = .e5m2fnuz
    case .f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .i4, .u4: return nil
    }
  }

  /// Bits of the mantissa.
  private var mantissa: Int {
    switch self {
    case .e4m3fn, .e4m3fnuz: 3
    case .e5m2, .e5m2fnuz: 2
    }
  }

  private var bias: Int {
    switch self {
    case .e4m3fn: 7
    case .e4m3fnuz: 8
    case .e5m2: 15
    case .e5m2fnuz: 16
    }
  }

  /// The bits of the greatest finite number.
  private var greatest: UInt8 {
    switch self {
    case .e4m3fn: 0x7E
    case .e4m3fnuz, .e5m2fnuz: 0x7F
    case .e5m2: 0x7B
    }
  }

  /// Neither infinities nor a negative zero, whose bits are the one NaN.
  private var isUnsignedZero: Bool {
    switch self {
    case .e4m3fn, .e5m2: false
    case .e4m3fnuz, .e5m2fnuz: true
    }
  }

  func decode(_ bits: UInt8) -> Float {
    let magnitude = bits & 0x7F
    if isUnsignedZero && bits == 0x80 { return Float.nan }
    if !isUnsignedZero && magnitude > greatest {
      guard self == .e5m2 && magnitude == 0x7C else { return Float.nan }
      return bits > 0x7F ? -Float.infinity : Float.infinity
    }
    let exponent = Int(magnitude) >> mantissa
    let fraction = Int(magnitude) & (1 << mantissa - 1)
    let digits = exponent == 0 ? fraction : fraction + 1 << mantissa
    let value = Float(sign: .plus, exponent: max(exponent, 1) - bias - mantissa, significand: Float(digits))
    return bits > 0x7F ? -value : value
  }

  /// The nearest number, ties to even. Past the greatest: that one if it `saturates`, else infinity or NaN.
  func encode(_ value: Double, saturates: Bool) -> UInt8 {
    let sign: UInt8 = value.sign == .minus ? 0x80 : 0
    if value != value { return isUnsignedZero ? 0x80 : sign | 0x7F }
    let past = saturates ? sign | greatest : isUnsignedZero ? 0x80 : self == .e5m2 ? sign | 0x7C : sign | 0x7F
    guard value.isFinite else { return past }
    if value == 0 { return isUnsignedZero ? 0 : sign }
    let least = 1 - bias
    let exponent = max(Int(value.exponent), least)
    // Past this no rounding leads back.
    guard exponent <= 16 else { return past }
    let digits = Int(
      Double(sign: .plus, exponent: mantissa - exponent, significand: value.magnitude).rounded(.toNearestOrEven))
    let bits = (exponent - least) << mantissa + digits
    if bits > Int(greatest) { return past }
    return bits == 0 && isUnsignedZero ? 0 : sign | UInt8(truncatingIfNeeded: bits)
  }
}

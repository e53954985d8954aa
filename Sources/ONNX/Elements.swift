import CERISystem
import ERIFormat

/// A number that kernels compute with. No operation traps: integers wrap around, conversions clamp.
protocol ONNXNumber: BitwiseCopyable, Comparable {
  /// What long sums and products of it accumulate in.
  associatedtype Sum: ONNXNumber

  static var nought: Self { get }
  static var unit: Self { get }
  /// Minus infinity, or the least integer.
  static var lowest: Self { get }
  /// Infinity, or the greatest integer.
  static var highest: Self { get }

  var wide: Double { get }
  /// The nearest value; an integer is cut towards zero and clamped, and 0 for NaN.
  init(narrowing value: Double)
  var sum: Sum { get }
  init(sum: Sum)

  var isNotNumber: Bool { get }
  func plus(_ other: Self) -> Self
  func minus(_ other: Self) -> Self
  func times(_ other: Self) -> Self
  /// Integers: 0 for a divisor of 0.
  func over(_ other: Self) -> Self
  /// The remainder with the sign of `other`; integers: 0 for a divisor of 0.
  func floorRemainder(_ other: Self) -> Self
  /// The remainder with the sign of `self`; integers: 0 for a divisor of 0.
  func truncatedRemainder(_ other: Self) -> Self
  func power(_ exponent: Self) -> Self
}

extension ONNXNumber {
  /// The smaller one; NaN if either is.
  @inline(__always) func smaller(_ other: Self) -> Self { other < self || other.isNotNumber ? other : self }
  /// The larger one; NaN if either is.
  @inline(__always) func larger(_ other: Self) -> Self { self < other || other.isNotNumber ? other : self }
  @inline(__always) var negated: Self { Self.nought.minus(self) }
  @inline(__always) var absolute: Self { self < Self.nought ? negated : self }
  @inline(__always) var signum: Self {
    self > Self.nought ? Self.unit : self < Self.nought ? Self.unit.negated : self
  }
}

/// float32 and float64.
protocol ONNXReal: ONNXNumber, BinaryFloatingPoint {
  static func exponential(_ x: Self) -> Self
  static func logarithm(_ x: Self) -> Self
  static func hyperbolicTangent(_ x: Self) -> Self
  static func errorFunction(_ x: Self) -> Self
}

extension ONNXReal {
  @inline(__always) static var nought: Self { 0 }
  @inline(__always) static var unit: Self { 1 }
  @inline(__always) static var lowest: Self { -Self.infinity }
  @inline(__always) static var highest: Self { Self.infinity }
  @inline(__always) var isNotNumber: Bool { self != self }
  @inline(__always) var negated: Self { -self }
  @inline(__always) var absolute: Self { magnitude }
  @inline(__always) func plus(_ other: Self) -> Self { self + other }
  @inline(__always) func minus(_ other: Self) -> Self { self - other }
  @inline(__always) func times(_ other: Self) -> Self { self * other }
  @inline(__always) func over(_ other: Self) -> Self { self / other }
  func truncatedRemainder(_ other: Self) -> Self { Self(narrowing: eri_fmod(wide, other.wide)) }

  func floorRemainder(_ other: Self) -> Self {
    let rest = truncatedRemainder(other)
    if rest == 0 { return other.sign == .minus ? -0.0 : 0 }
    return (rest < 0) == (other < 0) || rest != rest ? rest : rest + other
  }
}

extension Float: ONNXReal {
  typealias Sum = Double
  @inline(__always) var sum: Double { Double(self) }
  @inline(__always) init(sum: Double) { self = Float(sum) }
  @inline(__always) var wide: Double { Double(self) }
  @inline(__always) init(narrowing value: Double) { self = Float(value) }
  @inline(__always) func power(_ exponent: Float) -> Float { eri_powf(self, exponent) }
  @inline(__always) static func exponential(_ x: Float) -> Float { FloatFunctions.exponential(x) }
  @inline(__always) static func logarithm(_ x: Float) -> Float { eri_logf(x) }
  @inline(__always) static func hyperbolicTangent(_ x: Float) -> Float { FloatFunctions.hyperbolicTangent(x) }
  @inline(__always) static func errorFunction(_ x: Float) -> Float { FloatFunctions.errorFunction(x) }
}

extension Double: ONNXReal {
  typealias Sum = Double
  @inline(__always) var sum: Double { self }
  @inline(__always) init(sum: Double) { self = sum }
  @inline(__always) var wide: Double { self }
  @inline(__always) init(narrowing value: Double) { self = value }
  @inline(__always) func power(_ exponent: Double) -> Double { eri_pow(self, exponent) }
  @inline(__always) static func exponential(_ x: Double) -> Double { eri_exp(x) }
  @inline(__always) static func logarithm(_ x: Double) -> Double { eri_log(x) }
  @inline(__always) static func hyperbolicTangent(_ x: Double) -> Double { eri_tanh(x) }
  @inline(__always) static func errorFunction(_ x: Double) -> Double { eri_erf(x) }
}

/// The integers of 8 to 64 bits.
protocol ONNXInteger: ONNXNumber, FixedWidthInteger {}

extension ONNXInteger {
  @inline(__always) static var nought: Self { 0 }
  @inline(__always) static var unit: Self { 1 }
  @inline(__always) static var lowest: Self { Self.min }
  @inline(__always) static var highest: Self { Self.max }
  @inline(__always) var wide: Double {
    // By a concrete type: the standard library's conversion of any integer is slow.
    Self.isSigned || Self.bitWidth < 64
      ? Double(Int64(truncatingIfNeeded: self)) : Double(UInt64(truncatingIfNeeded: self))
  }
  @inline(__always) var isNotNumber: Bool { false }
  @inline(__always) func plus(_ other: Self) -> Self { self &+ other }
  @inline(__always) func minus(_ other: Self) -> Self { self &- other }
  @inline(__always) func times(_ other: Self) -> Self { self &* other }

  /// Cut towards zero; the most negative number by -1 wraps around.
  @inline(__always) func over(_ other: Self) -> Self {
    other == 0 ? 0 : self.dividedReportingOverflow(by: other).partialValue
  }

  @inline(__always) func truncatedRemainder(_ other: Self) -> Self {
    other == 0 ? 0 : self.remainderReportingOverflow(dividingBy: other).partialValue
  }

  @inline(__always) func floorRemainder(_ other: Self) -> Self {
    let rest = truncatedRemainder(other)
    return rest == 0 || (rest < 0) == (other < 0) ? rest : rest &+ other
  }

  /// Wraps around; a negative exponent gives the power cut towards zero, 0 for a base of 0.
  func power(_ exponent: Self) -> Self { raised(to: Int64(clamping: exponent)) }

  private func raised(to exponent: Int64) -> Self {
    if exponent < 0 {
      if self == 1 { return 1 }
      guard Self.isSigned, self == 0 &- 1 else { return 0 }
      return exponent & 1 == 0 ? 1 : self
    }
    var result: Self = 1
    var base = self
    var rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result = result &* base }
      base = base &* base
      rest >>= 1
    }
    return result
  }

  @inline(__always) init(narrowing value: Double) {
    if value > Self.min.wide && value < Self.max.wide {
      self = Self(truncatingIfNeeded: value < 0x1p63 ? Int64(value) : Int64(bitPattern: UInt64(value)))
    } else {
      self = value != value ? 0 : value > 0 ? Self.max : Self.min
    }
  }
}

extension ONNXInteger where Sum: FixedWidthInteger {
  @inline(__always) var sum: Sum { Sum(truncatingIfNeeded: self) }
  @inline(__always) init(sum: Sum) { self.init(truncatingIfNeeded: sum) }
}

extension Int64: ONNXInteger {
  typealias Sum = Int64
  @inline(__always) var sum: Int64 { self }
  @inline(__always) init(sum: Int64) { self = sum }
}
extension Int32: ONNXInteger { typealias Sum = Int64 }
extension Int16: ONNXInteger { typealias Sum = Int64 }
extension Int8: ONNXInteger { typealias Sum = Int64 }
extension UInt64: ONNXInteger {
  typealias Sum = UInt64
  @inline(__always) var sum: UInt64 { self }
  @inline(__always) init(sum: UInt64) { self = sum }
}
extension UInt32: ONNXInteger { typealias Sum = UInt64 }
extension UInt16: ONNXInteger { typealias Sum = UInt64 }
extension UInt8: ONNXInteger { typealias Sum = UInt64 }

// MARK: The choice of a type, made once per kernel

/// Makes a kernel for one type of number.
protocol NumberKernel {
  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel
}

/// Makes a kernel for one floating-point type.
protocol RealKernel {
  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel
}

/// Makes a kernel for one integer type.
protocol IntegerKernel {
  func kernel<Element: ONNXInteger>(_ type: Element.Type) throws(FormatError) -> ONNXKernel
}

extension DType {
  /// What NumberKernel takes.
  static let numbers: [DType] = [.f32, .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8]
  /// What IntegerKernel takes.
  static let integers: [DType] = [.i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8]
  /// What RealKernel takes.
  static let reals: [DType] = [.f32, .f64]

  var isReal: Bool { self == .f32 || self == .f64 }
  var isInteger: Bool { DType.integers.contains(self) }
}

extension ONNXNode {
  /// The kernel for an operand's numbers.
  func numberKernel<Maker: NumberKernel>(
    _ operand: ONNXOperand, _ what: String, _ maker: Maker
  ) throws(FormatError) -> ONNXKernel {
    switch operand.dtype {
    case .f64: return try maker.kernel(Double.self)
    case .f32: return try maker.kernel(Float.self)
    case .i64: return try maker.kernel(Int64.self)
    case .i32: return try maker.kernel(Int32.self)
    case .i16: return try maker.kernel(Int16.self)
    case .i8: return try maker.kernel(Int8.self)
    case .u64: return try maker.kernel(UInt64.self)
    case .u32: return try maker.kernel(UInt32.self)
    case .u16: return try maker.kernel(UInt16.self)
    case .u8: return try maker.kernel(UInt8.self)
    case .f16, .bf16, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      throw unsupported(operand, what, DType.numbers)
    }
  }

  /// The kernel for an operand's floating-point numbers.
  func realKernel<Maker: RealKernel>(
    _ operand: ONNXOperand, _ what: String, _ maker: Maker
  ) throws(FormatError) -> ONNXKernel {
    switch operand.dtype {
    case .f64: return try maker.kernel(Double.self)
    case .f32: return try maker.kernel(Float.self)
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .f16, .bf16, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
      .f8e5m2fnuz, .i4, .u4:
      throw unsupported(operand, what, DType.reals)
    }
  }

  /// The kernel for an operand's integers.
  func integerKernel<Maker: IntegerKernel>(
    _ operand: ONNXOperand, _ what: String, _ maker: Maker
  ) throws(FormatError) -> ONNXKernel {
    switch operand.dtype {
    case .i64: return try maker.kernel(Int64.self)
    case .i32: return try maker.kernel(Int32.self)
    case .i16: return try maker.kernel(Int16.self)
    case .i8: return try maker.kernel(Int8.self)
    case .u64: return try maker.kernel(UInt64.self)
    case .u32: return try maker.kernel(UInt32.self)
    case .u16: return try maker.kernel(UInt16.self)
    case .u8: return try maker.kernel(UInt8.self)
    case .f64, .f32, .f16, .bf16, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      throw unsupported(operand, what, DType.integers)
    }
  }

  /// Requires an operand of another's type.
  func require(_ operand: ONNXOperand, _ what: String, like other: ONNXOperand) throws(FormatError) {
    guard operand.dtype == other.dtype else {
      throw contractError("expected \(what) of \(other.dtype.name), found \(operand.dtype.name)")
    }
  }

  /// Requires an operand of this shape.
  func require(_ operand: ONNXOperand, _ what: String, shape: [Int]) throws(FormatError) {
    guard operand.shape == shape else {
      throw contractError("expected \(what) of shape \(shapeText(shape)), found \(shapeText(operand.shape))")
    }
  }

  func unsupported(_ operand: ONNXOperand, _ what: String, _ dtypes: [DType]) -> FormatError {
    FormatError(
      .unsupported, at: "",
      "expected \(what) of \(joined(dtypes.map { $0.name }, separator: ", ")), found \(operand.dtype.name)")
  }
}

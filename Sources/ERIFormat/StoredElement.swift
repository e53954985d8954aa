/// Numbers as tensors store them.
extension DType {
  /// A floating-point type of 16 to 64 bits: its numbers stand for rounded results.
  package var isFloat: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      false
    }
  }

  /// Element `index` of little-endian values as a number; one beyond 2⁵³ is rounded, an 8-bit float is its bits.
  /// - Parameter values: aligned or not, at least `index + 1` elements.
  package func number(at index: Int, of values: UnsafeRawPointer) -> Double {
    let offset = index * byteCount
    return switch self {
    case .f64: values.loadUnaligned(fromByteOffset: offset, as: Double.self)
    case .f32: Double(values.loadUnaligned(fromByteOffset: offset, as: Float.self))
    case .f16: Double(values.loadUnaligned(fromByteOffset: offset, as: Float16.self))
    case .bf16: values.loadUnaligned(fromByteOffset: offset, as: BFloat16.self).double
    case .i64: Double(values.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    case .i32: Double(values.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    case .i16: Double(values.loadUnaligned(fromByteOffset: offset, as: Int16.self))
    case .i8, .i4: Double(values.loadUnaligned(fromByteOffset: offset, as: Int8.self))
    case .u64: Double(values.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    case .u32: Double(values.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    case .u16: Double(values.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    case .u8, .u4, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz:
      Double(values.loadUnaligned(fromByteOffset: offset, as: UInt8.self))
    }
  }
}

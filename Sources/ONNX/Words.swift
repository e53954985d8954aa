import ERIFormat

/// An element as the bytes it is made of: for kernels that move values and never look at them.
protocol Word: FixedWidthInteger, BitwiseCopyable {}

extension UInt8: Word {}
extension UInt16: Word {}
extension UInt32: Word {}
extension UInt64: Word {}

/// Makes a kernel for elements of one size.
protocol WordKernel {
  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel
}

extension WordKernel {
  /// The kernel for elements of that type's size.
  func kernel(for dtype: DType) throws(FormatError) -> ONNXKernel {
    switch dtype {
    case .f64, .i64, .u64: try kernel(UInt64.self)
    case .f32, .i32, .u32: try kernel(UInt32.self)
    case .f16, .bf16, .i16, .u16: try kernel(UInt16.self)
    case .i8, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4: try kernel(UInt8.self)
    }
  }
}

/// Reads indices of int32 or int64, which come from data.
struct IndexReader {
  let isWide: Bool

  /// - Throws: `FormatError` for another type.
  init(_ operand: ONNXOperand, _ what: String) throws(FormatError) {
    guard operand.dtype == .i64 || operand.dtype == .i32 else {
      throw contractError("expected \(what) of int64 or int32, found \(operand.dtype.name)")
    }
    isWide = operand.dtype == .i64
  }

  /// Element `index` as it stands.
  @inline(__always) func value(_ memory: UnsafeRawPointer, _ index: Int) -> Int {
    isWide
      ? Int(truncatingIfNeeded: memory.assumingMemoryBound(to: Int64.self)[index])
      : Int(truncatingIfNeeded: memory.assumingMemoryBound(to: Int32.self)[index])
  }

  /// Element `index` counted from the front of an extent; nil outside of it.
  @inline(__always) func place(_ memory: UnsafeRawPointer, _ index: Int, in extent: Int) -> Int? {
    let value = value(memory, index)
    guard value < extent, value >= 0 &- extent else { return nil }
    return value < 0 ? value &+ extent : value
  }

  /// Why element `index` has no place.
  func fault(_ memory: UnsafeRawPointer, _ index: Int, in extent: Int) -> ONNXFault {
    .indexOutOfRange(index: value(memory, index), extent: extent)
  }
}

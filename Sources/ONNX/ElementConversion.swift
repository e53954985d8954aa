import ERIFormat

/// Elements of one type made into another, for every pair of types.
///
/// Floating-point ones pass through Double, which holds all of them; integers through 64 bits. To an integer: cut towards zero, held
/// within 64 bits, of which the low ones stay. To bool: whether it is not 0.
struct ElementConversion {
  let source: DType
  let target: DType
  /// Floats of 8 bits: the greatest number stands for what is past it.
  var saturates = true

  /// Elements that pass through the stack at a time.
  static let block = 128

  func run(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int) {
    if self.source == .f32 && self.target == .f16 {
      mapElements(
        source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: UInt16.self), count
      ) { HalfFloats.float16($0) }
      return
    }
    let throughIntegers = self.source.isWhole && !(self.source == .u64 && !self.target.isWhole)
    var start = 0
    while start < count {
      let length = min(ElementConversion.block, count - start)
      let from = source + start * self.source.byteCount
      let to = target + start * self.target.byteCount
      if throughIntegers {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: ElementConversion.block) { block in
          guard let block = block.baseAddress else { return }
          loadIntegers(from, block, length)
          storeIntegers(block, to, length)
        }
      } else {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: ElementConversion.block) { block in
          guard let block = block.baseAddress else { return }
          load(from, block, length)
          store(block, to, length)
        }
      }
      start += length
    }
  }

  // MARK: Through Double

  func load(_ source: UnsafeRawPointer, _ block: UnsafeMutablePointer<Double>, _ count: Int) {
    func each<Element>(_ type: Element.Type, _ f: (Element) -> Double) {
      mapElements(source.assumingMemoryBound(to: Element.self), block, count, f)
    }
    switch self.source {
    case .f64: each(Double.self) { $0 }
    case .f32: each(Float.self) { Double($0) }
    case .f16: each(UInt16.self) { Double(HalfFloats.float16($0)) }
    case .bf16: each(UInt16.self) { Double(HalfFloats.bfloat16($0)) }
    case .i64: each(Int64.self) { Double($0) }
    case .i32: each(Int32.self) { Double($0) }
    case .i16: each(Int16.self) { Double($0) }
    case .i8, .i4: each(Int8.self) { Double($0) }
    case .u64: each(UInt64.self) { Double($0) }
    case .u32: each(UInt32.self) { Double($0) }
    case .u16: each(UInt16.self) { Double($0) }
    case .u8, .u4: each(UInt8.self) { Double($0) }
    case .bool: each(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .f8e4m3fn: each(UInt8.self) { Double(SmallFloat.e4m3fn.decode($0)) }
    case .f8e4m3fnuz: each(UInt8.self) { Double(SmallFloat.e4m3fnuz.decode($0)) }
    case .f8e5m2: each(UInt8.self) { Double(SmallFloat.e5m2.decode($0)) }
    case .f8e5m2fnuz: each(UInt8.self) { Double(SmallFloat.e5m2fnuz.decode($0)) }
    }
  }

  func store(_ block: UnsafePointer<Double>, _ target: UnsafeMutableRawPointer, _ count: Int) {
    func each<Element>(_ type: Element.Type, _ f: (Double) -> Element) {
      mapElements(block, target.assumingMemoryBound(to: Element.self), count, f)
    }
    switch self.target {
    case .f64: each(Double.self) { $0 }
    case .f32: each(Float.self) { Float($0) }
    case .f16: each(Float16.self) { Float16($0) }
    case .bf16: each(BFloat16.self) { BFloat16(rounding: $0) }
    case .i64: each(Int64.self) { Int64(narrowing: $0) }
    case .i32, .u32: each(Int32.self) { Int32(truncatingIfNeeded: Int64(narrowing: $0)) }
    case .i16, .u16: each(Int16.self) { Int16(truncatingIfNeeded: Int64(narrowing: $0)) }
    case .i8, .u8: each(Int8.self) { Int8(truncatingIfNeeded: Int64(narrowing: $0)) }
    case .u64: each(UInt64.self) { $0 < 0 ? UInt64(bitPattern: Int64(narrowing: $0)) : UInt64(narrowing: $0) }
    case .i4: each(Int8.self) { Int8(truncatingIfNeeded: (Int64(narrowing: $0) << 60) >> 60) }
    case .u4: each(UInt8.self) { UInt8(truncatingIfNeeded: Int64(narrowing: $0) & 15) }
    case .bool: each(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .f8e4m3fn: each(UInt8.self) { SmallFloat.e4m3fn.encode($0, saturates: saturates) }
    case .f8e4m3fnuz: each(UInt8.self) { SmallFloat.e4m3fnuz.encode($0, saturates: saturates) }
    case .f8e5m2: each(UInt8.self) { SmallFloat.e5m2.encode($0, saturates: saturates) }
    case .f8e5m2fnuz: each(UInt8.self) { SmallFloat.e5m2fnuz.encode($0, saturates: saturates) }
    }
  }

  // MARK: Through 64 bits

  private func loadIntegers(_ source: UnsafeRawPointer, _ block: UnsafeMutablePointer<Int64>, _ count: Int) {
    func each<Element>(_ type: Element.Type, _ f: (Element) -> Int64) {
      mapElements(source.assumingMemoryBound(to: Element.self), block, count, f)
    }
    switch self.source {
    case .i64: each(Int64.self) { $0 }
    case .i32: each(Int32.self) { Int64($0) }
    case .i16: each(Int16.self) { Int64($0) }
    case .i8, .i4: each(Int8.self) { Int64($0) }
    case .u64: each(UInt64.self) { Int64(truncatingIfNeeded: $0) }
    case .u32: each(UInt32.self) { Int64($0) }
    case .u16: each(UInt16.self) { Int64($0) }
    case .u8, .u4: each(UInt8.self) { Int64($0) }
    case .bool: each(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .f64, .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: break
    }
  }

  private func storeIntegers(_ block: UnsafePointer<Int64>, _ target: UnsafeMutableRawPointer, _ count: Int) {
    func each<Element>(_ type: Element.Type, _ f: (Int64) -> Element) {
      mapElements(block, target.assumingMemoryBound(to: Element.self), count, f)
    }
    switch self.target {
    case .f64: each(Double.self) { Double($0) }
    case .f32: each(Float.self) { Float($0) }
    case .f16: each(Float16.self) { Float16($0) }
    case .bf16: each(BFloat16.self) { BFloat16(rounding: Double($0)) }
    case .i64, .u64: each(Int64.self) { $0 }
    case .i32, .u32: each(Int32.self) { Int32(truncatingIfNeeded: $0) }
    case .i16, .u16: each(Int16.self) { Int16(truncatingIfNeeded: $0) }
    case .i8, .u8: each(Int8.self) { Int8(truncatingIfNeeded: $0) }
    case .i4: each(Int8.self) { Int8(truncatingIfNeeded: ($0 << 60) >> 60) }
    case .u4: each(UInt8.self) { UInt8(truncatingIfNeeded: $0 & 15) }
    case .bool: each(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .f8e4m3fn: each(UInt8.self) { SmallFloat.e4m3fn.encode(Double($0), saturates: saturates) }
    case .f8e4m3fnuz: each(UInt8.self) { SmallFloat.e4m3fnuz.encode(Double($0), saturates: saturates) }
    case .f8e5m2: each(UInt8.self) { SmallFloat.e5m2.encode(Double($0), saturates: saturates) }
    case .f8e5m2fnuz: each(UInt8.self) { SmallFloat.e5m2fnuz.encode(Double($0), saturates: saturates) }
    }
  }
}

extension DType {
  /// An integer or a bool.
  var isWhole: Bool {
    switch self {
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .i4, .u4: true
    case .f64, .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: false
    }
  }
}

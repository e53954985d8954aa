import ERIFormat

/// A row of two values for each index: one at its place, the other elsewhere.
extension ONNXNode {
  func oneHotKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 3)
    let indices = try operand(0, "indices")
    let values = try operand(2, "values")
    guard values.shape == [2] else { throw contractError("expected 2 values, found \(shapeText(values.shape))") }
    let depth = try depth()
    let rank = indices.shape.count
    let axis = try axis(try integer("axis", default: -1), rank: rank + 1)
    var shape = indices.shape
    shape.insert(depth, at: axis)
    let maker = OneHotKernel(
      result: try BoundType(values.dtype, shape), place: try PlaceReader(indices.dtype), depth: depth,
      outer: indices.shape.prefix(axis).reduce(1, *), inner: indices.shape.dropFirst(axis).reduce(1, *))
    return try maker.kernel(for: values.dtype)
  }

  /// The one number of operand 1, of any type of numbers.
  private func depth() throws(FormatError) -> Int {
    let operand = try operand(1, "a depth")
    guard operand.type.elements == 1 else {
      throw contractError("expected a depth of 1 element, found \(shapeText(operand.shape))")
    }
    guard let values = operand.values else {
      throw FormatError(
        .unsupported, at: "",
        "expected a depth whose value is known before the graph runs, found a computed one; give the model a value that is constant or comes from inputs and shapes"
      )
    }
    return try PlaceReader(operand.dtype).value(values, 0)
  }
}

/// Reads integers that stand in a tensor of any type of numbers.
struct PlaceReader {
  private let dtype: DType

  /// - Throws: `FormatError` `.unsupported` for truth values and numbers of 8 bits and less that are no integers.
  init(_ dtype: DType) throws(FormatError) {
    switch dtype {
    case .f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .i4, .u4: break
    case .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz:
      throw FormatError(.unsupported, at: "", "expected integers or numbers of 16 bits or more, found \(dtype.name)")
    }
    self.dtype = dtype
  }

  /// Element `index`, cut towards zero.
  func value(_ memory: UnsafeRawPointer, _ index: Int) -> Int {
    func load<Element: BitwiseCopyable>(_ type: Element.Type) -> Element {
      memory.loadUnaligned(fromByteOffset: index &* MemoryLayout<Element>.stride, as: type)
    }
    switch dtype {
    case .f64: return Int(narrowing: load(Double.self))
    case .f32: return Int(narrowing: Double(load(Float.self)))
    case .f16: return Int(narrowing: Double(load(Float16.self)))
    case .bf16: return Int(narrowing: load(BFloat16.self).double)
    case .i64: return Int(clamping: load(Int64.self))
    case .i32: return Int(load(Int32.self))
    case .i16: return Int(load(Int16.self))
    case .i8, .i4: return Int(load(Int8.self))
    case .u64: return Int(clamping: load(UInt64.self))
    case .u32: return Int(clamping: load(UInt32.self))
    case .u16: return Int(load(UInt16.self))
    case .u8, .u4, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: return Int(load(UInt8.self))
    }
  }
}

extension Int {
  /// Cut towards zero and clamped; 0 for NaN.
  @inline(__always) init(narrowing value: Double) {
    if value > -0x1p30 && value < 0x1p30 {
      self = Int(value)
    } else {
      self = Int(clamping: Int64(narrowing: value))
    }
  }
}

private struct OneHotKernel: WordKernel {
  let result: BoundType
  let place: PlaceReader
  let depth: Int
  let outer: Int
  let inner: Int

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (place, depth, outer, inner, count) = (place, depth, outer, inner, result.elements)
    return ONNXKernel([result]) { memory in
      let values: UnsafePointer<Element> = memory.input(2)
      let indices = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      y.update(repeating: values[0], count: count)
      for row in 0..<outer {
        for column in 0..<inner {
          let index = place.value(indices, row &* inner &+ column)
          // One outside of the depth marks nothing.
          guard index < depth, index >= -depth else { continue }
          y[(row &* depth &+ (index < 0 ? index &+ depth : index)) &* inner &+ column] = values[1]
        }
      }
      return nil
    }
  }
}

import ERIFormat

/// Tensors made of a shape alone.
extension ONNXNode {
  func shapeValuesKernel() throws(FormatError) -> ONNXKernel {
    switch op.name {
    case "Shape": try extents()
    case "Size":
      try constant(try BoundType(.i64, []), UInt64(try operand(0, "x").type.elements))
    case "EyeLike": try eye()
    default: try constantOfShape()
    }
  }

  private func extents() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let shape = try operand(0, "x").shape
    func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + shape.count : index, 0), shape.count) }
    let start = clamped(try integer("start", default: 0))
    let end = clamped(try integer("end", default: shape.count))
    let part = Table(shape[start..<max(start, end)].map { Int64($0) })
    return ONNXKernel([try BoundType(.i64, [part.count])]) { memory in
      memory.output(0, as: Int64.self).update(from: part.values, count: part.count)
      return nil
    }
  }

  private func constantOfShape() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let shape = try integers(0, "a shape") ?? []
    guard let value = try tensor("value") else { return try constant(try BoundType(.f32, shape), 0) }
    guard elementProduct(value.shape) == 1, value.bytes.count == value.dtype.byteCount else {
      throw contractError("expected a value of 1 element, found \(shapeText(value.shape))")
    }
    let bits = value.bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return try constant(try BoundType(value.dtype, shape), bits)
  }

  private func constant(_ type: BoundType, _ bits: UInt64) throws(FormatError) -> ONNXKernel {
    try FillKernel(result: type, bits: bits, diagonal: nil).kernel(for: type.dtype)
  }

  /// Ones on a diagonal, zeros beside it.
  private func eye() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard x.shape.count == 2 else { throw contractError("expected x of 2 dimensions, found \(shapeText(x.shape))") }
    var dtype = x.dtype
    if let number = try integer("dtype") { dtype = try DType(onnx: number) }
    let type = try BoundType(dtype, x.shape)
    let diagonal = min(max(try integer("k", default: 0), -Limits.elements), Limits.elements)
    return try FillKernel(result: type, bits: try bits(of: 1, dtype), diagonal: diagonal).kernel(for: dtype)
  }
}

/// One value everywhere, or on a diagonal of a matrix with zeros beside it.
private struct FillKernel: WordKernel {
  let result: BoundType
  let bits: UInt64
  let diagonal: Int?

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let value = Element(truncatingIfNeeded: bits)
    let count = result.elements
    guard let diagonal else {
      return ONNXKernel([result]) { memory in
        memory.output(0, as: Element.self).update(repeating: value, count: count)
        return nil
      }
    }
    let (height, width) = (result.shape[0], result.shape[1])
    return ONNXKernel([result]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      y.update(repeating: 0, count: count)
      var row = max(0, -diagonal)
      while row < height, row &+ diagonal < width {
        y[row &* width &+ row &+ diagonal] = value
        row &+= 1
      }
      return nil
    }
  }
}

extension DType {
  /// The type that ONNX's TensorProto.DataType gives a number.
  /// - Throws: `FormatError` `.unsupported` for strings, complex numbers and those that are not known.
  init(onnx number: Int) throws(FormatError) {
    switch number {
    case 1: self = .f32
    case 2: self = .u8
    case 3: self = .i8
    case 4: self = .u16
    case 5: self = .i16
    case 6: self = .i32
    case 7: self = .i64
    case 9: self = .bool
    case 10: self = .f16
    case 11: self = .f64
    case 12: self = .u32
    case 13: self = .u64
    case 16: self = .bf16
    case 17: self = .f8e4m3fn
    case 18: self = .f8e4m3fnuz
    case 19: self = .f8e5m2
    case 20: self = .f8e5m2fnuz
    case 21: self = .u4
    case 22: self = .i4
    default:
      throw FormatError(
        .unsupported, at: "", "expected a type of numbers that is known here, found ONNX's type \(number)")
    }
  }
}

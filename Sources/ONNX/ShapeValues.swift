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
    let dtype = try optionalDType("dtype") ?? x.dtype
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

import ERIFormat

/// Tensors side by side along an axis.
extension ONNXNode {
  func joiningKernel() throws(FormatError) -> ONNXKernel {
    op.name == "Concat" ? try concatenation() : try split()
  }

  private func concatenation() throws(FormatError) -> ONNXKernel {
    try arity(1)
    let first = try operand(0, "a tensor")
    let axis = try axis(try requiredAxis(), rank: first.shape.count)
    var shape = first.shape
    shape[axis] = 0
    var parts: [Int] = []
    for index in operands.indices {
      let part = try operand(index, "a tensor")
      var rest = part.shape
      guard part.dtype == first.dtype, rest.count == shape.count else {
        throw contractError("expected tensors like \(first.type.text), found \(part.type.text) at position \(index)")
      }
      let extent = rest[axis]
      rest[axis] = shape[axis]
      guard rest == shape else {
        throw contractError(
          "expected the extents of \(first.type.text) beside axis \(axis), found \(part.type.text) at position \(index)"
        )
      }
      shape[axis] += extent
      parts.append(extent * bytes(under: axis, part.type))
    }
    let result = try BoundType(first.dtype, shape)
    let sizes = Table(parts)
    let rows = shape.prefix(axis).reduce(1, *)
    let rowBytes = shape[axis] * bytes(under: axis, result)
    return ONNXKernel([result]) { memory in
      var offset = 0
      for part in 0..<sizes.count {
        let source = UnsafeRawPointer(memory.input(part, as: UInt8.self))
        for row in 0..<rows {
          (memory.outputs[0] + (row &* rowBytes &+ offset)).copyMemory(
            from: source + row &* sizes[part], byteCount: sizes[part])
        }
        offset &+= sizes[part]
      }
      return nil
    }
  }

  /// Concat's axis, which has no default since operator set 4.
  private func requiredAxis() throws(FormatError) -> Int {
    guard let axis = try integer("axis") else { throw contractError("expected an axis, found none") }
    return axis
  }

  private func split() throws(FormatError) -> ONNXKernel {
    try arity(1, 2)
    let x = try operand(0, "x")
    let axis = try axis(try integer("axis", default: 0), rank: x.shape.count)
    let parts = try parts(of: x.shape[axis])
    var outputs: [BoundType] = []
    for part in parts {
      var shape = x.shape
      shape[axis] = part
      outputs.append(try BoundType(x.dtype, shape))
    }
    let unit = bytes(under: axis, x.type)
    let sizes = Table(parts.map { $0 * unit })
    let rows = x.shape.prefix(axis).reduce(1, *)
    let rowBytes = x.shape[axis] * unit
    return ONNXKernel(outputs) { memory in
      var offset = 0
      let source = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      for part in 0..<sizes.count {
        for row in 0..<rows {
          (memory.outputs[part] + row &* sizes[part]).copyMemory(
            from: source + (row &* rowBytes &+ offset), byteCount: sizes[part])
        }
        offset &+= sizes[part]
      }
      return nil
    }
  }

  /// The extents that the outputs get of one: as told, or equal ones, of which since operator set 18 the last may be smaller.
  private func parts(of extent: Int) throws(FormatError) -> [Int] {
    if let parts = try integers(1, orAttribute: "split") {
      // Each is at most the extent, so that their sum cannot overflow.
      guard parts.allSatisfy({ (0...extent).contains($0) }), parts.reduce(0, +) == extent else {
        throw contractError("expected parts that add up to \(extent), found \(shapeText(parts))")
      }
      guard parts.count == outputCount else {
        throw contractError("expected \(counted(parts.count, "output")), found \(outputCount)")
      }
      return parts
    }
    let count = try integer("num_outputs") ?? outputCount
    guard count == outputCount, count > 0 else {
      throw contractError("expected \(counted(count, "output")), found \(outputCount)")
    }
    guard extent % count == 0 || op.opset >= 18 else {
      throw contractError("expected an extent in multiples of \(count), found \(extent)")
    }
    let size = (extent + count - 1) / count
    return (0..<count).map { min(size, max(extent - $0 * size, 0)) }
  }

  /// Bytes from one index of an axis to the next.
  private func bytes(under axis: Int, _ type: BoundType) -> Int { type.strides[axis] * type.dtype.byteCount }
}

import ERIFormat

/// The same elements under another shape.
extension ONNXNode {
  func reshapingKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    let shape: [Int]
    switch op.name {
    case "Reshape": shape = try reshaped(x.shape)
    case "Flatten": shape = try flattened(x.shape)
    case "Squeeze": shape = try squeezed(x.shape)
    case "Unsqueeze": shape = try unsqueezed(x.shape)
    default: shape = x.shape
    }
    let result = try BoundType(x.dtype, shape)
    guard result.elements == x.type.elements else {
      throw contractError("expected \(x.type.elements) elements, found \(result.elements) in \(shapeText(shape))")
    }
    let bytes = result.byteCount
    return ONNXKernel([result]) { memory in
      memory.outputs[0].copyMemory(from: memory.input(0, as: UInt8.self), byteCount: bytes)
      return nil
    }
  }

  /// 0 copies an extent (unless `allowzero`), one -1 takes what is left.
  private func reshaped(_ before: [Int]) throws(FormatError) -> [Int] {
    try arity(1, 2)
    var shape = try integers(1, orAttribute: "shape") ?? []
    let keepsZero = try flag("allowzero")
    var unknown: Int?
    var known = 1
    for axis in shape.indices {
      if shape[axis] == 0 && !keepsZero {
        guard axis < before.count else {
          throw contractError("expected an extent to copy at axis \(axis), found \(shapeText(before))")
        }
        shape[axis] = before[axis]
      }
      if shape[axis] == -1 {
        guard unknown == nil else { throw contractError("expected at most one -1, found \(shapeText(shape))") }
        unknown = axis
      } else {
        guard let product = elementProduct([known, shape[axis]]) else {
          throw contractError("expected extents within the limits, found \(shapeText(shape))")
        }
        known = product
      }
    }
    guard let unknown else { return shape }
    let total = before.reduce(1, *)
    guard known > 0, total % known == 0 else {
      throw contractError("expected \(total) elements to divide among \(shapeText(shape)), found a rest")
    }
    shape[unknown] = total / known
    return shape
  }

  private func flattened(_ before: [Int]) throws(FormatError) -> [Int] {
    try arity(1, 1)
    let given = try integer("axis", default: 1)
    let first = given == before.count ? given : try axis(given, rank: max(before.count, 1))
    return [before.prefix(first).reduce(1, *), before.dropFirst(first).reduce(1, *)]
  }

  private func squeezed(_ before: [Int]) throws(FormatError) -> [Int] {
    try arity(1, 2)
    let given = try integers(1, orAttribute: "axes")
    let dropped = try given.map { axes throws(FormatError) in try self.axes(axes, rank: before.count) }
    var shape: [Int] = []
    for (axis, extent) in before.enumerated() {
      guard dropped?.contains(axis) ?? (extent == 1) else {
        shape.append(extent)
        continue
      }
      guard extent == 1 else {
        throw contractError("expected an extent of 1 to squeeze at axis \(axis), found \(shapeText(before))")
      }
    }
    return shape
  }

  private func unsqueezed(_ before: [Int]) throws(FormatError) -> [Int] {
    try arity(1, 2)
    guard let given = try integers(1, orAttribute: "axes") else { throw contractError("expected axes, found none") }
    let rank = before.count + given.count
    let added = try axes(given, rank: rank)
    var rest = before[...]
    return (0..<rank).map { added.contains($0) ? 1 : rest.popFirst() ?? 1 }
  }
}

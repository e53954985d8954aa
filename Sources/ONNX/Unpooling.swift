import ERIFormat

/// MaxUnpool: values back at the places where a MaxPool found them, zeros elsewhere.
extension ONNXNode {
  func unpoolingKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let x = try operand(0, "x")
    let indices = try operand(1, "indices")
    let spatial = try spatial(x, "x")
    try require(indices, "indices", [.i64])
    try require(indices, "indices", shape: x.shape)
    let count = spatial.count
    let kernel = try kernelShape(count)
    let strides = try window("strides", count: count, from: 1, default: 1)
    let pads = try window("pads", count: 2 * count, from: 0, default: 0)
    var pooled = Array(x.shape.prefix(2))
    for axis in 0..<count {
      pooled.append((spatial[axis] - 1) * strides[axis] - pads[axis] - pads[count + axis] + kernel[axis])
    }
    let inner = try BoundType(x.dtype, pooled)
    let shape = try integers(2, "an output shape") ?? pooled
    // Indices count through the tensor that the window implies; a larger output has zeros after it along each axis.
    guard shape.count == pooled.count, zip(shape, pooled).allSatisfy({ $0 >= $1 }) else {
      throw contractError("expected an output shape of at least \(shapeText(pooled)), found \(shapeText(shape))")
    }
    return try MaxUnpoolKernel(x: x.type, inner: inner, result: try BoundType(x.dtype, shape)).kernel(for: x.dtype)
  }
}

private struct MaxUnpoolKernel: WordKernel {
  let x: BoundType
  let inner: BoundType
  let result: BoundType

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (count, size, places) = (x.elements, result.elements, inner.elements)
    let isSame = inner == result
    let rank = result.shape.count
    let (extents, steps) = (Table(inner.shape), Table(result.strides))
    let strides = Table(inner.strides)
    return ONNXKernel([result]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let indices: UnsafePointer<Int64> = memory.input(1)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      y.update(repeating: 0, count: size)
      for element in 0..<count {
        let index = Int(indices[element])
        guard index >= 0, index < places else { return .indexOutOfRange(index: index, extent: places) }
        var place = index
        if !isSame {
          place = 0
          for axis in 0..<rank { place &+= index / strides[axis] % extents[axis] &* steps[axis] }
        }
        y[place] = x[element]
      }
      return nil
    }
  }
}

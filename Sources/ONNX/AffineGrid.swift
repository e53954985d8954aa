import ERIFormat

/// AffineGrid: the places that a matrix takes a regular grid to.
extension ONNXNode {
  func affineGridKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let theta = try operand(0, "theta")
    guard let size = try integers(1, "a size"), size.count == 4 || size.count == 5 else {
      throw contractError("expected a size of 4 or 5 extents, found another")
    }
    let spatial = Array(size.dropFirst(2))
    try require(theta, "theta", shape: [size[0], spatial.count, spatial.count + 1])
    let result = try BoundType(theta.dtype, [size[0]] + spatial + [spatial.count])
    return try realKernel(
      theta, "theta", AffineGridKernel(result: result, spatial: spatial, alignsCorners: try flag("align_corners")))
  }
}

private struct AffineGridKernel: RealKernel {
  let result: BoundType
  let spatial: [Int]
  let alignsCorners: Bool

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (alignsCorners, count) = (alignsCorners, spatial.count)
    let places = spatial.reduce(1, *)
    let batch = result.shape[0]
    let extents = Table(spatial)
    let strides = Table(try BoundType(result.dtype, spatial).strides)
    return ONNXKernel([result]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for sample in 0..<batch {
        let theta = memory.input(0, as: Element.self) + sample &* count &* (count &+ 1)
        for place in 0..<places {
          let target = y + (sample &* places &+ place) &* count
          for row in 0..<count {
            let line = theta + row &* (count &+ 1)
            var sum = Double(line[count])
            // The matrix takes the last axis first.
            for axis in 0..<count {
              let extent = Double(extents[axis])
              let index = Double(place / strides[axis] % extents[axis])
              let centred = (2 * index + 1) / extent - 1
              let coordinate = !alignsCorners ? centred : extent > 1 ? 2 * index / (extent - 1) - 1 : 0
              sum += Double(line[count &- 1 &- axis]) * coordinate
            }
            target[row] = Element(sum)
          }
        }
      }
      return nil
    }
  }
}

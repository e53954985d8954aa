import ERIFormat

/// Sums of products under a window.
extension ONNXNode {
  func convolutionKernel() throws(FormatError) -> ONNXKernel {
    switch op.name {
    case "Conv": try convolution()
    case "DeformConv": try deformedConvolution()
    default: try transposedConvolution()
    }
  }

  private func convolution() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let x = try operand(0, "x")
    let w = try operand(1, "weights")
    try require(w, "weights", like: x)
    let shape = try convolutionShape(x, w, bias: 2)
    return try realKernel(x, "x", ConvolutionKernel(shape: shape))
  }

  /// How a convolution's operands fit together.
  func convolutionShape(_ x: ONNXOperand, _ w: ONNXOperand, bias: Int?) throws(FormatError) -> ConvolutionShape {
    let spatial = try spatial(x, "x")
    let geometry = try windowGeometry(spatial, kernel: try kernelShape(of: w, spatial: spatial))
    let groups = try integer("group", default: 1)
    guard groups > 0, groups <= Limits.window, w.shape[0] % groups == 0,
      x.shape[1] % groups == 0, w.shape[1] == x.shape[1] / groups
    else {
      throw contractError(
        "expected weights for \(groups) groups of \(x.shape[1]) channels, found \(shapeText(w.shape))")
    }
    var biasIndex: Int?
    if let index = bias, let b = optional(index) {
      try require(b, "a bias", shape: [w.shape[0]])
      biasIndex = index
    }
    return ConvolutionShape(
      geometry: geometry, batch: x.shape[0], groups: groups, channels: x.shape[1] / groups,
      filters: w.shape[0] / groups, bias: biasIndex)
  }
}

/// The extents of a convolution.
struct ConvolutionShape {
  let geometry: WindowGeometry
  let batch: Int
  let groups: Int
  /// Of one group.
  let channels: Int
  let filters: Int
  /// The operand that has it.
  let bias: Int?

  /// Outputs computed at a time: as many rows as wide stay in the processor's nearest memory.
  var tile: Int { min(geometry.outputs, 512) }
  /// Products of one output.
  var depth: Int { channels * geometry.taps }
  /// Taps gathered at a time.
  var block: Int { min(depth, 64) }
  var outputShape: [Int] { [batch, groups * filters] + geometry.output }

  /// Convolves group after group, tile after tile of outputs.
  /// - Parameters:
  ///   - weights: [groups, filters, depth].
  ///   - columns: scratch memory for `block` rows of `tile`.
  ///   - start: where the sums of a tile are made, and the stride of their rows, given (sample, group, first output, count).
  ///   - gather: fills a row, given (sample, channel of all, tap, first output, count, row).
  ///   - finish: takes a tile's sums, given (sample, group, first output, count).
  @inline(__always) func convolve<Element: ONNXNumber>(
    _ weights: UnsafePointer<Element>, columns: UnsafeMutablePointer<Element>,
    start: (Int, Int, Int, Int) -> (UnsafeMutablePointer<Element>, Int),
    gather: (Int, Int, Int, Int, Int, UnsafeMutablePointer<Element>) -> Void,
    finish: (Int, Int, Int, Int) -> Void
  ) {
    let (tile, block, depth) = (tile, block, depth)
    let (outputs, taps) = (geometry.outputs, geometry.taps)
    for sample in 0..<batch {
      for group in 0..<groups {
        var first = 0
        while first < outputs {
          let count = min(tile, outputs &- first)
          let (sums, stride) = start(sample, group, first, count)
          var k = 0
          while k < depth {
            let rows = min(block, depth &- k)
            for row in 0..<rows {
              let index = k &+ row
              gather(
                sample, group &* channels &+ index / taps, index % taps, first, count, columns + row &* tile)
            }
            addProducts(
              StridedMatrix(start: weights + (group &* filters &* depth &+ k), rowStride: depth, columnStride: 1),
              rows: filters, depth: rows, columns, stride: tile, into: sums, stride: stride, width: count)
            k &+= rows
          }
          finish(sample, group, first, count)
          first &+= count
        }
      }
    }
  }

  /// Where the sums of a tile lie in the output itself, with the bias in them.
  @inline(__always) func biased<Element: ONNXReal>(
    _ y: UnsafeMutablePointer<Element>, _ b: UnsafePointer<Element>?, _ sample: Int, _ group: Int, _ first: Int,
    _ count: Int
  ) -> (UnsafeMutablePointer<Element>, Int) {
    let outputs = geometry.outputs
    let sums = y + ((sample &* groups &+ group) &* filters &* outputs &+ first)
    for filter in 0..<filters {
      (sums + filter &* outputs).update(repeating: b?[group &* filters &+ filter] ?? 0, count: count)
    }
    return (sums, outputs)
  }
}

private struct ConvolutionKernel: RealKernel {
  let shape: ConvolutionShape

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let shape = shape
    let geometry = shape.geometry
    let result = try BoundType(MemoryLayout<Element>.size == 4 ? .f32 : .f64, shape.outputShape)
    let inputs = geometry.inputs
    if geometry.isPointwise { return pointwise(type, result) }
    return ONNXKernel([result], scratchBytes: shape.block * shape.tile * MemoryLayout<Element>.stride) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let b: UnsafePointer<Element>? = shape.bias.map { memory.input($0) }
      let channels = shape.groups &* shape.channels
      shape.convolve(memory.input(1), columns: memory.scratch()) { sample, group, first, count in
        shape.biased(y, b, sample, group, first, count)
      } gather: { sample, channel, tap, first, count, row in
        geometry.gather(
          x + (sample &* channels &+ channel) &* inputs, tap: geometry.tap(tap), first: first, count: count, into: row
        ) { $0 }
      } finish: { _, _, _, _ in
      }
      return nil
    }
  }

  /// A window of one element: the input's planes are the rows.
  private func pointwise<Element: ONNXReal>(_ type: Element.Type, _ result: BoundType) -> ONNXKernel {
    let shape = shape
    let outputs = shape.geometry.outputs
    return ONNXKernel([result]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let w: UnsafePointer<Element> = memory.input(1)
      let b: UnsafePointer<Element>? = shape.bias.map { memory.input($0) }
      for sample in 0..<shape.batch {
        for group in 0..<shape.groups {
          let planes = x + (sample &* shape.groups &+ group) &* shape.channels &* outputs
          var first = 0
          while first < outputs {
            let count = min(shape.tile, outputs &- first)
            let (sums, stride) = shape.biased(memory.output(0), b, sample, group, first, count)
            addProducts(
              StridedMatrix(
                start: w + group &* shape.filters &* shape.channels, rowStride: shape.channels, columnStride: 1),
              rows: shape.filters, depth: shape.channels, planes + first, stride: outputs, into: sums, stride: stride,
              width: count)
            first &+= count
          }
        }
      }
      return nil
    }
  }
}

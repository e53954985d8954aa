import ERIFormat

/// The transpose of a convolution, and of taking a tensor apart into what lies under a window.
extension ONNXNode {
  func transposedConvolution() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let x = try operand(0, "x")
    let w = try operand(1, "weights")
    try require(w, "weights", like: x)
    let spatial = try spatial(x, "x")
    let geometry = try transposedGeometry(spatial, kernel: try kernelShape(of: w, spatial: spatial))
    let groups = try integer("group", default: 1)
    guard groups > 0, groups <= Limits.window, x.shape[1] % groups == 0, w.shape[0] == x.shape[1] else {
      throw contractError(
        "expected weights for \(groups) groups of \(x.shape[1]) channels, found \(shapeText(w.shape))")
    }
    guard let filters = elementProduct([groups, w.shape[1]]) else {
      throw contractError("expected channels within the limits, found \(groups) times \(w.shape[1])")
    }
    if let b = optional(2) { try require(b, "a bias", shape: [filters]) }
    return try realKernel(
      x, "x",
      TransposedConvolutionKernel(
        geometry: geometry, batch: x.shape[0], groups: groups, channels: x.shape[1] / groups, filters: w.shape[1],
        hasBias: optional(2) != nil))
  }

  /// The geometry of the convolution that this one is the transpose of: its inputs are the outputs here.
  private func transposedGeometry(_ input: [Int], kernel: [Int]) throws(FormatError) -> WindowGeometry {
    let count = input.count
    let strides = try window("strides", count: count, from: 1, default: 1)
    let dilations = try window("dilations", count: count, from: 1, default: 1)
    let more = try window("output_padding", count: count, from: 0, default: 0)
    let auto = try autoPad()
    let pads = auto == .none ? try window("pads", count: 2 * count, from: 0, default: 0) : nil
    var wanted = try integers("output_shape")
    if let shape = wanted, shape.count == count + 2 { wanted = Array(shape.dropFirst(2)) }
    if let shape = wanted, shape.count != count {
      throw contractError("expected an output_shape of \(counted(count, "extent")), found \(shapeText(shape))")
    }
    var axes: [WindowAxis] = []
    for axis in 0..<count {
      let full = strides[axis] * (input[axis] - 1) + more[axis] + (kernel[axis] - 1) * dilations[axis] + 1
      var before = pads?[axis] ?? 0
      var output = full - before - (pads?[count + axis] ?? 0)
      if let shape = wanted ?? (auto == .upper || auto == .lower ? zip(input, strides).map { $0 * $1 } : nil) {
        output = shape[axis]
        _ = try BoundType(.u8, [output])
        // More than the windows reach stays empty at the end.
        let total = max(full - output, 0)
        before = auto == .upper ? total / 2 : total - total / 2
      }
      guard output >= 0 else {
        throw contractError("expected pads within \(full) elements along axis \(axis + 2), found \(full - output)")
      }
      axes.append(
        WindowAxis(
          input: output, output: input[axis], kernel: kernel[axis], stride: strides[axis], dilation: dilations[axis],
          before: before, after: full - output - before))
    }
    return WindowGeometry(axes)
  }

  /// Col2Im.
  func foldingKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 3)
    let x = try operand(0, "x")
    guard x.shape.count == 3, let image = try integers(1, "an image shape"),
      let block = try integers(2, "a block shape"),
      (1...3).contains(image.count), block.count == image.count
    else {
      throw contractError(
        "expected x of 3 dimensions, and an image and a block of one to three, found x \(shapeText(x.shape))")
    }
    guard block.allSatisfy({ (1...Limits.window).contains($0) }) else {
      throw contractError("expected blocks from 1 to \(Limits.window), found \(shapeText(block))")
    }
    _ = try BoundType(x.dtype, image)
    let geometry = try windowGeometry(image, kernel: block)
    _ = try BoundType(x.dtype, geometry.output)
    let taps = geometry.taps
    guard x.shape[1] % taps == 0, x.shape[2] == geometry.outputs else {
      throw contractError(
        "expected channels in multiples of \(taps) and \(geometry.outputs) blocks, found \(shapeText(x.shape))")
    }
    let result = try BoundType(x.dtype, [x.shape[0], x.shape[1] / taps] + image)
    return try numberKernel(x, "x", FoldingKernel(result: result, geometry: geometry))
  }
}

private struct TransposedConvolutionKernel: RealKernel {
  let geometry: WindowGeometry
  let batch: Int
  let groups: Int
  let channels: Int
  let filters: Int
  let hasBias: Bool

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let shape = [batch, groups * filters] + geometry.axes.map { $0.input }
    let result = try BoundType(MemoryLayout<Element>.size == 4 ? .f32 : .f64, shape)
    let (geometry, batch, groups, channels, filters, hasBias) = (geometry, batch, groups, channels, filters, hasBias)
    // Of the convolution that this is the transpose of.
    let (places, positions, taps) = (geometry.inputs, geometry.outputs, geometry.taps)
    let depth = filters * taps
    let tile = min(positions, 512)
    let block = min(depth, 64)
    return ONNXKernel([result], scratchBytes: block * tile * MemoryLayout<Element>.stride) { memory in
      let rows: UnsafeMutablePointer<Element> = memory.scratch()
      let x: UnsafePointer<Element> = memory.input(0)
      let w: UnsafePointer<Element> = memory.input(1)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for plane in 0..<batch &* groups &* filters {
        let bias = hasBias ? memory.input(2, as: Element.self)[plane % (groups &* filters)] : 0
        (y + plane &* places).update(repeating: bias, count: places)
      }
      for part in 0..<batch &* groups {
        var first = 0
        while first < positions {
          let count = min(tile, positions &- first)
          var k = 0
          while k < depth {
            let height = min(block, depth &- k)
            for row in 0..<height { (rows + row &* tile).update(repeating: 0, count: count) }
            addProducts(
              StridedMatrix(
                start: w + (part % groups &* channels &* depth &+ k), rowStride: 1, columnStride: depth),
              rows: height, depth: channels, x + (part &* channels &* positions &+ first), stride: positions,
              into: rows, stride: tile, width: count)
            for row in 0..<height {
              let index = k &+ row
              geometry.scatter(
                rows + row &* tile, tap: geometry.tap(index % taps), first: first, count: count,
                into: y + (part &* filters &+ index / taps) &* places)
            }
            k &+= height
          }
          first &+= count
        }
      }
      return nil
    }
  }
}

private struct FoldingKernel: NumberKernel {
  let result: BoundType
  let geometry: WindowGeometry

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let geometry = geometry
    let (taps, places, blocks) = (geometry.taps, geometry.inputs, geometry.outputs)
    let planes = result.shape[0] * result.shape[1]
    let count = result.elements
    return ONNXKernel([result]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      y.update(repeating: Element.nought, count: count)
      for plane in 0..<planes {
        for tap in 0..<taps {
          geometry.scatter(
            x + (plane &* taps &+ tap) &* blocks, tap: geometry.tap(tap), first: 0, count: blocks,
            into: y + plane &* places)
        }
      }
      return nil
    }
  }
}

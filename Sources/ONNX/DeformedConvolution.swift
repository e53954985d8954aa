import ERIFormat

/// A convolution whose taps are moved from their places, each output's by its own distances.
extension ONNXNode {
  func deformedConvolution() throws(FormatError) -> ONNXKernel {
    try arity(3, 5)
    let x = try operand(0, "x")
    let w = try operand(1, "weights")
    let offset = try operand(2, "offsets")
    try require(w, "weights", like: x)
    try require(offset, "offsets", like: x)
    guard x.shape.count == 4 else {
      throw FormatError(.unsupported, at: "", "expected x of 4 dimensions, found \(shapeText(x.shape))")
    }
    let shape = try convolutionShape(x, w, bias: 3)
    let groups = try integer("offset_group", default: 1)
    guard groups > 0, x.shape[1] % groups == 0 else {
      throw contractError("expected an offset_group that divides \(x.shape[1]) channels, found \(groups)")
    }
    let taps = groups * shape.geometry.taps
    try require(offset, "offsets", shape: [x.shape[0], 2 * taps] + shape.geometry.output)
    if let mask = optional(4) {
      try require(mask, "a mask", like: x)
      try require(mask, "a mask", shape: [x.shape[0], taps] + shape.geometry.output)
    }
    return try realKernel(
      x, "x", DeformedConvolutionKernel(shape: shape, offsetGroups: groups, hasMask: optional(4) != nil))
  }
}

private struct DeformedConvolutionKernel: RealKernel {
  let shape: ConvolutionShape
  let offsetGroups: Int
  let hasMask: Bool

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (shape, hasMask, offsetGroups) = (shape, hasMask, offsetGroups)
    let geometry = shape.geometry
    let result = try BoundType(MemoryLayout<Element>.size == 4 ? .f32 : .f64, shape.outputShape)
    let (inputs, outputs, taps) = (geometry.inputs, geometry.outputs, geometry.taps)
    let perGroup = max(shape.groups * shape.channels / offsetGroups, 1)
    return ONNXKernel([result], scratchBytes: shape.block * shape.tile * MemoryLayout<Element>.stride) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let offsets: UnsafePointer<Element> = memory.input(2)
      let mask: UnsafePointer<Element>? = hasMask ? memory.input(4) : nil
      let b: UnsafePointer<Element>? = shape.bias.map { memory.input($0) }
      let channels = shape.groups &* shape.channels
      shape.convolve(memory.input(1), columns: memory.scratch()) { sample, group, first, count in
        shape.biased(y, b, sample, group, first, count)
      } gather: { sample, channel, tap, first, count, row in
        let moved = (sample &* offsetGroups &+ channel / perGroup) &* taps &+ tap
        let down = offsets + 2 &* moved &* outputs
        gatherMoved(
          geometry, x + (sample &* channels &+ channel) &* inputs, tap: geometry.tap(tap), first: first, count: count,
          down: down, right: down + outputs, mask: mask.map { $0 + moved &* outputs }, into: row)
      } finish: { _, _, _, _ in
      }
      return nil
    }
  }
}

/// What a tap reads between elements, 0 outside of them.
private func gatherMoved<Element: ONNXReal>(
  _ geometry: WindowGeometry, _ plane: UnsafePointer<Element>, tap: (depth: Int, height: Int, width: Int), first: Int,
  count: Int, down: UnsafePointer<Element>, right: UnsafePointer<Element>, mask: UnsafePointer<Element>?,
  into row: UnsafeMutablePointer<Element>
) {
  let (height, width) = (geometry.height, geometry.width)
  var column = first % width.output
  var line = first / width.output
  for index in 0..<count {
    let y = Element(line &* height.stride &+ height.place(tap.height)) + down[first &+ index]
    let x = Element(column &* width.stride &+ width.place(tap.width)) + right[first &+ index]
    var value: Element = 0
    // Also false where one is no number.
    if y > -1 && y < Element(height.input) && x > -1 && x < Element(width.input) {
      let (top, left) = (y.rounded(.down), x.rounded(.down))
      let (below, beside) = (y - top, x - left)
      let (y0, x0) = (Int(top), Int(left))
      func read(_ y: Int, _ x: Int) -> Element {
        y < 0 || y >= height.input || x < 0 || x >= width.input ? 0 : plane[y &* width.input &+ x]
      }
      let upper = (1 - beside) * read(y0, x0) + beside * read(y0, x0 &+ 1)
      let lower = (1 - beside) * read(y0 &+ 1, x0) + beside * read(y0 &+ 1, x0 &+ 1)
      value = (1 - below) * upper + below * lower
    }
    row[index] = mask.map { $0[first &+ index] * value } ?? value
    column &+= 1
    if column == width.output {
      column = 0
      line &+= 1
    }
  }
}

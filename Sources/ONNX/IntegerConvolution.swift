import ERIFormat

/// Convolutions of 8-bit integers, summed in 32 bits.
extension ONNXNode {
  func integerConvolutionKernel() throws(FormatError) -> ONNXKernel {
    op.name == "ConvInteger" ? try integerSums() : try quantizedConvolution()
  }

  private func integerSums() throws(FormatError) -> ONNXKernel {
    try arity(2, 4)
    let x = try operand(0, "x")
    let w = try operand(1, "weights")
    let shape = try convolutionShape(x, w, bias: nil)
    let maker = IntegerConvolution(
      shape: shape, x: try bytes(0, "x", zero: 2), w: try bytes(1, "weights", zero: 3), bias: nil)
    let result = try BoundType(.i32, shape.outputShape)
    let outputs = shape.geometry.outputs
    return ONNXKernel([result], scratchBytes: maker.scratchBytes) { memory in
      let y: UnsafeMutablePointer<Int32> = memory.output(0)
      return maker.run(memory) { filter, sample, first, count, sums in
        let filters = shape.groups &* shape.filters
        (y + ((sample &* filters &+ filter) &* outputs &+ first)).update(from: sums, count: count)
      }
    }
  }

  private func quantizedConvolution() throws(FormatError) -> ONNXKernel {
    try arity(8, 9)
    let x = try operand(0, "x")
    let w = try operand(3, "weights")
    let shape = try convolutionShape(x, w, bias: 8)
    if let b = optional(8) { try require(b, "a bias", [.i32]) }
    let filters = shape.groups * shape.filters
    let scales = [
      try scale(1, "x's scale", 1), try scale(4, "the weights' scale", filters), try scale(6, "y's scale", 1),
    ]
    let y = try operand(7, "y's zero point")
    try require(y, "y's zero point", [.u8, .i8])
    guard y.type.elements == 1 else {
      throw contractError("expected y's zero point of 1 element, found \(shapeText(y.shape))")
    }
    let maker = IntegerConvolution(
      shape: shape, x: try bytes(0, "x", zero: 2), w: try bytes(3, "weights", zero: 5), bias: optional(8).map { _ in 8 }
    )
    let result = try BoundType(y.dtype, shape.outputShape)
    let outputs = shape.geometry.outputs
    let isSigned = y.dtype == .i8
    return ONNXKernel([result], scratchBytes: maker.scratchBytes) { memory in
      let target: UnsafeMutablePointer<UInt8> = memory.output(0)
      let zero = ByteOperand(index: 7, isSigned: isSigned, zero: nil, perFilter: false).value(memory, 0)
      return maker.run(memory) { filter, sample, first, count, sums in
        // In single precision wherever the scales are, as quantised models expect it.
        let factor = scales[0].value(memory, 0) * scales[1].value(memory, filter)
        let scale = scales[2].round(scales[2].round(factor) / scales[2].value(memory, 0))
        let row = target + ((sample &* filters &+ filter) &* outputs &+ first)
        for index in 0..<count {
          let value = scales[2].round(Double(sums[index]) * scale).rounded(.toNearestOrEven)
          let sum = value == value ? Double(zero) + value : 0
          row[index] =
            isSigned ? UInt8(bitPattern: Int8(narrowing: sum)) : UInt8(narrowing: sum)
        }
      }
    }
  }

  /// The operand of bytes at a position, with its zero point at another.
  private func bytes(_ position: Int, _ what: String, zero index: Int) throws(FormatError) -> ByteOperand {
    let operand = try operand(position, what)
    try require(operand, what, [.u8, .i8])
    guard let zero = optional(index) else {
      return ByteOperand(index: position, isSigned: operand.dtype == .i8, zero: nil, perFilter: false)
    }
    try require(zero, "a zero point", like: operand)
    let count = zero.type.elements
    guard count == 1 || (what == "weights" && zero.shape == [operand.shape[0]]) else {
      throw contractError("expected a zero point of 1 element or one per filter, found \(shapeText(zero.shape))")
    }
    return ByteOperand(index: position, isSigned: operand.dtype == .i8, zero: index, perFilter: count > 1)
  }

  private func scale(_ index: Int, _ what: String, _ filters: Int) throws(FormatError) -> ScaleOperand {
    let scale = try operand(index, what)
    try require(scale, what, DType.reals)
    let count = scale.type.elements
    guard count == 1 || (count == filters && scale.shape.count == 1) else {
      throw contractError("expected \(what) of 1 element or one per filter, found \(shapeText(scale.shape))")
    }
    return ScaleOperand(index: index, isDouble: scale.dtype == .f64, perFilter: count > 1)
  }
}

/// An operand of int8 or uint8 with its zero point.
struct ByteOperand {
  let index: Int
  let isSigned: Bool
  /// The operand that has it.
  let zero: Int?
  let perFilter: Bool

  /// What makes an element's bits a number from 0 to 255.
  var flip: UInt8 { isSigned ? 0x80 : 0 }

  /// Element `index` as a number.
  @inline(__always) func value(_ memory: ONNXMemory, _ element: Int) -> Int32 {
    Int32(memory.input(index, as: UInt8.self)[element] ^ flip) &- (isSigned ? 128 : 0)
  }

  /// What to take from an element's flipped bits for its distance from the zero point.
  @inline(__always) func base(_ memory: ONNXMemory, filter: Int) -> Int32 {
    guard let zero else { return isSigned ? 128 : 0 }
    return Int32(memory.input(zero, as: UInt8.self)[perFilter ? filter : 0] ^ flip)
  }
}

private struct ScaleOperand {
  let index: Int
  let isDouble: Bool
  let perFilter: Bool

  @inline(__always) func value(_ memory: ONNXMemory, _ filter: Int) -> Double {
    let element = perFilter ? filter : 0
    return isDouble
      ? memory.input(index, as: Double.self)[element] : Double(memory.input(index, as: Float.self)[element])
  }

  /// As precise as the scale itself.
  @inline(__always) func round(_ value: Double) -> Double { isDouble ? value : Double(Float(value)) }
}

/// The sums of a convolution of bytes.
private struct IntegerConvolution {
  let shape: ConvolutionShape
  let x: ByteOperand
  let w: ByteOperand
  let bias: Int?

  private var weights: Int { shape.groups * shape.filters * shape.depth }
  private var columns: Int { shape.block * shape.tile }
  var scratchBytes: Int { (weights + columns + shape.filters * shape.tile) * MemoryLayout<Int32>.stride }

  /// Calls `finish` with (filter of all, sample, first output, count, sums).
  @inline(__always) func run(
    _ memory: ONNXMemory, _ finish: (Int, Int, Int, Int, UnsafePointer<Int32>) -> Void
  ) -> ONNXFault? {
    let geometry = shape.geometry
    let input: UnsafePointer<UInt8> = memory.input(x.index)
    let raw: UnsafePointer<UInt8> = memory.input(w.index)
    let numbers: UnsafeMutablePointer<Int32> = memory.scratch()
    let columns = numbers + weights
    let sums = columns + self.columns
    let depth = shape.depth
    for filter in 0..<shape.groups &* shape.filters {
      let base = w.base(memory, filter: filter)
      for index in filter &* depth..<(filter &+ 1) &* depth { numbers[index] = Int32(raw[index] ^ w.flip) &- base }
    }
    let base = x.base(memory, filter: 0)
    let flip = x.flip
    let channels = shape.groups &* shape.channels
    let inputs = geometry.inputs
    shape.convolve(numbers, columns: columns) { sample, group, first, count in
      for filter in 0..<shape.filters {
        let value = bias.map { memory.input($0, as: Int32.self)[group &* shape.filters &+ filter] } ?? 0
        (sums + filter &* shape.tile).update(repeating: value, count: count)
      }
      return (sums, shape.tile)
    } gather: { sample, channel, tap, first, count, row in
      geometry.gather(
        input + (sample &* channels &+ channel) &* inputs, tap: geometry.tap(tap), first: first, count: count, into: row
      ) { Int32($0 ^ flip) &- base }
    } finish: { sample, group, first, count in
      for filter in 0..<shape.filters {
        finish(group &* shape.filters &+ filter, sample, first, count, sums + filter &* shape.tile)
      }
    }
    return nil
  }
}

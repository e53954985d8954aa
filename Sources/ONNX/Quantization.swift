import ERIFormat

/// QuantizeLinear and DequantizeLinear: one scale for all, one per index of an axis, or one per block along it.
extension ONNXNode {
  func quantizationKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let (x, scale, zero) = (try operand(0, "x"), try operand(1, "a scale"), optional(2))
    try require(scale, "the scale", [.f32, .f64, .f16, .bf16])
    let granularity = try Granularity(self, x, scale)
    if let zero {
      guard zero.type.elements == scale.type.elements else {
        throw contractError(
          "expected a zero point of shape \(shapeText(scale.shape)), found \(shapeText(zero.shape))")
      }
    }
    let quantized: [DType] = [.u8, .i8, .u16, .i16, .u4, .i4, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz]
    let target: DType
    let quantizes = op.name == "QuantizeLinear"
    if quantizes {
      try require(x, "x", [.f32, .f64, .f16, .bf16, .i32])
      let chosen = try optionalDType("output_dtype")
      if let zero, let chosen, zero.dtype != chosen {
        throw contractError("expected a zero point of \(chosen.name), found \(zero.dtype.name)")
      }
      target = zero?.dtype ?? chosen ?? .u8
      guard quantized.contains(target) else {
        throw FormatError(
          .unsupported, at: "",
          "expected an output of \(joined(quantized.map { $0.name }, separator: ", ")), found \(target.name)")
      }
    } else {
      try require(x, "x", quantized + [.i32])
      if let zero { try require(zero, "a zero point", like: x) }
      target = try optionalDType("output_dtype") ?? scale.dtype
    }
    let type = try BoundType(target, x.shape)
    return Quantization(
      quantizes: quantizes, granularity: granularity, x: x.dtype, scale: scale.type, zero: zero?.dtype, type: type,
      precision: try optionalDType("precision") ?? (quantizes ? scale.dtype : target),
      saturates: try flag("saturate", default: true)
    ).kernel()
  }
}

/// Which scale an element has.
private struct Granularity {
  /// Extents before, along and after the axis.
  var outer = 1
  var extent = 1
  var inner = 1
  /// Consecutive indices along the axis that share a scale.
  var block = 1
  /// From one index of each to the next, among the scales.
  var outerStep = 0
  var axisStep = 0
  var innerStep = 0

  init(_ node: ONNXNode, _ x: ONNXOperand, _ scale: ONNXOperand) throws(FormatError) {
    inner = x.type.elements
    if scale.type.elements == 1 && scale.shape.count <= 1 { return }
    let axis = try node.axis(try node.integer("axis", default: 1), rank: x.shape.count)
    outer = x.shape.prefix(axis).reduce(1, *)
    extent = x.shape[axis]
    inner = x.shape.dropFirst(axis + 1).reduce(1, *)
    if scale.shape.count == 1 {
      try node.require(scale, "a scale", shape: [extent])
      axisStep = 1
      return
    }
    block = try node.integer("block_size", default: 0)
    guard block > 0 else { throw contractError("expected a block_size of at least 1, found \(block)") }
    var shape = x.shape
    shape[axis] = extent / block + (extent % block == 0 ? 0 : 1)
    try node.require(scale, "a scale", shape: shape)
    axisStep = inner
    outerStep = shape[axis] * inner
    innerStep = 1
  }
}

/// The scale's place of one element after the other.
private struct ScaleCursor {
  private let granularity: Granularity
  private(set) var place = 0
  private var (outer, axis, inner, withinBlock) = (0, 0, 0, 0)
  /// Where the block's scales begin.
  private var start = 0

  init(_ granularity: Granularity) { self.granularity = granularity }

  @inline(__always)
  mutating func advance() {
    inner &+= 1
    place &+= granularity.innerStep
    guard inner == granularity.inner else { return }
    inner = 0
    axis &+= 1
    withinBlock &+= 1
    if withinBlock == granularity.block {
      withinBlock = 0
      start &+= granularity.axisStep
    }
    if axis == granularity.extent {
      (axis, withinBlock) = (0, 0)
      outer &+= 1
      start = outer &* granularity.outerStep
    }
    place = start
  }
}

private struct Quantization {
  let quantizes: Bool
  let granularity: Granularity
  let x: DType
  let scale: BoundType
  let zero: DType?
  let type: BoundType
  /// Type that the division or product is rounded to.
  let precision: DType
  let saturates: Bool

  /// The least and greatest integer of the result; nil where it is none.
  private var range: (Double, Double)? {
    switch type.dtype {
    case .u8: (0, 255)
    case .i8: (-128, 127)
    case .u16: (0, 65_535)
    case .i16: (-32_768, 32_767)
    case .u4: (0, 15)
    case .i4: (-8, 7)
    case .f64, .f32, .f16, .bf16, .i64, .i32, .u64, .u32, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: nil
    }
  }

  func kernel() -> ONNXKernel {
    let work = self
    let scales = scale.elements
    let scaleConversion = ElementConversion(source: scale.dtype, target: .f64)
    let zeroConversion = zero.map { ElementConversion(source: $0, target: .f64) }
    return ONNXKernel([type], scratchBytes: 16 * scales) { memory in
      let scale: UnsafeMutablePointer<Double> = memory.scratch()
      let zero: UnsafeMutablePointer<Double> = memory.scratch(8 * scales)
      scaleConversion.run(memory.input(1, as: UInt8.self), scale, scales)
      if let zeroConversion {
        zeroConversion.run(memory.input(2, as: UInt8.self), zero, scales)
      } else {
        zero.update(repeating: 0, count: scales)
      }
      work.run(memory.input(0, as: UInt8.self), memory.outputs[0], scale, zero)
      return nil
    }
  }

  /// Blocks of elements through Double, each with its scale and zero point.
  private func run(
    _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ scale: UnsafePointer<Double>, _ zero: UnsafePointer<Double>
  ) {
    let conversion = ElementConversion(source: self.x, target: type.dtype, saturates: saturates)
    let count = type.elements
    withUnsafeTemporaryAllocation(of: Double.self, capacity: ElementConversion.block) { block in
      guard let block = block.baseAddress else { return }
      var cursor = ScaleCursor(granularity)
      var start = 0
      while start < count {
        let length = min(ElementConversion.block, count - start)
        conversion.load(x + start * self.x.byteCount, block, length)
        if quantizes {
          for index in 0..<length {
            block[index] = quantized(block[index], scale[cursor.place], zero[cursor.place])
            cursor.advance()
          }
        } else {
          for index in 0..<length {
            block[index] = dequantized(block[index], scale[cursor.place], zero[cursor.place])
            cursor.advance()
          }
        }
        conversion.store(block, y + start * type.dtype.byteCount, length)
        start += length
      }
    }
  }

  private func quantized(_ x: Double, _ scale: Double, _ zero: Double) -> Double {
    let quotient = precision == .f32 ? Double(Float(x / scale)) : rounded(x / scale, precision)
    guard let range else { return quotient }
    let value = nearestEven(quotient) + zero
    return value < range.0 ? range.0 : value > range.1 ? range.1 : value
  }

  private func dequantized(_ x: Double, _ scale: Double, _ zero: Double) -> Double {
    precision == .f32 ? Double(Float((x - zero) * scale)) : rounded((x - zero) * scale, precision)
  }
}

/// The nearest integer, ties to even, without a call: adding 1.5 · 2⁵² leaves no fraction. Past 2⁵¹ the number itself.
@inline(__always)
func nearestEven(_ value: Double) -> Double {
  value.magnitude < 0x1p51 ? (value + 0x1.8p52) - 0x1.8p52 : value
}

/// A number as a floating-point type holds it; others change nothing.
func rounded(_ value: Double, _ dtype: DType) -> Double {
  switch dtype {
  case .f32: Double(Float(value))
  case .f16: Double(Float16(value))
  case .bf16: BFloat16(rounding: value).double
  case .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4,
    .u4:
    value
  }
}

import ERIFormat

/// MatMulInteger and QLinearMatMul: products of integers of 8 bits, summed in 32.
extension ONNXNode {
  func integerMatMulKernel() throws(FormatError) -> ONNXKernel {
    let quantized = op.name == "QLinearMatMul"
    try arity(quantized ? 8 : 2, quantized ? 8 : 4)
    let (a, b) = (try operand(0, "a"), try operand(quantized ? 3 : 1, "b"))
    for (operand, name) in [(a, "a"), (b, "b")] { try require(operand, name, [.u8, .i8]) }
    let stack = try MatrixStack(a.shape, b.shape)
    let left = try Centring(
      self, index: 0, zero: quantized ? 2 : 2, extent: a.shape.count > 1 ? a.shape[a.shape.count - 2] : 1, ofRows: true)
    let right = try Centring(
      self, index: quantized ? 3 : 1, zero: quantized ? 5 : 3,
      extent: b.shape.count > 1 ? b.shape[b.shape.count - 1] : 1,
      ofRows: false)
    guard quantized else {
      let type = try BoundType(.i32, stack.shape)
      let product = stack.product.scratchBytes(.i32)
      return ONNXKernel([type], scratchBytes: product + left.bytes + right.bytes) { memory in
        let first: UnsafeMutablePointer<Int32> = memory.scratch(product)
        let second: UnsafeMutablePointer<Int32> = memory.scratch(product + left.bytes)
        left.run(memory, first)
        right.run(memory, second)
        stack.run(UnsafePointer(first), UnsafePointer(second), memory.output(0), memory.scratch)
        return nil
      }
    }
    return try requantizedKernel(stack, left, right)
  }

  private func requantizedKernel(
    _ stack: MatrixStack, _ left: Centring, _ right: Centring
  ) throws(FormatError) -> ONNXKernel {
    let zero = try operand(7, "y's zero point")
    try require(zero, "y's zero point", [.u8, .i8])
    let type = try BoundType(zero.dtype, stack.shape)
    let (m, n) = (stack.shape.count > 1 ? stack.shape[stack.shape.count - 2] : 1, stack.product.n)
    let scales = try [(1, m), (4, n), (6, 1)].map { index, extent throws(FormatError) in
      let scale = try operand(index, "a scale")
      try require(scale, "a scale", [.f32, .f64, .f16, .bf16])
      guard scale.type.elements == 1 || scale.type.elements == extent else {
        throw FormatError(
          .unsupported, at: "", "expected a scale of 1 or \(extent) elements, found \(shapeText(scale.shape))")
      }
      return scale.type
    }
    guard zero.type.elements == 1 else {
      throw FormatError(
        .unsupported, at: "", "expected y's zero point of 1 element, found \(shapeText(zero.shape))")
    }
    let count = type.elements
    let (product, bytes) = (stack.product.scratchBytes(.i32), 4 * count)
    let held = product + left.bytes + right.bytes + (bytes + 63) / 64 * 64
    let (rows, columns) = (scales[0].elements > 1, scales[1].elements > 1)
    let total = scales[0].elements + scales[1].elements + 1
    let zeroConversion = ElementConversion(source: zero.dtype, target: .f64)
    let output = ElementConversion(source: .f64, target: zero.dtype)
    let range = zero.dtype == .u8 ? (0.0, 255.0) : (-128.0, 127.0)
    return ONNXKernel([type], scratchBytes: held + 8 * total) { memory in
      let first: UnsafeMutablePointer<Int32> = memory.scratch(product)
      let second: UnsafeMutablePointer<Int32> = memory.scratch(product + left.bytes)
      let sums: UnsafeMutablePointer<Int32> = memory.scratch(product + left.bytes + right.bytes)
      left.run(memory, first)
      right.run(memory, second)
      stack.run(UnsafePointer(first), UnsafePointer(second), sums, memory.scratch)
      let a: UnsafeMutablePointer<Double> = memory.scratch(held)
      let b = a + scales[0].elements
      let y = b + scales[1].elements
      ElementConversion(source: scales[0].dtype, target: .f64).run(
        memory.input(1, as: UInt8.self), a, scales[0].elements)
      ElementConversion(source: scales[1].dtype, target: .f64).run(
        memory.input(4, as: UInt8.self), b, scales[1].elements)
      ElementConversion(source: scales[2].dtype, target: .f64).run(memory.input(6, as: UInt8.self), y, 1)
      var shift = 0.0
      zeroConversion.run(memory.input(7, as: UInt8.self), &shift, 1)
      for index in 0..<count {
        let factor = a[rows ? index / n % m : 0] * b[columns ? index % n : 0] / y[0]
        let sum = nearestEven(Double(sums[index]) * factor + shift)
        var value = max(range.0, min(range.1, sum))
        output.store(&value, memory.outputs[0] + index, 1)
      }
      return nil
    }
  }
}

/// Integers of 8 bits less their zero point, which may be one per row of the left or per column of the right operand.
private struct Centring {
  let index: Int
  let zeroIndex: Int?
  let type: BoundType
  let zero: BoundType?
  let ofRows: Bool

  init(_ node: ONNXNode, index: Int, zero: Int, extent: Int, ofRows: Bool) throws(FormatError) {
    let operand = try node.operand(index, "an operand")
    self.index = index
    self.ofRows = ofRows
    type = operand.type
    guard let point = node.optional(zero) else {
      zeroIndex = nil
      self.zero = nil
      return
    }
    try node.require(point, "a zero point", like: operand)
    guard point.type.elements == 1 || point.type.elements == extent else {
      throw FormatError(
        .unsupported, at: "",
        "expected a zero point of 1 or \(extent) elements, found \(shapeText(point.shape))")
    }
    zeroIndex = zero
    self.zero = point.type
  }

  /// Bytes of the result.
  var bytes: Int { (type.elements * 4 + 63) / 64 * 64 }

  func run(_ memory: ONNXMemory, _ target: UnsafeMutablePointer<Int32>) {
    if type.dtype == .u8 { run(memory, target, UInt8.self) } else { run(memory, target, Int8.self) }
  }

  private func run<Element: ONNXInteger>(
    _ memory: ONNXMemory, _ target: UnsafeMutablePointer<Int32>, _ element: Element.Type
  ) {
    let x: UnsafePointer<Element> = memory.input(index)
    let count = type.elements
    guard let zeroIndex, let zero else {
      mapElements(x, target, count) { Int32(truncatingIfNeeded: $0) }
      return
    }
    let points: UnsafePointer<Element> = memory.input(zeroIndex)
    guard zero.elements > 1, let last = type.shape.last else {
      let point = Int32(truncatingIfNeeded: points[0])
      mapElements(x, target, count) { Int32(truncatingIfNeeded: $0) &- point }
      return
    }
    for index in 0..<count {
      let place = ofRows ? index / last % zero.elements : index % last
      target[index] = Int32(truncatingIfNeeded: x[index]) &- Int32(truncatingIfNeeded: points[place])
    }
  }
}

import ERIFormat

/// x to the power of y, which may be of another type: the result has x's.
extension ONNXNode {
  func powerKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let (x, y) = (try operand(0, "x"), try operand(1, "y"))
    try require(y, "y", DType.numbers)
    let broadcast = try Broadcast([x.shape, y.shape])
    return try numberKernel(
      x, "x", Power(exponent: y, broadcast: broadcast, type: try BoundType(x.dtype, broadcast.shape)))
  }
}

private struct Power: NumberKernel {
  let exponent: ONNXOperand
  let broadcast: Broadcast
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (broadcast, count) = (broadcast, exponent.type.elements)
    if exponent.dtype == type.dtype {
      return ONNXKernel([type]) { memory in
        let exponents: UnsafePointer<Element> = memory.input(1)
        if count == 1 && exponents[0] == Element.unit.plus(Element.unit) {
          broadcast.map(memory.input(0, as: Element.self), exponents, memory.output(0)) { x, _ in x.times(x) }
          return nil
        }
        broadcast.map(memory.input(0, as: Element.self), memory.input(1, as: Element.self), memory.output(0)) {
          $0.power($1)
        }
        return nil
      }
    }
    // Exponents of another type are brought to Double, which holds every exponent that leads to a finite power of a whole number.
    let conversion = ElementConversion(source: exponent.dtype, target: .f64)
    return ONNXKernel([type], scratchBytes: 8 * count) { memory in
      let exponents: UnsafeMutablePointer<Double> = memory.scratch()
      conversion.run(memory.input(1, as: UInt8.self), exponents, count)
      broadcast.map(memory.input(0, as: Element.self), UnsafePointer(exponents), memory.output(0)) {
        Element(narrowing: $0.wide.power($1))
      }
      return nil
    }
  }
}

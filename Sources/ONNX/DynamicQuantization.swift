import ERIFormat

/// Numbers as uint8, with a scale and a zero point taken from their own range.
extension ONNXNode {
  func dynamicQuantizationKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard x.type.elements > 0 else { throw contractError("expected at least 1 element, found none") }
    return try realKernel(x, "x", DynamicQuantization(type: x.type))
  }
}

private struct DynamicQuantization: RealKernel {
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let types = [try BoundType(.u8, type.shape), try BoundType(type.dtype, []), try BoundType(.u8, [])]
    return ONNXKernel(types) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<UInt8> = memory.output(0)
      // The range always holds 0.
      var (least, greatest): (Element, Element) = (0, 0)
      for index in 0..<count {
        least = x[index] < least ? x[index] : least
        greatest = x[index] > greatest ? x[index] : greatest
      }
      let scale = (greatest == least ? 1 : greatest - least) / 255
      let zero = (-least / scale).larger(0).smaller(255).rounded(.toNearestOrEven)
      mapElements(x, y, count) { UInt8(narrowing: nearestEven(($0 / scale).wide) + zero.wide) }
      memory.output(1, as: Element.self)[0] = scale
      memory.output(2, as: UInt8.self)[0] = UInt8(narrowing: zero.wide)
      return nil
    }
  }
}

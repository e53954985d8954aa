import ERIFormat

/// Numbers held between two bounds: attributes before operator set 11, operands since.
extension ONNXNode {
  func clipKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    if op.opset < 11 {
      try arity(1, 1)
      return try realKernel(
        x, "x", AttributeClip(minimum: try number("min"), maximum: try number("max"), type: x.type))
    }
    try arity(1, 3)
    for (index, name) in [(1, "min"), (2, "max")] {
      guard let bound = optional(index) else { continue }
      try require(bound, name, like: x)
      guard bound.type.elements == 1 else {
        throw contractError("expected \(name) of 1 element, found \(shapeText(bound.shape))")
      }
    }
    return try numberKernel(
      x, "x", OperandClip(hasMinimum: optional(1) != nil, hasMaximum: optional(2) != nil, type: x.type))
  }
}

private struct AttributeClip: RealKernel {
  let minimum: Float?
  let maximum: Float?
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let low = minimum.map { Element($0) } ?? -Element.infinity
    let high = maximum.map { Element($0) } ?? Element.infinity
    return ONNXKernel([type]) { memory in
      clip(memory.input(0), memory.output(0, as: Element.self), count, low, high)
      return nil
    }
  }
}

private struct OperandClip: NumberKernel {
  let hasMinimum: Bool
  let hasMaximum: Bool
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (count, hasMinimum, hasMaximum) = (type.elements, hasMinimum, hasMaximum)
    return ONNXKernel([type]) { memory in
      let low = hasMinimum ? memory.input(1, as: Element.self)[0] : Element.lowest
      let high = hasMaximum ? memory.input(2, as: Element.self)[0] : Element.highest
      clip(memory.input(0), memory.output(0, as: Element.self), count, low, high)
      return nil
    }
  }
}

/// `high` wherever the bounds cross; NaN stays.
private func clip<Element: ONNXNumber>(
  _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int, _ low: Element, _ high: Element
) {
  mapElements(x, y, count) { x in
    let raised = x < low ? low : x
    return high < raised ? high : raised
  }
}

import ERIFormat

/// IsNaN and IsInf.
extension ONNXNode {
  func predicateKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    let type = try BoundType(.bool, x.shape)
    let positive = try flag("detect_positive", default: true)
    let negative = try flag("detect_negative", default: true)
    // The 8-bit floats without infinities are none, and NaN is one or a few patterns.
    if let format = SmallFloat(x.dtype) {
      let count = type.elements
      let asksNaN = op.name == "IsNaN"
      return ONNXKernel([type]) { memory in
        mapElements(memory.input(0, as: UInt8.self), memory.output(0, as: UInt8.self), count) { bits in
          let value = format.decode(bits)
          if asksNaN { return value != value ? 1 : 0 }
          return (positive && value == Float.infinity) || (negative && value == -Float.infinity) ? 1 : 0
        }
        return nil
      }
    }
    return try realKernel(
      x, "x", Predicate(asksNaN: op.name == "IsNaN", positive: positive, negative: negative, type: type))
  }
}

private struct Predicate: RealKernel {
  let asksNaN: Bool
  let positive: Bool
  let negative: Bool
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let count = type.elements
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<UInt8> = memory.output(0)
      if work.asksNaN {
        mapElements(x, y, count) { $0 != $0 ? 1 : 0 }
      } else {
        mapElements(x, y, count) {
          (work.positive && $0 == Element.infinity) || (work.negative && $0 == -Element.infinity) ? 1 : 0
        }
      }
      return nil
    }
  }
}

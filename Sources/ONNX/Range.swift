import CERISystem
import ERIFormat

/// Numbers from one to before another in equal steps.
extension ONNXNode {
  func rangeKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 3)
    let start = try operand(0, "a start")
    let limit = try operand(1, "a limit")
    let delta = try operand(2, "a step")
    for (operand, what) in [(start, "a start"), (limit, "a limit"), (delta, "a step")] {
      try require(operand, what, like: start)
      guard operand.type.elements == 1 else {
        throw contractError("expected \(what) of 1 element, found \(shapeText(operand.shape))")
      }
    }
    guard let first = start.values, let last = limit.values, let step = delta.values else {
      throw FormatError(
        .unsupported, at: "",
        "expected a start, a limit and a step whose values are known before the graph runs, found computed ones; give the model values that are constant or come from inputs and shapes"
      )
    }
    let maker = RangeKernel(dtype: start.dtype, start: first, limit: last, delta: step)
    return try numberKernel(start, "a start", maker)
  }
}

private struct RangeKernel: NumberKernel {
  let dtype: DType
  let start: UnsafeRawPointer
  let limit: UnsafeRawPointer
  let delta: UnsafeRawPointer

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let first = start.loadUnaligned(as: Element.self)
    let step = delta.loadUnaligned(as: Element.self)
    let last = limit.loadUnaligned(as: Element.self)
    // A difference of floating-point numbers rounds as ONNX's does; one of small integers would not fit their own type.
    // Numbers in double precision that single precision holds count as there: a model's own are widened for the reference.
    let numbers = [first.wide, last.wide, step.wide]
    let isSingle = dtype == .f64 && numbers.allSatisfy { Double(Float($0)) == $0 }
    let isExact = !Element.highest.wide.isInfinite && max(abs(first.wide), abs(last.wide)) < 0x1p53
    let difference = isExact ? last.wide - first.wide : last.minus(first).wide
    let distance = isSingle ? Double(Float(last.wide) - Float(first.wide)) : difference
    guard step != Element.nought else { throw contractError("expected a step other than 0, found 0") }
    let steps = -eri_floor(-(distance / step.wide))
    guard steps <= Double(Limits.elements) else {
      throw contractError("expected a range of at most \(Limits.elements) elements, found more, or no number")
    }
    let count = steps > 0 ? Int(steps) : 0
    return ONNXKernel([try BoundType(dtype, [count])]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for index in 0..<count { y[index] = first.plus(Element(narrowing: Double(index)).times(step)) }
      return nil
    }
  }
}

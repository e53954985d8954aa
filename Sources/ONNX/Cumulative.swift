import ERIFormat

/// CumSum and CumProd: every element the sum or product of those up to it.
extension ONNXNode {
  func cumulativeKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let x = try operand(0, "x")
    guard let given = try integer(1, "axis") else { throw contractError("expected an axis, found none") }
    let axis = try axis(given, rank: x.shape.count)
    return try numberKernel(
      x, "x",
      Cumulative(
        multiplies: op.name == "CumProd", exclusive: try flag("exclusive"), reverse: try flag("reverse"),
        walk: AxisRows(x.shape, axis: axis), type: x.type))
  }
}

private struct Cumulative: NumberKernel {
  let multiplies: Bool
  /// Without the element itself.
  let exclusive: Bool
  let reverse: Bool
  let walk: AxisRows
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.walk.forEachRow { _, start in work.run(x + start, y + start) }
      return nil
    }
  }

  @inline(__always)
  private func run<Element: ONNXNumber>(_ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>) {
    var total = multiplies ? Element.Sum.unit : Element.Sum.nought
    for step in 0..<walk.extent {
      let place = (reverse ? walk.extent - 1 - step : step) * walk.inner
      let next = multiplies ? total.times(x[place].sum) : total.plus(x[place].sum)
      y[place] = Element(sum: exclusive ? total : next)
      total = next
    }
  }
}

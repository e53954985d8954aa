import ERIFormat

/// Elements divided by the sum of magnitudes or the root of the sum of squares along an axis; 0 where that is 0.
extension ONNXNode {
  func lpNormalizationKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    let order = try integer("p", default: 2)
    guard order == 1 || order == 2 else { throw contractError("expected p to be 1 or 2, found \(order)") }
    let axis = try axis(try integer("axis", default: -1), rank: x.shape.count)
    return try realKernel(
      x, "x", LpNormalization(squares: order == 2, walk: AxisRows(x.shape, axis: axis), type: x.type))
  }
}

private struct LpNormalization: RealKernel {
  let squares: Bool
  let walk: AxisRows
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.walk.forEachRow { _, start in
        var total = 0.0
        for index in 0..<work.walk.extent {
          let value = x[start + index * work.walk.inner].wide
          total += work.squares ? value * value : value.magnitude
        }
        let norm = work.squares ? total.squareRoot() : total
        for index in 0..<work.walk.extent {
          let place = start + index * work.walk.inner
          y[place] = norm == 0 ? 0 : Element(narrowing: x[place].wide / norm)
        }
      }
      return nil
    }
  }
}

import ERIFormat

/// ArgMax and ArgMin: where along an axis the greatest or least element is.
extension ONNXNode {
  func extremeIndexKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    let axis = try axis(try integer("axis", default: 0), rank: max(x.shape.count, 1))
    var shape = x.shape
    if try flag("keepdims", default: true) {
      if axis < shape.count { shape[axis] = 1 }
    } else if axis < shape.count {
      shape.remove(at: axis)
    }
    let walk = AxisRows(x.shape, axis: axis)
    guard walk.extent > 0 else { throw contractError("expected at least 1 element along axis \(axis), found none") }
    return try numberKernel(
      x, "x",
      ExtremeIndex(
        greatest: op.name == "ArgMax", last: try flag("select_last_index"), walk: walk,
        type: try BoundType(.i64, shape)))
  }
}

private struct ExtremeIndex: NumberKernel {
  let greatest: Bool
  /// Of equal elements the last one, else the first.
  let last: Bool
  let walk: AxisRows
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Int64> = memory.output(0)
      work.walk.forEachRow { row, start in y[row] = Int64(work.search(x + start)) }
      return nil
    }
  }

  /// NaN is taken before any number.
  @inline(__always)
  private func search<Element: ONNXNumber>(_ x: UnsafePointer<Element>) -> Int {
    var best = x[0]
    var place = 0
    var index = 1
    while index < walk.extent {
      let value = x[index &* walk.inner]
      let better = greatest ? value > best : value < best
      let takes =
        best.isNotNumber
        ? last && value.isNotNumber : better || value.isNotNumber || (last && value == best)
      if takes {
        best = value
        place = index
      }
      index &+= 1
    }
    return place
  }
}

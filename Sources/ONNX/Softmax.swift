import CERISystem
import ERIFormat

/// Softmax, LogSoftmax and Hardmax along an axis; before operator set 13 along all axes from one on.
extension ONNXNode {
  func softmaxKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    let walk: AxisRows
    let rank = max(x.shape.count, 1)
    if op.opset < 13 {
      let given = try integer("axis", default: 1)
      walk = AxisRows(x.shape, from: given == x.shape.count ? given : try axis(given, rank: rank))
    } else {
      walk = AxisRows(x.shape, axis: try axis(try integer("axis", default: -1), rank: rank))
    }
    switch op.name {
    case "Softmax": return try realKernel(x, "x", Softmax(logarithm: false, walk: walk, type: x.type))
    case "LogSoftmax": return try realKernel(x, "x", Softmax(logarithm: true, walk: walk, type: x.type))
    default: return try realKernel(x, "x", Hardmax(walk: walk, type: x.type))
    }
  }
}

private struct Softmax: RealKernel {
  let logarithm: Bool
  let walk: AxisRows
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    // The greatest element and the sum of each column.
    return ONNXKernel([type], scratchBytes: walk.inner > 1 ? 16 * walk.inner : 0) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      if work.walk.inner > 1 {
        let size = work.walk.extent * work.walk.inner
        for index in 0..<work.walk.outer {
          work.columns(x + index * size, y + index * size, memory.scratch(), memory.scratch(8 * work.walk.inner))
        }
        return nil
      }
      work.walk.forEachRow { _, start in
        if work.logarithm {
          logSoftmax(x + start, y + start, work.walk.extent, 1)
        } else {
          softmax(x + start, y + start, work.walk.extent, 1)
        }
      }
      return nil
    }
  }

  /// All columns of one matrix at once, row by row, so that memory is read in its order.
  private func columns<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ greatest: UnsafeMutablePointer<Element>,
    _ totals: UnsafeMutablePointer<Double>
  ) {
    let (rows, count) = (walk.extent, walk.inner)
    greatest.update(repeating: -Element.infinity, count: count)
    totals.update(repeating: 0, count: count)
    for row in 0..<rows {
      let x = x + row * count
      for column in 0..<count { greatest[column] = x[column] > greatest[column] ? x[column] : greatest[column] }
    }
    for row in 0..<rows {
      let (x, y) = (x + row * count, y + row * count)
      for column in 0..<count { y[column] = Element.exponential(x[column] - greatest[column]) }
      for column in 0..<count { totals[column] += y[column].wide }
    }
    for column in 0..<count { totals[column] = logarithm ? eri_log(totals[column]) : 1 / totals[column] }
    for row in 0..<rows {
      let (x, y) = (x + row * count, y + row * count)
      for column in 0..<count {
        let value = Element(narrowing: totals[column])
        y[column] = logarithm ? x[column] - greatest[column] - value : y[column] * value
      }
    }
  }
}

/// Softmax of `count` elements that are `stride` apart; `y` may be `x`.
func softmax<Element: ONNXReal>(
  _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int, _ stride: Int
) {
  let greatest = largest(x, count, stride)
  var place = 0
  if stride == 1 {
    // A loop of its own, which is vectorised.
    mapElements(x, y, count) { Element.exponential($0 - greatest) }
  } else {
    for _ in 0..<count {
      y[place] = Element.exponential(x[place] - greatest)
      place &+= stride
    }
  }
  var total = 0.0
  place = 0
  for _ in 0..<count {
    total += y[place].wide
    place &+= stride
  }
  let factor = Element(narrowing: 1 / total)
  place = 0
  for _ in 0..<count {
    y[place] *= factor
    place &+= stride
  }
}

/// Log of the softmax of `count` elements that are `stride` apart.
func logSoftmax<Element: ONNXReal>(
  _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int, _ stride: Int
) {
  let greatest = largest(x, count, stride)
  var total = 0.0
  var place = 0
  for _ in 0..<count {
    total += Element.exponential(x[place] - greatest).wide
    place &+= stride
  }
  let shift = Element(narrowing: eri_log(total))
  place = 0
  for _ in 0..<count {
    y[place] = x[place] - greatest - shift
    place &+= stride
  }
}

private func largest<Element: ONNXReal>(_ x: UnsafePointer<Element>, _ count: Int, _ stride: Int) -> Element {
  var greatest = -Element.infinity
  var place = 0
  for _ in 0..<count {
    greatest = x[place] > greatest ? x[place] : greatest
    place &+= stride
  }
  return greatest
}

/// 1 at the first of the greatest elements, 0 elsewhere.
private struct Hardmax: RealKernel {
  let walk: AxisRows
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let walk = walk
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      guard walk.extent > 0 else { return nil }
      walk.forEachRow { _, start in
        var best = 0
        for index in 0..<walk.extent {
          y[start + index * walk.inner] = 0
          if x[start + index * walk.inner] > x[start + best * walk.inner] { best = index }
        }
        y[start + best * walk.inner] = 1
      }
      return nil
    }
  }
}

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
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.walk.forEachRow { _, start in
        if work.logarithm {
          logSoftmax(x + start, y + start, work.walk.extent, work.walk.inner)
        } else {
          softmax(x + start, y + start, work.walk.extent, work.walk.inner)
        }
      }
      return nil
    }
  }
}

/// Softmax of `count` elements that are `stride` apart; `y` may be `x`.
func softmax<Element: ONNXReal>(
  _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int, _ stride: Int
) {
  let greatest = largest(x, count, stride)
  var total = 0.0
  var place = 0
  for _ in 0..<count {
    let power = Element.exponential(x[place] - greatest)
    total += power.wide
    y[place] = power
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

import CERISystem
import ERIFormat

/// LRN: elements over a power of the sum of squares in a window of neighbouring channels.
extension ONNXNode {
  func localResponseKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard x.shape.count > 1 else {
      throw contractError("expected x of at least 2 dimensions, found \(shapeText(x.shape))")
    }
    let size = try integer("size", default: 0)
    guard size > 0 else { throw contractError("expected size of at least 1, found \(size)") }
    return try realKernel(
      x, "x",
      LocalResponse(
        size: size, alpha: try number("alpha", default: 1e-4), beta: try number("beta", default: 0.75),
        bias: try number("bias", default: 1), walk: AxisRows(x.shape, axis: 1), type: x.type))
  }
}

private struct LocalResponse: RealKernel {
  let size: Int
  let alpha: Float
  let beta: Float
  let bias: Float
  let walk: AxisRows
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let (before, after) = ((size - 1) / 2, size / 2)
    let scale = Double(alpha) / Double(size)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.walk.forEachRow { _, start in
        for channel in 0..<work.walk.extent {
          var total = 0.0
          let last = channel > work.walk.extent - 1 - after ? work.walk.extent - 1 : channel + after
          for neighbour in max(0, channel - before)...last {
            let value = x[start + neighbour * work.walk.inner].wide
            total += value * value
          }
          let place = start + channel * work.walk.inner
          y[place] = Element(
            narrowing: x[place].wide / eri_pow(Double(work.bias) + scale * total, Double(work.beta)))
        }
      }
      return nil
    }
  }
}

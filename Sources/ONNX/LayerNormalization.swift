import ERIFormat

/// LayerNormalization and RMSNormalization: all axes from one on share a mean and a scale, or a scale alone.
extension ONNXNode {
  func layerNormalizationKernel() throws(FormatError) -> ONNXKernel {
    let centres = op.name == "LayerNormalization"
    try arity(2, centres ? 3 : 2)
    let x = try operand(0, "x")
    let axis = try axis(try integer("axis", default: -1), rank: x.shape.count)
    let scale = try operand(1, "a scale")
    try require(scale, "scale", like: x)
    let bias = optional(2)
    if let bias { try require(bias, "bias", like: x) }
    var types = [x.type]
    if centres && outputCount > 1 {
      let saved = try BoundType(x.dtype, x.shape.prefix(axis) + x.shape.dropFirst(axis).map { _ in 1 })
      types += [saved, saved]
    }
    return try realKernel(
      x, "x",
      LayerNormalization(
        centres: centres, epsilon: try number("epsilon", default: 1e-5), walk: AxisRows(x.shape, from: axis),
        scale: try Broadcast.to(x.shape, scale.shape, "scale"),
        bias: try bias.map { bias throws(FormatError) in try Broadcast.to(x.shape, bias.shape, "bias") },
        types: types))
  }
}

private struct LayerNormalization: RealKernel {
  let centres: Bool
  let epsilon: Float
  let walk: AxisRows
  let scale: Broadcast
  let bias: Broadcast?
  let types: [BoundType]

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let saves = types.count > 1
    return ONNXKernel(types) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let count = work.walk.extent
      for row in 0..<work.walk.outer {
        let start = row * count
        let mean = work.centres ? sum(x + start, count) { $0 } / Double(count) : 0
        let variance = sum(x + start, count) { ($0 - mean) * ($0 - mean) } / Double(count)
        let inverse = 1 / (variance + Double(work.epsilon)).squareRoot()
        let (shift, factor) = (Element(narrowing: mean), Element(narrowing: inverse))
        mapElements(x + start, y + start, count) { ($0 - shift) * factor }
        if saves {
          memory.output(1, as: Element.self)[row] = shift
          memory.output(2, as: Element.self)[row] = factor
        }
      }
      work.scale.map(UnsafePointer(y), memory.input(1, as: Element.self), y) { $0 * $1 }
      work.bias?.map(UnsafePointer(y), memory.input(2, as: Element.self), y) { $0 + $1 }
      return nil
    }
  }
}

import ERIFormat

/// Normalisation by statistics of each channel: given ones, or the batch's own in training.
extension ONNXNode {
  func batchNormalizationKernel() throws(FormatError) -> ONNXKernel {
    try arity(5, 5)
    let x = try operand(0, "x")
    let channels = x.shape.count > 1 ? x.shape[1] : 1
    for (index, name) in [(1, "scale"), (2, "bias"), (3, "mean"), (4, "variance")] {
      let parameter = try operand(index, "a \(name)")
      try require(parameter, name, like: x)
      try require(parameter, name, shape: [channels])
    }
    let spatial = try flag("spatial", default: true)
    guard op.opset >= 9 || spatial else {
      throw FormatError(
        .unsupported, at: "", "expected BatchNormalization with spatial 1, found 0; flatten x to [N, C] before it")
    }
    let trains = op.opset >= 14 ? try flag("training_mode") : false
    guard trains || outputCount == 1 else {
      throw FormatError(
        .unsupported, at: "",
        "expected BatchNormalization of 1 output at inference, found \(outputCount); export the model for inference")
    }
    let statistics = try BoundType(x.dtype, [channels])
    return try realKernel(
      x, "x",
      BatchNormalization(
        epsilon: try number("epsilon", default: 1e-5), momentum: try number("momentum", default: 0.9), trains: trains,
        walk: AxisRows(x.shape.count > 1 ? x.shape : [x.type.elements, 1], axis: 1),
        types: trains ? [x.type, statistics, statistics] : [x.type]))
  }
}

private struct BatchNormalization: RealKernel {
  let epsilon: Float
  let momentum: Float
  let trains: Bool
  let walk: AxisRows
  let types: [BoundType]

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel(types) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for channel in 0..<work.walk.extent {
        var mean = memory.input(3, as: Element.self)[channel].wide
        var variance = memory.input(4, as: Element.self)[channel].wide
        if work.trains {
          let batch = work.statistics(x, channel)
          let share = Double(work.momentum)
          memory.output(1, as: Element.self)[channel] = Element(narrowing: mean * share + batch.0 * (1 - share))
          memory.output(2, as: Element.self)[channel] = Element(narrowing: variance * share + batch.1 * (1 - share))
          (mean, variance) = batch
        }
        let factor = memory.input(1, as: Element.self)[channel].wide / (variance + Double(work.epsilon)).squareRoot()
        work.apply(x, y, channel, mean, factor, memory.input(2, as: Element.self)[channel].wide)
      }
      return nil
    }
  }

  /// Mean and variance of a channel over the batch.
  private func statistics<Element: ONNXReal>(_ x: UnsafePointer<Element>, _ channel: Int) -> (Double, Double) {
    let count = Double(walk.outer * walk.inner)
    var total = 0.0
    for image in 0..<walk.outer { total += sum(x + place(image, channel), walk.inner) { $0 } }
    let mean = total / count
    total = 0
    for image in 0..<walk.outer { total += sum(x + place(image, channel), walk.inner) { ($0 - mean) * ($0 - mean) } }
    return (mean, total / count)
  }

  private func place(_ image: Int, _ channel: Int) -> Int { (image * walk.extent + channel) * walk.inner }

  private func apply<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ channel: Int, _ mean: Double, _ factor: Double,
    _ bias: Double
  ) {
    let factor = Element(narrowing: factor)
    let (mean, bias) = (Element(narrowing: mean), Element(narrowing: bias))
    for image in 0..<walk.outer {
      let start = place(image, channel)
      mapElements(x + start, y + start, walk.inner) { ($0 - mean) * factor + bias }
    }
  }
}

/// Σ f(x) over consecutive elements, by four totals.
@inline(__always)
func sum<Element: ONNXReal>(_ x: UnsafePointer<Element>, _ count: Int, _ f: (Double) -> Double) -> Double {
  var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
  var index = 0
  while index &+ 4 <= count {
    a += f(x[index].wide)
    b += f(x[index &+ 1].wide)
    c += f(x[index &+ 2].wide)
    d += f(x[index &+ 3].wide)
    index &+= 4
  }
  while index < count {
    a += f(x[index].wide)
    index &+= 1
  }
  return (a + b) + (c + d)
}

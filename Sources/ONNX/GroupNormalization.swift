import ERIFormat

/// InstanceNormalization and GroupNormalization: statistics of each image's channel, or group of channels.
extension ONNXNode {
  func groupNormalizationKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 3)
    let x = try operand(0, "x")
    guard x.shape.count > 1 else {
      throw contractError("expected x of at least 2 dimensions, found \(shapeText(x.shape))")
    }
    let channels = x.shape[1]
    let groups: Int
    if op.name == "GroupNormalization" {
      groups = try integer("num_groups", default: 0)
      guard groups > 0, channels % groups == 0 else {
        throw contractError("expected num_groups to divide \(channels) channels, found \(groups)")
      }
    } else {
      groups = channels
    }
    // Before operator set 21 a group had one scale and one bias.
    let perGroup = op.name == "GroupNormalization" && op.opset < 21
    for (index, name) in [(1, "scale"), (2, "bias")] {
      let parameter = try operand(index, "a \(name)")
      try require(parameter, name, like: x)
      try require(parameter, name, shape: [perGroup ? groups : channels])
    }
    return try realKernel(
      x, "x",
      GroupNormalization(
        epsilon: try number("epsilon", default: 1e-5), images: x.shape[0], groups: groups,
        channels: groups == 0 ? 0 : channels / groups, inner: x.shape.dropFirst(2).reduce(1, *), perGroup: perGroup,
        type: x.type))
  }
}

private struct GroupNormalization: RealKernel {
  let epsilon: Float
  let images: Int
  let groups: Int
  /// Of one group.
  let channels: Int
  let inner: Int
  /// One scale and bias per group, else per channel.
  let perGroup: Bool
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let (scale, bias): (UnsafePointer<Element>, UnsafePointer<Element>) = (memory.input(1), memory.input(2))
      let size = work.channels * work.inner
      for row in 0..<(work.images * work.groups) {
        let group = row % work.groups
        let start = row * size
        let mean = sum(x + start, size) { $0 } / Double(size)
        let variance = sum(x + start, size) { ($0 - mean) * ($0 - mean) } / Double(size)
        let inverse = 1 / (variance + Double(work.epsilon)).squareRoot()
        for channel in 0..<work.channels {
          let parameter = work.perGroup ? group : group * work.channels + channel
          let factor = Element(narrowing: scale[parameter].wide * inverse)
          let (shift, bias) = (Element(narrowing: mean), bias[parameter])
          let place = start + channel * work.inner
          mapElements(x + place, y + place, work.inner) { ($0 - shift) * factor + bias }
        }
      }
      return nil
    }
  }
}

import ERIFormat

extension Conv {
  /// Cross-correlation, every product by itself.
  func reference(
    _ x: ReferenceTensor?, _ weight: ReferenceTensor?, _ bias: ReferenceTensor?, shape: [Int]
  ) -> ReferenceTensor? {
    guard let x, let weight else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: 0)
    let axes = strides.count
    let xStrides = x.strides
    let wStrides = weight.strides
    let channels = weight.shape[1]
    let outputsPerGroup = weight.shape[0] / groups
    let kernel = [Int](weight.shape[2...])
    var position = 0
    ReferenceTensor.forEachIndex(shape) { index in
      let output = index[1]
      var sum = bias?.values[output] ?? 0
      for channel in 0..<channels {
        let source = output / outputsPerGroup * channels + channel
        ReferenceTensor.forEachIndex(kernel) { tap in
          var xOffset = index[0] * xStrides[0] + source * xStrides[1]
          var wOffset = output * wStrides[0] + channel * wStrides[1]
          for axis in 0..<axes {
            let place = index[axis + 2] * strides[axis] - padsBegin[axis] + tap[axis] * dilations[axis]
            if place < 0 || place >= x.shape[axis + 2] { return }
            xOffset += place * xStrides[axis + 2]
            wOffset += tap[axis] * wStrides[axis + 2]
          }
          sum += x.values[xOffset] * weight.values[wOffset]
        }
      }
      y.values[position] = sum
      position += 1
    }
    return y
  }
}

import ERIFormat

extension MaxPool {
  /// The largest value under the window; NaN if one is NaN.
  func reference(_ x: ReferenceTensor?, shape: [Int]) -> ReferenceTensor? {
    guard let x else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: -.infinity)
    let xStrides = x.strides
    var position = 0
    ReferenceTensor.forEachIndex(shape) { index in
      ReferenceTensor.forEachIndex(kernel) { tap in
        var offset = index[0] * xStrides[0] + index[1] * xStrides[1]
        for axis in kernel.indices {
          let place = index[axis + 2] * strides[axis] - padsBegin[axis] + tap[axis] * dilations[axis]
          if place < 0 || place >= x.shape[axis + 2] { return }
          offset += place * xStrides[axis + 2]
        }
        let value = x.values[offset]
        if value.isNaN || value > y.values[position] { y.values[position] = value }
      }
      position += 1
    }
    return y
  }
}

import ERIFormat

extension Transpose {
  /// Output index i along axis a is input index i along axis permutation[a].
  func reference(_ x: ReferenceTensor?, shape: [Int]) -> ReferenceTensor? {
    guard let x else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: 0)
    let strides = x.strides
    var position = 0
    ReferenceTensor.forEachIndex(shape) { index in
      var offset = 0
      for (axis, source) in permutation.enumerated() { offset += index[axis] * strides[source] }
      y.values[position] = x.values[offset]
      position += 1
    }
    return y
  }
}

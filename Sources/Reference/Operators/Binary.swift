import ERIFormat

extension ERIFormat.Binary {
  /// The function of two broadcast operands.
  func reference(_ a: ReferenceTensor?, _ b: ReferenceTensor?, shape: [Int]) -> ReferenceTensor? {
    guard let a, let b else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: 0)
    var position = 0
    ReferenceTensor.forEachIndex(shape) { index in
      let x = a.values[broadcast(index, a)]
      let z = b.values[broadcast(index, b)]
      switch function {
      case .add: y.values[position] = x + z
      case .subtract: y.values[position] = x - z
      case .multiply: y.values[position] = x * z
      case .divide: y.values[position] = x / z
      }
      position += 1
    }
    return y
  }

  private func broadcast(_ index: [Int], _ tensor: ReferenceTensor) -> Int {
    let missing = index.count - tensor.shape.count
    var offset = 0
    for (axis, stride) in tensor.strides.enumerated() where tensor.shape[axis] > 1 {
      offset += index[axis + missing] * stride
    }
    return offset
  }
}

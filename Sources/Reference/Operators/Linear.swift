import ERIFormat

extension Linear {
  /// x wᵀ + b.
  func reference(
    _ x: ReferenceTensor?, _ weight: ReferenceTensor?, _ bias: ReferenceTensor?, shape: [Int]
  ) -> ReferenceTensor? {
    guard let x, let weight else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: 0)
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    for position in y.values.indices {
      let (row, output) = (position / outputs, position % outputs)
      var sum = bias?.values[output] ?? 0
      for input in 0..<inputs { sum += x.values[row * inputs + input] * weight.values[output * inputs + input] }
      y.values[position] = sum
    }
    return y
  }
}

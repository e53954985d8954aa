import ERIFormat

extension LayerNorm {
  /// Each row less its mean, over its deviation, times gain, plus bias.
  func reference(_ x: ReferenceTensor?, _ gain: ReferenceTensor?, _ bias: ReferenceTensor?) -> ReferenceTensor? {
    guard let x, let gain, let bias, let width = x.shape.last else { return nil }
    var y = x
    for row in 0..<(x.values.count / max(width, 1)) {
      let range = (row * width)..<((row + 1) * width)
      let mean = range.reduce(0.0) { $0 + x.values[$1] } / Double(width)
      let squares = range.reduce(0.0) { $0 + (x.values[$1] - mean) * (x.values[$1] - mean) }
      let deviation: Double =
        switch form {
        case .standard: (squares / Double(width) + Double(epsilon)).squareRoot()
        case .unbiasedDeviation: (squares / Double(width - 1)).squareRoot() + Double(epsilon)
        }
      for position in range {
        let column = position - range.lowerBound
        y.values[position] = gain.values[column] * (x.values[position] - mean) / deviation + bias.values[column]
      }
    }
    return y
  }
}

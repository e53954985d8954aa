import ERIFormat

extension BatchNorm {
  /// scale (x - mean) / √(variance + epsilon) + bias.
  func reference(
    _ x: ReferenceTensor?, _ scale: ReferenceTensor?, _ bias: ReferenceTensor?, _ mean: ReferenceTensor?,
    _ variance: ReferenceTensor?
  ) -> ReferenceTensor? {
    guard let x, let scale, let bias, let mean, let variance else { return nil }
    var y = x
    let plane = x.shape[2...].reduce(1, *)
    for position in x.values.indices {
      let channel = position / plane % x.shape[1]
      let normal =
        (x.values[position] - mean.values[channel]) / (variance.values[channel] + Double(epsilon)).squareRoot()
      y.values[position] = scale.values[channel] * normal + bias.values[channel]
    }
    return y
  }
}

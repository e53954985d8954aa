import ERIFormat

extension AttentionPool {
  /// The sequence's mean under the softmax of its scores.
  func reference(
    _ x: ReferenceTensor?, _ weight: ReferenceTensor?, _ bias: ReferenceTensor?, shape: [Int]
  ) -> ReferenceTensor? {
    guard let x, let weight, let bias else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: 0)
    let (tokens, width) = (x.shape[1], x.shape[2])
    for item in 0..<x.shape[0] {
      var scores: [Double] = []
      for token in 0..<tokens {
        var sum = bias.values[0]
        for column in 0..<width { sum += x.values[(item * tokens + token) * width + column] * weight.values[column] }
        scores.append(sum)
      }
      for (token, share) in softmax(scores).enumerated() {
        for column in 0..<width {
          y.values[item * width + column] += share * x.values[(item * tokens + token) * width + column]
        }
      }
    }
    return y
  }
}

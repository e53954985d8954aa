import CERISystem
import ERIFormat

extension Attention {
  /// For each head and query: softmax of the scaled, banded scores, then the weighted sum of values.
  func reference(
    _ q: ReferenceTensor?, _ k: ReferenceTensor?, _ v: ReferenceTensor?, shape: [Int]
  ) -> ReferenceTensor? {
    guard let q, let k, let v else { return nil }
    var y = ReferenceTensor(shape: shape, repeating: 0)
    let (queries, keys) = (q.shape[1], k.shape[1])
    let (keyWidth, valueWidth) = (q.shape[2] / heads, v.shape[2] / heads)
    for item in 0..<q.shape[0] {
      for head in 0..<heads {
        for query in 0..<queries {
          var scores = [Double](repeating: -.infinity, count: keys)
          for key in 0..<keys {
            if let band, key < query - band.before || key > query + band.after { continue }
            var sum = 0.0
            for column in 0..<keyWidth {
              sum +=
                q.values[(item * queries + query) * q.shape[2] + head * keyWidth + column]
                * k.values[(item * keys + key) * k.shape[2] + head * keyWidth + column]
            }
            scores[key] = Double(scale) * sum
          }
          let weights = softmax(scores)
          for column in 0..<valueWidth {
            var sum = 0.0
            for key in 0..<keys where weights[key] > 0 {
              sum += weights[key] * v.values[(item * keys + key) * v.shape[2] + head * valueWidth + column]
            }
            y.values[(item * queries + query) * shape[2] + head * valueWidth + column] = sum
          }
        }
      }
    }
    return y
  }
}

/// exp(x - max) over its sum.
func softmax(_ x: [Double]) -> [Double] {
  let largest = x.max() ?? 0
  let powers = x.map { eri_exp($0 - largest) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}

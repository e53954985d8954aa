import ERIFormat

extension WeightNorm {
  /// g v / ‖v‖.
  func reference(_ v: ReferenceTensor?, _ g: ReferenceTensor?) -> ReferenceTensor? {
    guard let v, let g else { return nil }
    var w = v
    let count = v.shape.dropFirst().reduce(1, *)
    for output in 0..<v.shape[0] {
      let range = (output * count)..<((output + 1) * count)
      let norm = range.reduce(0.0) { $0 + v.values[$1] * v.values[$1] }.squareRoot()
      for position in range { w.values[position] = g.values[output] * v.values[position] / norm }
    }
    return w
  }
}

import ERIFormat

extension PReLU {
  /// x, times its channel's slope where it is not above 0.
  func reference(_ x: ReferenceTensor?, _ slope: ReferenceTensor?) -> ReferenceTensor? {
    guard let x, let slope else { return nil }
    var y = x
    let plane = x.shape[2...].reduce(1, *)
    for position in x.values.indices where !(x.values[position] > 0) {
      y.values[position] = slope.values[position / plane % x.shape[1]] * x.values[position]
    }
    return y
  }
}

import ERIFormat

extension Gate {
  /// x times its column of `present`; zeros where that is 0 or x is absent.
  func reference(_ x: ReferenceTensor?, _ present: ReferenceTensor?, shape: [Int]) -> ReferenceTensor {
    var y = ReferenceTensor(shape: shape, repeating: 0)
    guard let x, let present else { return y }
    let count = shape.dropFirst().reduce(1, *)
    for position in x.values.indices {
      let factor = present.values[position / max(count, 1) * present.shape[1] + index]
      if factor != 0 { y.values[position] = x.values[position] * factor }
    }
    return y
  }
}

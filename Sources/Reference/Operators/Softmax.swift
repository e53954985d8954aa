import ERIFormat

extension Softmax {
  /// The softmax of every line along the axis.
  func reference(_ x: ReferenceTensor?) -> ReferenceTensor? {
    guard let x else { return nil }
    var y = x
    let (extent, step) = (x.shape[axis], x.strides[axis])
    for position in x.values.indices where position / step % extent == 0 {
      let line = (0..<extent).map { position + $0 * step }
      for (place, share) in zip(line, softmax(line.map { x.values[$0] })) { y.values[place] = share }
    }
    return y
  }
}

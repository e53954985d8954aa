import ERIFormat

extension Concat {
  /// Each element looked up in the operand that holds it.
  func reference(_ operands: [ReferenceTensor], shape: [Int]) -> ReferenceTensor? {
    var y = ReferenceTensor(shape: shape, repeating: 0)
    var position = 0
    ReferenceTensor.forEachIndex(shape) { index in
      var source = index
      for operand in operands {
        if source[axis] < operand.shape[axis] {
          y.values[position] = operand.values[zip(source, operand.strides).reduce(0) { $0 + $1.0 * $1.1 }]
          break
        }
        source[axis] -= operand.shape[axis]
      }
      position += 1
    }
    return y
  }
}

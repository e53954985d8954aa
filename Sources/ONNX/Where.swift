import ERIFormat

/// Elements of one operand where a condition holds, of another where not; all broadcast.
extension ONNXNode {
  func whereKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 3)
    let (condition, x, y) = (try operand(0, "condition"), try operand(1, "x"), try operand(2, "y"))
    try require(condition, "condition", [.bool])
    try require(y, "y", like: x)
    let broadcast = try Broadcast([condition.shape, x.shape, y.shape])
    return try Choice(broadcast: broadcast, type: try BoundType(x.dtype, broadcast.shape)).kernel(for: x.dtype)
  }
}

private struct Choice: WordKernel {
  let broadcast: Broadcast
  let type: BoundType

  func kernel<Element: Word>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let broadcast = broadcast
    return ONNXKernel([type]) { memory in
      broadcast.map(
        memory.input(0, as: UInt8.self), memory.input(1, as: Element.self), memory.input(2, as: Element.self),
        memory.output(0, as: Element.self)
      ) { $0 != 0 ? $1 : $2 }
      return nil
    }
  }
}

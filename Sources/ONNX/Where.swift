import ERIFormat

/// Elements of one operand where a condition holds, of another where not; all broadcast.
extension ONNXNode {
  func whereKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 3)
    let (condition, x, y) = (try operand(0, "condition"), try operand(1, "x"), try operand(2, "y"))
    try require(condition, "condition", [.bool])
    try require(y, "y", like: x)
    let broadcast = try Broadcast([condition.shape, x.shape, y.shape])
    let type = try BoundType(x.dtype, broadcast.shape)
    switch x.dtype.byteCount {
    case 1: return choice(UInt8.self, broadcast, type)
    case 2: return choice(UInt16.self, broadcast, type)
    case 4: return choice(UInt32.self, broadcast, type)
    default: return choice(UInt64.self, broadcast, type)
    }
  }

  private func choice<Bits: FixedWidthInteger>(
    _ bits: Bits.Type, _ broadcast: Broadcast, _ type: BoundType
  ) -> ONNXKernel {
    ONNXKernel([type]) { memory in
      broadcast.map(
        memory.input(0, as: UInt8.self), memory.input(1, as: Bits.self), memory.input(2, as: Bits.self),
        memory.output(0, as: Bits.self)
      ) { $0 != 0 ? $1 : $2 }
      return nil
    }
  }
}

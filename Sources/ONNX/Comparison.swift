import ERIFormat

/// Comparisons of two operands that broadcast; the result is a bool.
enum ComparisonFunction: String, CaseIterable {
  case equal = "Equal"
  case greater = "Greater"
  case greaterOrEqual = "GreaterOrEqual"
  case less = "Less"
  case lessOrEqual = "LessOrEqual"
}

extension ONNXNode {
  func comparisonKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let (a, b) = (try operand(0, "a"), try operand(1, "b"))
    try require(b, "b", like: a)
    guard let function = ComparisonFunction(rawValue: op.name) else {
      throw contractError("expected a comparison, found none")
    }
    let broadcast = try Broadcast([a.shape, b.shape])
    let maker = Comparison(function: function, broadcast: broadcast, type: try BoundType(.bool, broadcast.shape))
    // A bool is compared as the byte that it is.
    if a.dtype == .bool && function == .equal { return try maker.kernel(UInt8.self) }
    return try numberKernel(a, "a", maker)
  }
}

private struct Comparison: NumberKernel {
  let function: ComparisonFunction
  let broadcast: Broadcast
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let (a, b): (UnsafePointer<Element>, UnsafePointer<Element>) = (memory.input(0), memory.input(1))
      let y: UnsafeMutablePointer<UInt8> = memory.output(0)
      switch work.function {
      case .equal: work.broadcast.map(a, b, y) { $0 == $1 ? 1 : 0 }
      case .greater: work.broadcast.map(a, b, y) { $0 > $1 ? 1 : 0 }
      case .greaterOrEqual: work.broadcast.map(a, b, y) { $0 >= $1 ? 1 : 0 }
      case .less: work.broadcast.map(a, b, y) { $0 < $1 ? 1 : 0 }
      case .lessOrEqual: work.broadcast.map(a, b, y) { $0 <= $1 ? 1 : 0 }
      }
      return nil
    }
  }
}

import ERIFormat

/// Arithmetic on two operands that broadcast.
enum ArithmeticFunction: String, CaseIterable {
  case add = "Add"
  case sub = "Sub"
  case mul = "Mul"
  case div = "Div"
  case mod = "Mod"
  case prelu = "PRelu"
}

extension ONNXNode {
  func arithmeticKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let (a, b) = (try operand(0, "a"), try operand(1, "b"))
    try require(b, "b", like: a)
    guard let function = ArithmeticFunction(rawValue: op.name) else {
      throw contractError("expected arithmetic, found none")
    }
    let truncates = function == .mod ? try flag("fmod") : false
    let broadcast =
      function == .prelu
      ? try Broadcast.to(a.shape, b.shape, "slope") : try Broadcast([a.shape, b.shape])
    return try numberKernel(
      a, "a",
      Arithmetic(
        function: function, truncates: truncates, divides: b.type.elements, broadcast: broadcast,
        type: try BoundType(a.dtype, broadcast.shape)))
  }

  /// a · sigmoid(alpha a) · b.
  func gatedKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let (a, b) = (try operand(0, "a"), try operand(1, "b"))
    try require(b, "b", like: a)
    try require(b, "b", shape: a.shape)
    return try realKernel(a, "a", Gated(alpha: try number("alpha", default: 1), type: a.type))
  }
}

private struct Arithmetic: NumberKernel {
  let function: ArithmeticFunction
  /// Mod with the sign of the dividend.
  let truncates: Bool
  /// Elements of the divisor.
  let divides: Int
  let broadcast: Broadcast
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let checksDivisor = type.dtype.isInteger && (function == .div || function == .mod)
    return ONNXKernel([type]) { memory in
      let (a, b): (UnsafePointer<Element>, UnsafePointer<Element>) = (memory.input(0), memory.input(1))
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      if checksDivisor {
        for index in 0..<work.divides where b[index] == Element.nought { return .divisionByZero }
      }
      switch work.function {
      case .add: work.broadcast.map(a, b, y) { $0.plus($1) }
      case .sub: work.broadcast.map(a, b, y) { $0.minus($1) }
      case .mul: work.broadcast.map(a, b, y) { $0.times($1) }
      case .div: work.broadcast.map(a, b, y) { $0.over($1) }
      case .mod where work.truncates: work.broadcast.map(a, b, y) { $0.truncatedRemainder($1) }
      case .mod: work.broadcast.map(a, b, y) { $0.floorRemainder($1) }
      case .prelu: work.broadcast.map(a, b, y) { $0 < Element.nought ? $0.times($1) : $0 }
      }
      return nil
    }
  }
}

private struct Gated: RealKernel {
  let alpha: Float
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let alpha = Element(alpha)
    return ONNXKernel([type]) { memory in
      let (a, b): (UnsafePointer<Element>, UnsafePointer<Element>) = (memory.input(0), memory.input(1))
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      var index = 0
      while index < count {
        y[index] = a[index] * sigmoid(alpha * a[index]) * b[index]
        index &+= 1
      }
      return nil
    }
  }
}

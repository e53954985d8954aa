import ERIFormat

/// Logic on bools and on the bits of integers.
enum LogicFunction: String, CaseIterable {
  case and = "And"
  case or = "Or"
  case xor = "Xor"
  case not = "Not"
  case bitwiseAnd = "BitwiseAnd"
  case bitwiseOr = "BitwiseOr"
  case bitwiseXor = "BitwiseXor"
  case bitwiseNot = "BitwiseNot"
  case bitShift = "BitShift"
}

extension ONNXNode {
  func logicKernel() throws(FormatError) -> ONNXKernel {
    guard let function = LogicFunction(rawValue: op.name) else { throw contractError("expected logic, found none") }
    let a = try operand(0, "a")
    switch function {
    case .not, .bitwiseNot:
      try arity(1, 1)
      if function == .not {
        try require(a, "a", [.bool])
        let count = a.type.elements
        return ONNXKernel([a.type]) { memory in
          mapElements(memory.input(0, as: UInt8.self), memory.output(0, as: UInt8.self), count) { $0 == 0 ? 1 : 0 }
          return nil
        }
      }
      return try integerKernel(a, "a", Complement(type: a.type))
    case .and, .or, .xor:
      let broadcast = try bothOperands(a)
      try require(a, "a", [.bool])
      let type = try BoundType(.bool, broadcast.shape)
      return ONNXKernel([type]) { memory in
        let (a, b): (UnsafePointer<UInt8>, UnsafePointer<UInt8>) = (memory.input(0), memory.input(1))
        let y: UnsafeMutablePointer<UInt8> = memory.output(0)
        switch function {
        case .and: broadcast.map(a, b, y) { $0 != 0 && $1 != 0 ? 1 : 0 }
        case .or: broadcast.map(a, b, y) { $0 != 0 || $1 != 0 ? 1 : 0 }
        case .xor: broadcast.map(a, b, y) { ($0 != 0) != ($1 != 0) ? 1 : 0 }
        case .not, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .bitwiseNot, .bitShift: break
        }
        return nil
      }
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .bitShift:
      let broadcast = try bothOperands(a)
      let right = function == .bitShift ? try shiftsRight() : false
      return try integerKernel(
        a, "a",
        Bitwise(
          function: function, right: right, broadcast: broadcast, type: try BoundType(a.dtype, broadcast.shape)))
    }
  }

  private func bothOperands(_ a: ONNXOperand) throws(FormatError) -> Broadcast {
    try arity(2, 2)
    let b = try operand(1, "b")
    try require(b, "b", like: a)
    return try Broadcast([a.shape, b.shape])
  }

  private func shiftsRight() throws(FormatError) -> Bool {
    let direction = try text("direction", default: "")
    guard direction == "RIGHT" || direction == "LEFT" else {
      throw contractError("expected direction to be \"LEFT\" or \"RIGHT\", found \"\(direction)\"")
    }
    return direction == "RIGHT"
  }
}

private struct Complement: IntegerKernel {
  let type: BoundType

  func kernel<Element: ONNXInteger>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    return ONNXKernel([type]) { memory in
      mapElements(memory.input(0, as: Element.self), memory.output(0, as: Element.self), count) { ~$0 }
      return nil
    }
  }
}

private struct Bitwise: IntegerKernel {
  let function: LogicFunction
  let right: Bool
  let broadcast: Broadcast
  let type: BoundType

  func kernel<Element: ONNXInteger>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let (a, b): (UnsafePointer<Element>, UnsafePointer<Element>) = (memory.input(0), memory.input(1))
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      switch work.function {
      case .bitwiseAnd: work.broadcast.map(a, b, y) { $0 & $1 }
      case .bitwiseOr: work.broadcast.map(a, b, y) { $0 | $1 }
      case .bitwiseXor: work.broadcast.map(a, b, y) { $0 ^ $1 }
      case .bitShift where work.right: work.broadcast.map(a, b, y) { Bitwise.right($0, $1) }
      case .bitShift: work.broadcast.map(a, b, y) { Bitwise.left($0, $1) }
      case .and, .or, .xor, .not, .bitwiseNot: break
      }
      return nil
    }
  }

  /// What the sign bit fills alone is left of a shift by a negative number or by all bits.
  @inline(__always)
  private static func right<Element: ONNXInteger>(_ a: Element, _ b: Element) -> Element {
    if b >= 0 && b < Element.bitWidth { return a &>> b }
    return a < 0 ? ~0 : 0
  }

  @inline(__always)
  private static func left<Element: ONNXInteger>(_ a: Element, _ b: Element) -> Element {
    b >= 0 && b < Element.bitWidth ? a &<< b : 0
  }
}

import CERISchema

/// A function of each element. Input: x. Output: as x.
package struct Unary: OperatorContract {
  package static let name = "unary"
  package static let number: UInt32 = 24
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package enum Function: UInt32, Sendable, CaseIterable {
    case relu = 1
    case sigmoid = 2
    /// x Φ(x), exact.
    case gelu = 3
    /// Hendrycks & Gimpel's tanh form.
    case geluTanh = 4
    case tanh = 5
    case exp = 6

    package var name: String {
      switch self {
      case .relu: "relu"
      case .sigmoid: "sigmoid"
      case .gelu: "gelu"
      case .geluTanh: "gelu_tanh"
      case .tanh: "tanh"
      case .exp: "exp"
      }
    }
  }

  package var function: Function

  package init(_ function: Function) { self.function = function }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 1, 1)
    return [try inference.input(inputs, 0, "x")]
  }
}

extension Unary {
  init(wire: Eri__Unary) throws(FormatError) {
    guard let function = Function(rawValue: UInt32(wire.function.rawValue)) else {
      throw contractError("expected a unary function, found number \(wire.function.rawValue)")
    }
    self.function = function
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Unary> {
    let wire = try arena.message(eri__unary__init)
    wire.pointee.function = Eri__UnaryFunction(rawValue: function.rawValue)
    return wire
  }
}

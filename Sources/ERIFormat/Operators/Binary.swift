import CERISchema

/// A function of two elements, with NumPy's broadcasting. Inputs: a, b. Output: their common shape.
package struct Binary: OperatorContract {
  package static let name = "binary"
  package static let number: UInt32 = 25
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package enum Function: UInt32, Sendable, CaseIterable {
    case add = 1
    case subtract = 2
    case multiply = 3
    case divide = 4

    package var name: String {
      switch self {
      case .add: "add"
      case .subtract: "subtract"
      case .multiply: "multiply"
      case .divide: "divide"
      }
    }
  }

  package var function: Function

  package init(_ function: Function) { self.function = function }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 2, 2)
    let a = try inference.input(inputs, 0, "a")
    let b = try inference.input(inputs, 1, "b")
    let rank = max(a.shape.count, b.shape.count)
    var shape: [Dimension] = []
    for axis in 0..<rank {
      let fromA = axis - (rank - a.shape.count)
      let fromB = axis - (rank - b.shape.count)
      let x = fromA >= 0 ? a.shape[fromA] : Dimension(1)
      let y = fromB >= 0 ? b.shape[fromB] : Dimension(1)
      if x == y || y.constant == 1 {
        shape.append(x)
      } else if x.constant == 1 {
        shape.append(y)
      } else if x.constant != nil && y.constant != nil {
        throw contractError(
          "expected shapes that broadcast, found \(a.text(inference.symbolNames)) and \(b.text(inference.symbolNames))")
      } else if x.constant != nil {
        shape.append(x)
      } else if y.constant != nil {
        shape.append(y)
      } else {
        shape.append(inference.fresh())
      }
    }
    return [ValueType(.f32, shape)]
  }
}

extension Binary {
  init(wire: Eri__Binary) throws(FormatError) {
    guard let function = Function(rawValue: UInt32(wire.function.rawValue)) else {
      throw contractError("expected a binary function, found number \(wire.function.rawValue)")
    }
    self.function = function
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Binary> {
    let wire = try arena.message(eri__binary__init)
    wire.pointee.function = Eri__BinaryFunction(rawValue: function.rawValue)
    return wire
  }
}

import CERISchema

/// scale · (x - mean) / √(variance + epsilon) + bias per channel, with stored statistics (Ioffe & Szegedy 2015, inference).
///
/// Inputs: x [N, C, …] · scale, bias, mean, variance [C]. Output: as x.
package struct BatchNorm: OperatorContract {
  package static let name = "batch_norm"
  package static let number: UInt32 = 17
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package var epsilon: Float

  package init(epsilon: Float = 1e-5) { self.epsilon = epsilon }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 5, 5)
    try checkEpsilon(epsilon)
    let x = try inference.input(inputs, 0, "x")
    guard x.shape.count >= 2 else {
      throw contractError("expected x with at least 2 dimensions, found \(x.text(inference.symbolNames))")
    }
    for (index, what) in [(1, "scale"), (2, "bias"), (3, "mean"), (4, "variance")] {
      let statistic = try inference.input(inputs, index, what, rank: 1)
      _ = try inference.same(statistic.shape[0], x.shape[1], "\(what)'s length and x's channels")
    }
    return [x]
  }
}

/// Requires a finite epsilon that is not negative.
func checkEpsilon(_ epsilon: Float) throws(FormatError) {
  guard epsilon.isFinite, epsilon >= 0 else {
    throw contractError("expected a finite epsilon of at least 0, found \(epsilon)")
  }
}

extension BatchNorm {
  init(wire: Eri__BatchNorm) { epsilon = wire.epsilon }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__BatchNorm> {
    let wire = try arena.message(eri__batch_norm__init)
    wire.pointee.epsilon = epsilon
    return wire
  }
}

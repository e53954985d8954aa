import CERISchema

/// w = g · v / ‖v‖, the norm taken over all axes but the first (Salimans & Kingma 2016; PyTorch's dim 0).
///
/// Inputs: v [O, …] · g [O, 1, …]. Output: as v.
package struct WeightNorm: OperatorContract {
  package static let name = "weight_norm"
  package static let number: UInt32 = 18
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package init() {}

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 2, 2)
    let v = try inference.input(inputs, 0, "v")
    guard v.shape.count >= 2 else {
      throw contractError("expected v with at least 2 dimensions, found \(v.text(inference.symbolNames))")
    }
    let g = try inference.input(inputs, 1, "g", rank: v.shape.count)
    _ = try inference.same(g.shape[0], v.shape[0], "the first extents of g and v")
    for axis in 1..<v.shape.count { try inference.require(g.shape[axis], equals: 1, "g's extent \(axis)") }
    return [v]
  }
}

extension WeightNorm {
  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__WeightNorm> {
    try arena.message(eri__weight_norm__init)
  }
}

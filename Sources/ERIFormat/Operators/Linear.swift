import CERISchema

/// x · wᵀ + b over the last axis.
///
/// Inputs: x […, I] · weight [O, I] · optional bias [O]. Output: […, O].
package struct Linear: OperatorContract {
  package static let name = "linear"
  package static let number: UInt32 = 19
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package init() {}

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 2, 3)
    let x = try inference.input(inputs, 0, "x")
    guard let last = x.shape.last else { throw contractError("expected x with at least 1 dimension, found a scalar") }
    let weight = try inference.input(inputs, 1, "weight", rank: 2)
    _ = try inference.same(last, weight.shape[1], "x's last extent and the weight's second")
    if inputs.count > 2, inputs[2] != nil {
      let bias = try inference.input(inputs, 2, "bias", rank: 1)
      _ = try inference.same(bias.shape[0], weight.shape[0], "the bias's length and the weight's first extent")
    }
    return [ValueType(.f32, x.shape.dropLast() + [weight.shape[0]])]
  }
}

extension Linear {
  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Linear> {
    try arena.message(eri__linear__init)
  }
}

import CERISchema

/// Weighted mean over a sequence: a = softmax over S of (x · w + b), then Σ a x (the paper's equations 3 to 5).
///
/// Inputs: x [N, S, D] · weight [1, D] · bias [1]. Output: [N, D].
package struct AttentionPool: OperatorContract {
  package static let name = "attention_pool"
  package static let number: UInt32 = 23
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package init() {}

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 3, 3)
    let x = try inference.input(inputs, 0, "x", rank: 3)
    let weight = try inference.input(inputs, 1, "weight", rank: 2)
    let bias = try inference.input(inputs, 2, "bias", rank: 1)
    try inference.require(weight.shape[0], equals: 1, "the weight's first extent")
    _ = try inference.same(weight.shape[1], x.shape[2], "the weight's second extent and x's width")
    try inference.require(bias.shape[0], equals: 1, "the bias's length")
    if let length = x.shape[1].constant, length == 0 {
      throw contractError("expected at least one element to pool, found none")
    }
    return [ValueType(.f32, [x.shape[0], x.shape[2]])]
  }
}

extension AttentionPool {
  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__AttentionPool> {
    try arena.message(eri__attention_pool__init)
  }
}

import CERISchema

/// x where it is above 0, else slope · x, per channel (He et al. 2015). Inputs: x [N, C, …] · slope [C]. Output: as x.
package struct PReLU: OperatorContract {
  package static let name = "prelu"
  package static let number: UInt32 = 31
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package init() {}

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 2, 2)
    let x = try inference.input(inputs, 0, "x")
    guard x.shape.count >= 2 else {
      throw contractError("expected x with at least 2 dimensions, found \(x.text(inference.symbolNames))")
    }
    let slope = try inference.input(inputs, 1, "slope", rank: 1)
    _ = try inference.same(slope.shape[0], x.shape[1], "slope's length and x's channels")
    return [x]
  }
}

extension PReLU {
  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__PReLU> {
    try arena.message(eri__pre_lu__init)
  }
}

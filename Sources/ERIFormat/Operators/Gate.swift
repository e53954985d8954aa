import CERISchema

/// x[n, …] · present[n, index]; where that is 0 the result is exactly 0 whatever x holds, so that a missing modality costs nothing.
///
/// Inputs: x [N, …] · present [N, M]. Output: as x.
package struct Gate: OperatorContract {
  package static let name = "gate"
  package static let number: UInt32 = 29
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package var index: Int

  package init(index: Int) { self.index = index }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 2, 2)
    let x = try inference.input(inputs, 0, "x")
    guard let batch = x.shape.first else { throw contractError("expected x with at least 1 dimension, found a scalar") }
    let present = try inference.input(inputs, 1, "present", rank: 2)
    _ = try inference.same(batch, present.shape[0], "the batches of x and present")
    guard let columns = present.shape[1].constant, index >= 0, index < columns else {
      throw contractError("expected a column of present \(present.text(inference.symbolNames)), found \(index)")
    }
    return [x]
  }
}

extension Gate {
  init(wire: Eri__Gate) { index = Int(clamping: wire.index) }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Gate> {
    let wire = try arena.message(eri__gate__init)
    wire.pointee.index = try wire32(index)
    return wire
  }
}

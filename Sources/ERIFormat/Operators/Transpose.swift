import CERISchema

/// The axes in another order: output axis i is input axis permutation[i].
package struct Transpose: OperatorContract {
  package static let name = "transpose"
  package static let number: UInt32 = 28
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package var permutation: [Int]

  package init(_ permutation: [Int]) { self.permutation = permutation }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 1, 1)
    let x = try inference.input(inputs, 0, "x", rank: permutation.count)
    var seen = [Bool](repeating: false, count: permutation.count)
    for axis in permutation {
      guard axis >= 0, axis < seen.count, !seen[axis] else {
        throw contractError("expected a permutation of 0..<\(seen.count), found \(shapeText(permutation))")
      }
      seen[axis] = true
    }
    return [ValueType(x.dtype, permutation.map { x.shape[$0] })]
  }
}

extension Transpose {
  init(wire: Eri__Transpose) throws(FormatError) {
    permutation = try integers(wire.permutation, wire.n_permutation, limit: Limits.rank, "axes")
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Transpose> {
    let wire = try arena.message(eri__transpose__init)
    (wire.pointee.n_permutation, wire.pointee.permutation) = (permutation.count, try arena.copy32(permutation))
    return wire
  }
}

import CERISchema

/// exp(x - max) over its sum along an axis. Input: x. Output: as x.
package struct Softmax: OperatorContract {
  package static let name = "softmax"
  package static let number: UInt32 = 32
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package var axis: Int

  package init(axis: Int) { self.axis = axis }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 1, 1)
    let x = try inference.input(inputs, 0, "x")
    guard axis >= 0, axis < x.shape.count else {
      throw contractError("expected an axis below \(x.shape.count), found \(axis)")
    }
    return [x]
  }
}

extension Softmax {
  init(wire: Eri__Softmax) { axis = Int(clamping: wire.axis) }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Softmax> {
    let wire = try arena.message(eri__softmax__init)
    wire.pointee.axis = try wire32(axis)
    return wire
  }
}

import CERISchema

/// The inputs one after another along an axis. Inputs: at least one, equal in all other extents.
package struct Concat: OperatorContract {
  package static let name = "concat"
  package static let number: UInt32 = 26
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package var axis: Int

  package init(axis: Int) { self.axis = axis }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 1, Limits.arity)
    var shape = try inference.input(inputs, 0, "input 0").shape
    guard axis >= 0, axis < shape.count else {
      throw contractError("expected an axis below \(shape.count), found \(axis)")
    }
    for index in 1..<max(1, inputs.count) {
      let next = try inference.input(inputs, index, "input \(index)", rank: shape.count)
      for other in shape.indices where other != axis {
        shape[other] = try inference.same(shape[other], next.shape[other], "extent \(other) of the inputs")
      }
      if let a = shape[axis].constant, let b = next.shape[axis].constant {
        let (sum, overflow) = a.addingReportingOverflow(b)
        guard !overflow, sum <= Limits.elements else {
          throw contractError("expected a shorter axis, found \(a) + \(b)")
        }
        shape[axis] = Dimension(sum)
      } else {
        shape[axis] = inference.fresh()
      }
    }
    return [ValueType(.f32, shape)]
  }
}

extension Concat {
  init(wire: Eri__Concat) { axis = Int(clamping: wire.axis) }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Concat> {
    let wire = try arena.message(eri__concat__init)
    wire.pointee.axis = try wire32(axis)
    return wire
  }
}

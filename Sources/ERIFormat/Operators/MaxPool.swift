import CERISchema

/// The maximum over a window; padding counts as -infinity, a NaN in the window gives NaN.
///
/// Input: x [N, C, spatial…]. Output: [N, C, spatial…].
package struct MaxPool: OperatorContract {
  package static let name = "max_pool"
  package static let number: UInt32 = 20
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  /// One entry per spatial axis each.
  package var kernel: [Int]
  package var strides: [Int]
  package var dilations: [Int]
  package var padsBegin: [Int]
  package var padsEnd: [Int]
  /// Round the output's extent up instead of down; a window starting in the end padding is left out.
  package var ceilMode: Bool

  package init(
    kernel: [Int], strides: [Int], dilations: [Int], padsBegin: [Int], padsEnd: [Int], ceilMode: Bool = false
  ) {
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padsBegin = padsBegin
    self.padsEnd = padsEnd
    self.ceilMode = ceilMode
  }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 1, 1)
    let axes = kernel.count
    guard (1...3).contains(axes) else { throw contractError("expected a kernel of 1 to 3 extents, found \(axes)") }
    try checkWindow(kernel, 1, axes, "kernel extents")
    try checkWindow(strides, 1, axes, "strides")
    try checkWindow(dilations, 1, axes, "dilations")
    try checkWindow(padsBegin, 0, axes, "pads at the beginning")
    try checkWindow(padsEnd, 0, axes, "pads at the end")
    let x = try inference.input(inputs, 0, "x", rank: axes + 2)
    var shape = [x.shape[0], x.shape[1]]
    for axis in 0..<axes {
      let reach = dilations[axis] * (kernel[axis] - 1) + 1
      guard padsBegin[axis] < reach, padsEnd[axis] < reach else {
        throw contractError(
          "expected pads smaller than the window's reach of \(reach), found "
            + "\(padsBegin[axis]) and \(padsEnd[axis])")
      }
      shape.append(
        try inference.windowed(
          x.shape[axis + 2], kernel: kernel[axis], stride: strides[axis], dilation: dilations[axis],
          padBegin: padsBegin[axis], padEnd: padsEnd[axis], ceil: ceilMode))
    }
    return [ValueType(.f32, shape)]
  }
}

extension MaxPool {
  init(wire: Eri__MaxPool) throws(FormatError) {
    kernel = try integers(wire.kernel, wire.n_kernel, limit: Limits.rank, "kernel extents")
    strides = try integers(wire.strides, wire.n_strides, limit: Limits.rank, "strides")
    dilations = try integers(wire.dilations, wire.n_dilations, limit: Limits.rank, "dilations")
    padsBegin = try integers(wire.pads_begin, wire.n_pads_begin, limit: Limits.rank, "pads")
    padsEnd = try integers(wire.pads_end, wire.n_pads_end, limit: Limits.rank, "pads")
    ceilMode = wire.ceil_mode != 0
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__MaxPool> {
    let wire = try arena.message(eri__max_pool__init)
    (wire.pointee.n_kernel, wire.pointee.kernel) = (kernel.count, try arena.copy32(kernel))
    (wire.pointee.n_strides, wire.pointee.strides) = (strides.count, try arena.copy32(strides))
    (wire.pointee.n_dilations, wire.pointee.dilations) = (dilations.count, try arena.copy32(dilations))
    (wire.pointee.n_pads_begin, wire.pointee.pads_begin) = (padsBegin.count, try arena.copy32(padsBegin))
    (wire.pointee.n_pads_end, wire.pointee.pads_end) = (padsEnd.count, try arena.copy32(padsEnd))
    wire.pointee.ceil_mode = ceilMode ? 1 : 0
    return wire
  }
}

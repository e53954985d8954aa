import CERISchema

/// Cross-correlation over one to three spatial axes (PyTorch's and ONNX's convolution).
///
/// Inputs: x [N, C, spatial…] · weight [O, C / groups, kernel…] · optional bias [O]. Output: [N, O, spatial…].
/// A causal convolution pads (k - 1) · dilation at the beginning and nothing at the end.
package struct Conv: OperatorContract {
  package static let name = "conv"
  package static let number: UInt32 = 16
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  /// One entry per spatial axis each.
  package var strides: [Int]
  package var dilations: [Int]
  package var padsBegin: [Int]
  package var padsEnd: [Int]
  package var groups: Int

  package init(strides: [Int], dilations: [Int], padsBegin: [Int], padsEnd: [Int], groups: Int = 1) {
    self.strides = strides
    self.dilations = dilations
    self.padsBegin = padsBegin
    self.padsEnd = padsEnd
    self.groups = groups
  }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 2, 3)
    let axes = strides.count
    guard (1...3).contains(axes) else { throw contractError("expected 1 to 3 strides, found \(axes)") }
    try checkWindow(strides, 1, axes, "strides")
    try checkWindow(dilations, 1, axes, "dilations")
    try checkWindow(padsBegin, 0, axes, "pads at the beginning")
    try checkWindow(padsEnd, 0, axes, "pads at the end")
    guard (1...Limits.window).contains(groups) else {
      throw contractError("expected 1 to \(Limits.window) groups, found \(groups)")
    }
    let x = try inference.input(inputs, 0, "x", rank: axes + 2)
    let weight = try inference.input(inputs, 1, "weight", rank: axes + 2)
    var extents: [Int] = []
    for dimension in weight.shape {
      guard let extent = dimension.constant, extent > 0 else {
        throw contractError(
          "expected a weight of known shape without zeros, found \(weight.text(inference.symbolNames))")
      }
      extents.append(extent)
    }
    guard extents[0] % groups == 0 else {
      throw contractError("expected output channels divisible by \(groups) groups, found \(extents[0])")
    }
    let (channels, overflow) = extents[1].multipliedReportingOverflow(by: groups)
    guard !overflow else { throw contractError("expected fewer groups, found \(groups)") }
    try inference.require(x.shape[1], equals: channels, "x's channels (the weight's × \(groups) groups)")
    if inputs.count > 2, inputs[2] != nil {
      let bias = try inference.input(inputs, 2, "bias", rank: 1)
      try inference.require(bias.shape[0], equals: extents[0], "the bias's length")
    }
    var shape = [x.shape[0], Dimension(extents[0])]
    for axis in 0..<axes {
      guard extents[axis + 2] <= Limits.window else {
        throw contractError("expected a kernel of at most \(Limits.window), found \(extents[axis + 2])")
      }
      shape.append(
        try inference.windowed(
          x.shape[axis + 2], kernel: extents[axis + 2], stride: strides[axis], dilation: dilations[axis],
          padBegin: padsBegin[axis], padEnd: padsEnd[axis]))
    }
    return [ValueType(.f32, shape)]
  }
}

/// Requires one entry per axis, each from `minimum` to `Limits.window`.
func checkWindow(_ values: [Int], _ minimum: Int, _ axes: Int, _ what: String) throws(FormatError) {
  guard values.count == axes else {
    throw contractError("expected as many \(what) as spatial axes (\(axes)), found \(values.count)")
  }
  for value in values where value < minimum || value > Limits.window {
    throw contractError("expected \(what) from \(minimum) to \(Limits.window), found \(value)")
  }
}

extension Conv {
  init(wire: Eri__Conv) throws(FormatError) {
    strides = try integers(wire.strides, wire.n_strides, limit: Limits.rank, "strides")
    dilations = try integers(wire.dilations, wire.n_dilations, limit: Limits.rank, "dilations")
    padsBegin = try integers(wire.pads_begin, wire.n_pads_begin, limit: Limits.rank, "pads")
    padsEnd = try integers(wire.pads_end, wire.n_pads_end, limit: Limits.rank, "pads")
    groups = Int(clamping: wire.groups)
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Conv> {
    let wire = try arena.message(eri__conv__init)
    (wire.pointee.n_strides, wire.pointee.strides) = (strides.count, try arena.copy32(strides))
    (wire.pointee.n_dilations, wire.pointee.dilations) = (dilations.count, try arena.copy32(dilations))
    (wire.pointee.n_pads_begin, wire.pointee.pads_begin) = (padsBegin.count, try arena.copy32(padsBegin))
    (wire.pointee.n_pads_end, wire.pointee.pads_end) = (padsEnd.count, try arena.copy32(padsEnd))
    wire.pointee.groups = try wire32(groups)
    return wire
  }
}

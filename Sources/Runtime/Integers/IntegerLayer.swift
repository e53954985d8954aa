import CERIKernels
import ERIFormat

/// How a layer computes with 8-bit integers.
struct IntegerLayer {
  enum Method: Int {
    case product = 10
    case direct = 11
    /// Rounds more than the exact sum does: F(4×4, 3×3) on int16.
    case winograd = 12
  }

  let method: Method
  /// The weight's tensor and its scale for each output channel.
  let tensor: Int
  let weight: Quantization
  /// Of its input.
  let grid: UniformGrid
  /// That a convolution's input has at least.
  let halo: Int
}

extension Planner {
  /// Decides which layers compute with integers: their weights and inputs are 8-bit, and that is faster here.
  mutating func findIntegerLayers() throws(RuntimeError) {
    guard let integers else { return }
    let pays =
      switch options.integers {
      // Vectors of integers are faster than those of float32; portable C's are not, and it computes in float32 from the integers.
      case .whereFaster: String(cString: eri_i8_name(integers)) != "scalar"
      case .always: true
      case .never: false
      }
    guard pays else { return }
    for (index, node) in graph.nodes.enumerated() {
      if let layer = integerLayer(node, index, integers) { integerLayers[index] = layer }
    }
  }

  private func integerLayer(_ node: Node, _ index: Int, _ integers: OpaquePointer) -> IntegerLayer? {
    guard node.inputs.count > 1, let input = node.inputs[0], let weight = node.inputs[1], !absent[input],
      let grid = byteGrid(input), case .tensor(let tensor) = program.graph.values[weight].source,
      let quantization = program.tensors[tensor].quantization, quantization.stored == .i8, quantization.minimum >= -127,
      quantization.block == 0, quantization.zeroPoints.allSatisfy({ $0 == 0 })
    else { return nil }
    if node.inputs.count > 2, let bias = node.inputs[2], !isConstant(bias) { return nil }
    let shape = shapes[weight]
    switch node.op {
    case .conv(let op):
      guard op.strides.count <= 2, quantization.scales.count == 1 || quantization.axis == 0,
        beginsAtWholeFloats(input), shape[0] % 4 == 0, shape.dropFirst().reduce(1, *) <= IntegerLayer.products
      else { return nil }
      // Without dot products of bytes a first layer's exact sums take longer than Winograd over its phases in float32.
      let hasDots = !["avx2", "neon"].contains(String(cString: eri_i8_name(integers)))
      if shapes[input][1] % 4 != 0, !hasDots, options.integers == .whereFaster { return nil }
      let isSmallWindow =
        op.method(weight: shape, inputLayout: .channelsLast(halo: 1), exact: options.sumsDirectly) == .winograd
      let size = shapes[input]
      let isWinograd =
        isSmallWindow && eri_i8_winograd_pays(integers, size[2], size[3], size[1], shape[0], min(size[0], 4))
      var window = op.window(kernel: [Int](shape[2...]))
      let result = shapes[node.outputs[0]]
      let wantsHalo =
        result.count == 4
        && eri_i8_conv_wants_halo(integers, &window, size[2], size[3], size[1], result[2], result[3])
      return IntegerLayer(
        method: isWinograd ? .winograd : .direct, tensor: tensor, weight: quantization, grid: grid,
        halo: isWinograd || wantsHalo ? 1 : 0)
    case .linear:
      let axis = graph.transposedWeights.contains(index) ? 1 : 0
      guard quantization.scales.count == 1 || quantization.axis == axis, shape[1 - axis] <= IntegerLayer.products,
        shape[1 - axis] % 4 == 0, shape[axis] % 4 == 0, shapes[input].count > 1
      else { return nil }
      return IntegerLayer(method: .product, tensor: tensor, weight: quantization, grid: grid, halo: 0)
    case .batchNorm, .weightNorm, .maxPool, .layerNorm, .attention, .attentionPool, .unary, .binary, .concat, .reshape,
      .transpose, .gate, .onnx, .prelu, .softmax:
      return nil
    }
  }

  /// Whether its images begin at whole floats as bytes: with halo too, or with the few channels that are read without one.
  private func beginsAtWholeFloats(_ value: Int) -> Bool {
    let shape = shapes[value]
    return shape[1] % 4 == 0 || hasFewChannels(shape) && shape.dropFirst().reduce(1, *) % 4 == 0
  }

  /// Fewer than Winograd on int16 would ever take.
  private func hasFewChannels(_ shape: [Int]) -> Bool { shape[1] < 16 }

  /// The codes of a value that bytes can hold.
  func byteGrid(_ value: Int) -> UniformGrid? {
    guard let quantization = program.graph.values[value].quantization, quantization.stored == .u8,
      let grid = UniformGrid(quantization), grid.fitsByte, grid.isUsable, graph.constants[value] == nil
    else { return nil }
    return grid
  }

  /// The codes in which a layer may write the value: its own, or those of the maxima that alone are taken of it. Rounding keeps
  /// order, so that the maximum of rounded numbers is the rounded maximum.
  func writtenGrid(_ value: Int) -> UniformGrid? {
    if let own = byteGrid(value) { return own }
    guard let reader = soleReader(value), case .maxPool = graph.nodes[reader].op else { return nil }
    return byteGrid(graph.nodes[reader].outputs[0])
  }

  /// Whether the node takes maxima of bytes: those of its input, which layers read on.
  func poolsBytes(_ node: Int, _ grid: UniformGrid?) -> Bool {
    guard case .maxPool(let op) = graph.nodes[node].op, op.kernel.count <= 2, let input = graph.nodes[node].inputs[0],
      shapes[input][1] % 4 == 0, let grid, byteGrid(graph.nodes[node].outputs[0]) == grid
    else { return false }
    return byteLayouts(graph.nodes[node].outputs[0]).contains { $0 != .rowMajor }
  }

  /// The forms in which layers read the value as bytes.
  func byteLayouts(_ value: Int) -> [Layout] {
    var layouts: [Layout] = []
    var halo: Int?
    for reader in readers[value] where reader >= 0 {
      if poolsBytes(reader, writtenGrid(value)) { halo = halo ?? 0 }
      guard let layer = integerLayers[reader], graph.nodes[reader].inputs[0] == value else { continue }
      switch layer.method {
      case .product: if !layouts.contains(.rowMajor) { layouts.append(.rowMajor) }
      case .direct, .winograd: halo = max(halo ?? 0, layer.halo)
      }
    }
    if let halo { layouts.append(.channelsLast(halo: halo)) }
    return layouts
  }

  /// Rounds the quantised values that the steps so far compute; those who read them read what they then hold.
  mutating func holdQuantized(node: Int) throws(RuntimeError) {
    guard !unheld.isEmpty else { return }
    var remaining: [Int] = []
    for value in unheld {
      guard let computed = slots[value], let quantization = program.graph.values[value].quantization else {
        remaining.append(value)
        continue
      }
      let name = program.graph.values[value].name
      guard computed.dtype == .f32 else {
        throw RuntimeError(
          .invalid, at: "value \"\(name)\"",
          "expected quantization of a float32 value, found \(computed.dtype.name)")
      }
      guard let grid = UniformGrid(quantization), grid.isUsable else {
        throw RuntimeError(
          .unsupported, at: "value \"\(name)\"",
          "expected one scale with a finite inverse for a computed value, found \(quantization.scales.count) from \(decimal(quantization.scales[0])) on; this runtime cannot compute it"
        )
      }
      let layouts = byteLayouts(value)
      if computed.codes != nil {
        // A layer has written bytes.
      } else if let integers, !layouts.isEmpty {
        for (position, layout) in layouts.enumerated() {
          let bytes = try quantized(computed, layout, grid, integers, node)
          if position == 0 { slots[value] = bytes } else { variants[value].append(bytes) }
        }
      } else {
        let held = Slot(name, shape: computed.shape, layout: computed.layout)
        try append(RoundStep(node: node, grid: grid, input: computed, output: held))
        slots[value] = held
      }
    }
    unheld = remaining
  }

  private mutating func quantized(
    _ computed: Slot, _ layout: Layout, _ grid: UniformGrid, _ integers: OpaquePointer, _ node: Int
  ) throws(RuntimeError) -> Slot {
    var source = computed
    let fits: Bool
    switch (computed.layout, layout) {
    case (.rowMajor, .rowMajor): fits = true
    // Pixels go into whatever halo there is.
    case (.channelsLast, .channelsLast): fits = computed.shape.count <= 4
    case (.rowMajor, .channelsLast) where computed.shape.count <= 4 && hasFewChannels(computed.shape): fits = true
    case (.rowMajor, .channelsLast), (.channelsLast, .rowMajor): fits = false
    }
    if !fits {
      var plain = layout
      if case .channelsLast = layout { plain = .channelsLast(halo: 0) }
      source = Slot(computed.name, shape: computed.shape, layout: plain)
      try append(LayoutStep(node: node, input: computed, output: source))
    }
    let bytes = Slot(computed.name, shape: computed.shape, layout: layout, codes: grid)
    try append(QuantizeStep(node: node, integers: integers, grid: grid, input: source, output: bytes))
    return bytes
  }

  /// A layer's input as bytes.
  mutating func bytes(_ value: Int, _ layout: Layout, node: Int) throws(RuntimeError) -> Slot {
    let made = (slots[value].map { [$0] } ?? []) + variants[value]
    for slot in made where slot.codes != nil {
      switch (slot.layout, layout) {
      case (.rowMajor, .rowMajor): return slot
      case (.channelsLast(let halo), .channelsLast(let needed)) where halo >= needed: return slot
      case (.rowMajor, .channelsLast), (.channelsLast, .rowMajor), (.channelsLast, .channelsLast): continue
      }
    }
    // Bytes in another form: what floats they stand for gives the same bytes again.
    guard let integers, let grid = byteGrid(value) else {
      throw unsupported(node, "a quantized input", "\"\(program.graph.values[value].name)\"")
    }
    let slot = try quantized(try slot(value, .rowMajor, node: node), layout, grid, integers, node)
    variants[value].append(slot)
    return slot
  }

  /// The floats that a value's bytes stand for.
  mutating func floats(_ value: Int, from source: Slot, _ layout: Layout, node: Int) throws(RuntimeError) -> Slot {
    guard let integers, let grid = source.codes else { return source }
    var plain = layout
    switch (source.layout, layout) {
    case (.rowMajor, .channelsLast): plain = .rowMajor
    case (.channelsLast, .rowMajor): plain = .channelsLast(halo: 0)
    case (.rowMajor, .rowMajor), (.channelsLast, .channelsLast): break
    }
    let floats = Slot(source.name, shape: source.shape, layout: plain)
    try append(DequantizeStep(node: max(node, 0), integers: integers, grid: grid, input: source, output: floats))
    variants[value].append(floats)
    if plain == layout { return floats }
    let converted = Slot(source.name, shape: source.shape, layout: layout)
    try append(LayoutStep(node: max(node, 0), input: floats, output: converted))
    variants[value].append(converted)
    return converted
  }
}

extension IntegerLayer {
  /// Products of one sum that int32 holds whatever their factors.
  static let products = 65_536
}

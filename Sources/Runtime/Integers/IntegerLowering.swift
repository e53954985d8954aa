import CERIKernels
import ERIFormat

/// Layers of 8-bit weights and inputs to steps on bytes.
extension Planner {
  mutating func lowerIntegerConv(
    _ op: Conv, _ layer: IntegerLayer, _ node: Node, _ index: Int
  ) throws(RuntimeError) {
    guard let integers, let input = node.inputs[0], let weightValue = node.inputs[1] else {
      throw unsupported(index, "a weight", "none")
    }
    let shape = shapes[weightValue]
    var window = op.window(kernel: [Int](shape[2...]))
    let channels = shape[1] * op.groups
    let isWinograd = layer.method == .winograd
    let bytes =
      isWinograd
      ? eri_i8_winograd_packed_count(channels, shape[0]) : eri_i8_conv_packed_count(&window, channels, shape[0])
    let packed = try store.packed(
      node: index, method: layer.method.rawValue,
      count: (bytes + 3) / 4,
      from: .codes(layer.tensor)
    ) { values, packed in
      let codes = UnsafeRawPointer(values).assumingMemoryBound(to: Int8.self)
      var window = window
      if isWinograd {
        eri_i8_winograd_pack(integers, codes, channels, shape[0], packed)
      } else {
        eri_i8_conv_pack(integers, &window, codes, channels, shape[0], packed)
      }
    }
    var value = node.outputs[0]
    let norm = try foldedNorm(after: &value)
    var epilogue = Epilogue()
    try fillEpilogue(&epilogue, layer, node, index, norm, channels: shape[0])
    let source = try self.bytes(input, .channelsLast(halo: layer.halo), node: index)
    fuse(&epilogue, &value, activations: [.relu]) { slot in
      if case .channelsLast = slot.layout { true } else { false }
    }
    let output = integerResult(value) { if case .channelsLast(let halo) = $0 { halo } else { nil } }
    try append(
      IntegerConvStep(
        node: index, integers: integers, layer: layer, window: window, packed: packed, input: source,
        output: output ?? floatImage(value), weight: shape, epilogue: epilogue, threads: options.threads))
  }

  /// The value as a float image.
  private mutating func floatImage(_ value: Int) -> Slot {
    let slot = Slot(
      program.graph.values[value].name, shape: shapes[value], layout: .channelsLast(halo: halo(value)))
    slots[value] = slot
    return slot
  }

  /// The maxima of bytes as bytes, if that is what the node's input is and its output is read as.
  mutating func lowerBytePool(_ op: MaxPool, _ node: Node, _ index: Int) throws(RuntimeError) -> Bool {
    guard let integers, let input = node.inputs[0], poolsBytes(index, writtenGrid(input)) else { return false }
    let made = (slots[input].map { [$0] } ?? []) + variants[input]
    guard let source = made.first(where: { $0.codes != nil && $0.layout != .rowMajor }),
      let output = integerResult(node.outputs[0], { if case .channelsLast(let halo) = $0 { halo } else { nil } })
    else { return false }
    try append(BytePoolStep(node: index, integers: integers, window: op.window, input: source, output: output))
    return true
  }

  mutating func lowerIntegerLinear(_ layer: IntegerLayer, _ node: Node, _ index: Int) throws(RuntimeError) {
    guard let integers, let input = node.inputs[0], let weightValue = node.inputs[1] else {
      throw unsupported(index, "a weight", "none")
    }
    let isTransposed = graph.transposedWeights.contains(index)
    let (outputs, inputs) = (shapes[weightValue][isTransposed ? 1 : 0], shapes[weightValue][isTransposed ? 0 : 1])
    let packed = try store.packed(
      node: index, method: layer.method.rawValue, count: (eri_i8_gemm_packed_count(inputs, outputs) + 3) / 4,
      from: .codes(layer.tensor)
    ) { values, packed in
      eri_i8_gemm_pack(
        integers, UnsafeRawPointer(values).assumingMemoryBound(to: Int8.self), isTransposed ? outputs : 1,
        isTransposed ? 1 : inputs, inputs, outputs, packed)
    }
    var epilogue = Epilogue()
    try fillEpilogue(&epilogue, layer, node, index, nil, channels: outputs)
    let bytes = try bytes(input, .rowMajor, node: index)
    var value = node.outputs[0]
    // Other functions follow the product as floats, before it leaves the cache.
    var after: eri_activation?
    if let function = soleActivation(value), function != .relu {
      after = takeActivation(&value, among: [function])
    } else {
      fuse(&epilogue, &value, activations: [.relu]) { $0.layout == .rowMajor }
    }
    let output: Slot
    if let bytes = after == nil ? integerResult(value, { $0 == .rowMajor ? 0 : nil }) : nil {
      output = bytes
    } else {
      output = Slot(program.graph.values[value].name, shape: shapes[value], layout: .rowMajor)
      slots[value] = output
    }
    try append(
      IntegerLinearStep(
        node: index, integers: integers, layer: layer, packed: packed, input: bytes, output: output, after: after,
        epilogue: epilogue))
  }

  /// The function that alone reads the value.
  private func soleActivation(_ value: Int) -> Unary.Function? {
    guard let reader = soleReader(value), case .unary(let op) = graph.nodes[reader].op else { return nil }
    return op.function
  }

  /// A slot of bytes for the value, if bytes are read of it in a layout that `halo` takes.
  private mutating func integerResult(_ value: Int, _ halo: (Layout) -> Int?) -> Slot? {
    guard let grid = writtenGrid(value), let layout = byteLayouts(value).first(where: { halo($0) != nil }) else {
      return nil
    }
    let slot = Slot(program.graph.values[value].name, shape: shapes[value], layout: layout, codes: grid)
    slots[value] = slot
    return slot
  }

  /// Factor and bias of each output channel, batch norm folded in.
  private mutating func fillEpilogue(
    _ epilogue: inout Epilogue, _ layer: IntegerLayer, _ node: Node, _ index: Int, _ norm: BatchNormParameters?,
    channels: Int
  ) throws(RuntimeError) {
    let scales = try store.scales(node: index) { () throws(RuntimeError) -> FloatBlock in
      let block = try FloatBlock(count: channels)
      for channel in 0..<channels {
        let own = layer.weight.scales[layer.weight.scales.count == 1 ? 0 : channel]
        let factor = norm.map { $0.coefficients(channel).factor } ?? 1
        block.pointer[channel] = Float(Double(layer.grid.scale) * Double(own) * factor)
      }
      return block
    }
    epilogue.scale = constantOperand(scales, [channels], "scale")
    let bias = node.inputs.count > 2 ? node.inputs[2] : nil
    guard norm != nil || bias != nil else { return }
    var biasFloats: UnsafePointer<Float>?
    if let bias { biasFloats = UnsafePointer(try constant(bias, "a constant bias", index)) }
    let folded = try store.bias(node: index) { () throws(RuntimeError) -> FloatBlock in
      try foldBias(biasFloats, norm, channels: channels)
    }
    epilogue.bias = constantOperand(folded, [channels], "bias")
  }
}

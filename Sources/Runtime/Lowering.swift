import CERIKernels
import ERIFormat

/// One node of the graph to one step.
extension Planner {
  mutating func lower(_ op: Operator, _ node: Node, _ index: Int) throws(RuntimeError) {
    switch op {
    case .conv(let op):
      if let layer = integerLayers[index] { return try lowerIntegerConv(op, layer, node, index) }
      try lowerConv(op, node, index)
    case .linear:
      if let layer = integerLayers[index] { return try lowerIntegerLinear(layer, node, index) }
      try lowerLinear(node, index)
    case .batchNorm(let op):
      let x = try operand(node, 0, index)
      var parameters: [Slot] = []
      for input in 1...4 { parameters.append(try operand(node, input, index)) }
      try append(BatchNormStep(node: index, op: op, input: x, parameters: parameters, output: result(node, .rowMajor)))
    case .weightNorm:
      if !options.keepsValues, node.inputs.allSatisfy({ $0.map { unreadTensor($0) != nil } ?? false }) {
        uncomputed[node.outputs[0]] = index
      } else {
        try computeWeightNorm(node, index)
      }
    case .maxPool(let op):
      guard op.kernel.count <= 2 else {
        throw unsupported(index, "pooling over 1 or 2 spatial axes", "\(op.kernel.count)")
      }
      if try lowerBytePool(op, node, index) { return }
      let x = try channelsLast(node, 0, index, haloNeeded: 0)
      try append(
        MaxPoolStep(
          node: index, window: op.window, input: x, output: result(node, .channelsLast(halo: halo(node.outputs[0])))))
    case .layerNorm(let op):
      try append(
        LayerNormStep(
          node: index, op: op, input: try operand(node, 0, index), gain: try operand(node, 1, index),
          bias: try operand(node, 2, index), output: result(node, .rowMajor)))
    case .attention(let op):
      try append(
        AttentionStep(
          node: index, op: op, q: try operand(node, 0, index), k: try operand(node, 1, index),
          v: try operand(node, 2, index), output: result(node, .rowMajor)))
    case .attentionPool:
      try append(
        AttentionPoolStep(
          node: index, input: try operand(node, 0, index), weight: try operand(node, 1, index),
          bias: try operand(node, 2, index), output: result(node, .rowMajor)))
    case .unary(let op):
      try append(UnaryStep(node: index, op: op, input: try operand(node, 0, index), output: result(node, .rowMajor)))
    case .binary(let op):
      try append(
        BinaryStep(
          node: index, op: op, a: try operand(node, 0, index), b: try operand(node, 1, index),
          output: result(node, .rowMajor)))
    case .concat(let op):
      var parts: [Slot] = []
      for input in node.inputs.indices { parts.append(try operand(node, input, index)) }
      try append(ConcatStep(node: index, op: op, inputs: parts, output: result(node, .rowMajor)))
    case .reshape: try lowerReshape(node, index)
    case .transpose(let op): try lowerTranspose(op, node, index)
    case .gate(let op):
      let isAbsent = node.inputs[0].map { absent[$0] } ?? true
      try append(
        GateStep(
          node: index, op: op, input: isAbsent ? nil : try operand(node, 0, index),
          present: isAbsent ? nil : try operand(node, 1, index), output: result(node, .rowMajor)))
    case .onnx(let op): try lowerONNX(op, node, index)
    case .prelu:
      let x = try natural(node, 0, index)
      let slope = try operand(node, 1, index)
      var layout = Layout.rowMajor
      if case .channelsLast = x.layout { layout = .channelsLast(halo: halo(node.outputs[0])) }
      try append(PReLUStep(node: index, input: x, slope: slope, output: result(node, layout)))
    case .softmax(let op):
      var x = try natural(node, 0, index)
      if op.axis != 1 || x.layout != .channelsLast(halo: 0) { x = try operand(node, 0, index) }
      try append(SoftmaxStep(node: index, op: op, input: x, output: result(node, x.layout)))
    }
  }

  mutating func computeWeightNorm(_ node: Node, _ index: Int) throws(RuntimeError) {
    try append(
      WeightNormStep(
        node: index, v: try operand(node, 0, index), g: try operand(node, 1, index), output: result(node, .rowMajor)))
  }

  mutating func lowerConv(_ op: Conv, _ node: Node, _ index: Int) throws(RuntimeError) {
    guard op.strides.count <= 2 else {
      throw unsupported(index, "convolution over 1 or 2 spatial axes", "\(op.strides.count)")
    }
    guard let weightValue = node.inputs[1] else { throw unsupported(index, "a weight", "none") }
    guard isConstant(weightValue) else { throw notConstant(weightValue, "constant weights", index) }
    let shape = shapes[weightValue]
    let source = try natural(node, 0, index)
    let method = op.method(weight: shape, inputLayout: source.layout, exact: sumsDirectly(index))
    var value = node.outputs[0]
    let extents = shapes[value]
    let tile =
      method == .winograd
      ? eri_f32_winograd_tile(extents[2], extents[3], shape[1], shape[0]) : ERI_WINOGRAD_TILE_4
    let norm = try foldedNorm(after: &value)
    var epilogue = Epilogue()
    let bias = node.inputs.count > 2 ? node.inputs[2] : nil
    let packedWeights = try packedConv(op, method, tile, weight: weightValue, norm, index)
    if norm != nil || bias != nil {
      var biasFloats: UnsafePointer<Float>?
      if let bias { biasFloats = UnsafePointer(try constant(bias, "a constant bias", index)) }
      let folded = try store.bias(node: index) { () throws(RuntimeError) -> FloatBlock in
        try foldBias(biasFloats, norm, channels: shape[0])
      }
      epilogue.bias = constantOperand(folded, [shape[0]], "bias")
    }
    let input = method.isPlanar ? source : try channelsLast(node, 0, index, haloNeeded: method.halo)
    // A first layer's kernels read no residual of another geometry than their output's.
    fuse(&epilogue, &value) { slot in
      if !method.isPlanar, case .channelsLast = slot.layout { slot.codes == nil } else { false }
    }
    let pooled = method == .phases ? takeMaximum(&value, after: epilogue) : nil
    let output = Slot(
      program.graph.values[value].name, shape: shapes[value], layout: .channelsLast(halo: halo(value)))
    slots[value] = output
    try append(
      ConvStep(
        node: index, method: method, tile: tile, window: op.window(kernel: [Int](shape[2...])), packed: packedWeights,
        input: input, output: output, weight: shape, epilogue: epilogue, maximumOf: pooled, threads: options.threads))
  }

  mutating func lowerLinear(_ node: Node, _ index: Int) throws(RuntimeError) {
    guard let weightValue = node.inputs[1] else { throw unsupported(index, "a weight", "none") }
    guard isConstant(weightValue) else { throw notConstant(weightValue, "constant weights", index) }
    let isTransposed = graph.transposedWeights.contains(index)
    let (outputs, inputs) = (shapes[weightValue][isTransposed ? 1 : 0], shapes[weightValue][isTransposed ? 0 : 1])
    let kernels = kernels
    let packed = try store.packed(
      node: index, method: 0, count: eri_f32_gemm_packed_count(inputs, outputs),
      from: try weightSource(weightValue, index)
    ) { values, packed in
      eri_f32_gemm_pack(kernels, values, isTransposed ? outputs : 1, isTransposed ? 1 : inputs, inputs, outputs, packed)
    }
    var epilogue = Epilogue()
    if node.inputs.count > 2, node.inputs[2] != nil {
      epilogue.bias = Operand(try operand(node, 2, index), sliced: false)
    }
    let input = try operand(node, 0, index)
    var value = node.outputs[0]
    fuse(&epilogue, &value) { $0.layout == .rowMajor && $0.codes == nil }
    let output = Slot(program.graph.values[value].name, shape: shapes[value], layout: .rowMajor)
    slots[value] = output
    try append(LinearStep(node: index, packed: packed, input: input, output: output, epilogue: epilogue))
  }

  mutating func lowerReshape(_ node: Node, _ index: Int) throws(RuntimeError) {
    let value = node.outputs[0]
    let shape = shapes[value]
    let source = try natural(node, 0, index)
    // [N, C, H, W] → [N, C, H·W] keeps the channels last.
    let keepsChannels =
      shape.count == 3 && source.shape.count >= 3 && shape[0] == source.shape[0] && shape[1] == source.shape[1]
    if case .channelsLast(let border) = source.layout, keepsChannels {
      if border == 0 {
        slots[value] = Slot(
          program.graph.values[value].name, shape: shape, layout: .channelsLast(halo: 0), viewOf: source)
      } else {
        let output = result(node, .channelsLast(halo: 0))
        try append(LayoutStep(node: index, input: source, output: output))
      }
      return
    }
    let x = try operand(node, 0, index)
    slots[value] = Slot(program.graph.values[value].name, shape: shape, layout: .rowMajor, viewOf: x)
  }

  mutating func lowerTranspose(_ op: Transpose, _ node: Node, _ index: Int) throws(RuntimeError) {
    let value = node.outputs[0]
    let source = try natural(node, 0, index)
    let rank = op.permutation.count
    let toLast = rank >= 3 && op.permutation == [0] + [Int](2..<rank) + [1]
    let fromLast = rank == 3 && op.permutation == [0, 2, 1]
    if toLast, source.layout == .channelsLast(halo: 0) {
      slots[value] = Slot(program.graph.values[value].name, shape: shapes[value], layout: .rowMajor, viewOf: source)
    } else if fromLast, source.layout == .rowMajor {
      slots[value] = Slot(
        program.graph.values[value].name, shape: shapes[value], layout: .channelsLast(halo: 0), viewOf: source)
    } else {
      try append(
        TransposeStep(node: index, op: op, input: try operand(node, 0, index), output: result(node, .rowMajor)))
    }
  }
}

import ERIFormat
import ERIRuntime

/// Every operator's rule, or the reason why it has none.
extension TrainingPlanner {
  mutating func lower(_ node: Node, _ index: Int) throws(TrainError) {
    let name = program.graph.values[node.outputs[0]].name
    switch node.op {
    case .conv(let op): try lowerConv(op, node, index, name)
    case .linear:
      let x = try rowMajor(node, 0, index)
      let weight = try rowMajor(node, 1, index)
      let bias = node.inputs.count > 2 && node.inputs[2] != nil ? try rowMajor(node, 2, index) : nil
      let inputs = [x, weight, bias].compactMap { $0 }
      let output = result(node, .rowMajor, from: inputs)
      try append(LinearTraining(name, inputs: inputs, output: output), node, index)
    case .batchNorm(let op):
      let x = try channelsLast(node, 0, index)
      var inputs = [x]
      for input in 1...4 { inputs.append(try rowMajor(node, input, index)) }
      let output = result(node, x.layout, from: inputs)
      try append(
        BatchNormTraining(name, op: op, inputs: inputs, output: output, isFrozen: frozenStatistics), node, index)
    case .weightNorm:
      let (v, g) = (try rowMajor(node, 0, index), try rowMajor(node, 1, index))
      try append(WeightNormTraining(name, v: v, g: g, output: result(node, .rowMajor, from: [v, g])), node, index)
    case .maxPool(let op):
      guard op.kernel.count <= 2 else {
        throw unsupported(index, "pooling over 1 or 2 spatial axes", "\(op.kernel.count)")
      }
      let x = try channelsLast(node, 0, index)
      try append(MaxPoolTraining(name, op: op, x: x, output: result(node, x.layout, from: [x])), node, index)
    case .layerNorm(let op):
      let x = try rowMajor(node, 0, index)
      let (gain, bias) = (try rowMajor(node, 1, index), try rowMajor(node, 2, index))
      try append(
        LayerNormTraining(
          name, op: op, x: x, gain: gain, bias: bias, output: result(node, .rowMajor, from: [x, gain, bias])),
        node, index)
    case .attention(let op):
      let (q, k) = (try rowMajor(node, 0, index), try rowMajor(node, 1, index))
      let v = try rowMajor(node, 2, index)
      try append(
        AttentionTraining(
          name, op: op, q: q, k: k, v: v, output: result(node, .rowMajor, from: [q, k, v]),
          dropout: try draw(node, index)), node, index)
    case .attentionPool:
      let x = try rowMajor(node, 0, index)
      let (weight, bias) = (try rowMajor(node, 1, index), try rowMajor(node, 2, index))
      try append(
        AttentionPoolTraining(
          name, x: x, weight: weight, bias: bias, output: result(node, .rowMajor, from: [x, weight, bias])),
        node, index)
    case .unary(let op):
      let x = try natural(node, 0, index)
      let isInPlace =
        isOverwritable(node, 0, x) && (op.function.gradientReadsOutput || !x.needsGradient)
      let output = isInPlace ? overwriting(node, x) : result(node, x.layout, from: [x])
      try append(UnaryTraining(name, op: op, x: x, output: output), node, index)
    case .binary(let op): try lowerBinary(op, node, index, name)
    case .concat(let op):
      var inputs: [TrainingValue] = []
      for input in node.inputs.indices { inputs.append(try rowMajor(node, input, index)) }
      try append(
        ConcatTraining(name, op: op, inputs: inputs, output: result(node, .rowMajor, from: inputs)), node, index)
    case .reshape: try lowerReshape(node, index)
    case .transpose(let op): try lowerTranspose(op, node, index, name)
    case .gate(let op):
      let (x, present) = (try rowMajor(node, 0, index), try rowMajor(node, 1, index))
      try append(
        GateTraining(name, op: op, x: x, present: present, output: result(node, .rowMajor, from: [x])), node, index)
    case .prelu:
      let (x, slope) = (try rowMajor(node, 0, index), try rowMajor(node, 1, index))
      try append(
        PReLUTraining(name, x: x, slope: slope, output: result(node, .rowMajor, from: [x, slope])), node, index)
    case .softmax(let op):
      let x = try rowMajor(node, 0, index)
      try append(SoftmaxTraining(name, op: op, x: x, output: result(node, .rowMajor, from: [x])), node, index)
    case .onnx(let op):
      // Operators that only foreign graphs need; a network to be trained is built from the others.
      throw unsupported(
        index, "an operator with a gradient", "onnx.\(op.qualifiedName), which is for running foreign graphs alone")
    }
  }

  private func unsupported(_ index: Int, _ expected: String, _ found: String) -> TrainError {
    TrainError(
      .unsupported,
      "\(place(index)): expected \(expected), found \(found); train one of the networks that `eri init` makes")
  }

  private mutating func lowerConv(_ op: Conv, _ node: Node, _ index: Int, _ name: String) throws(TrainError) {
    guard op.strides.count <= 2 else {
      throw unsupported(index, "convolution over 1 or 2 spatial axes", "\(op.strides.count)")
    }
    let weight = try rowMajor(node, 1, index)
    let bias = node.inputs.count > 2 && node.inputs[2] != nil ? try rowMajor(node, 2, index) : nil
    var x = try natural(node, 0, index)
    // A first layer of few channels takes the file's own planes, as long as nobody asks for their gradient.
    let isPlanar = op.method(weight: weight.shape, inputLayout: x.layout, exact: exact).isPlanar
    if !isPlanar || x.needsGradient { x = try channelsLast(node, 0, index) }
    let inputs = [x, weight, bias].compactMap { $0 }
    let output = result(node, .channelsLast(halo: 0), from: inputs)
    try append(
      ConvTraining(name, op: op, inputs: inputs, output: output, exact: exact), node, index)
  }

  private mutating func lowerBinary(
    _ op: ERIFormat.Binary, _ node: Node, _ index: Int, _ name: String
  ) throws(TrainError) {
    var a = try natural(node, 0, index)
    var b = try natural(node, 1, index)
    if a.layout != b.layout || a.shape != b.shape, a.layout != .rowMajor || b.layout != .rowMajor {
      a = try rowMajor(node, 0, index)
      b = try rowMajor(node, 1, index)
    }
    let needsGradient = a.needsGradient || b.needsGradient
    if op.function == .add, a.shape == b.shape, a.storage !== b.storage {
      // A sum takes the place of an operand that nothing else reads; it is the same whichever comes first.
      for (input, value, other) in [(0, a, b), (1, b, a)]
      where isOverwritable(node, input, value) && value.needsGradient == needsGradient {
        try append(
          BinaryTraining(name, op: op, a: value, b: other, output: overwriting(node, value)), node, index)
        return
      }
    }
    try append(
      BinaryTraining(name, op: op, a: a, b: b, output: result(node, a.layout, from: [a, b])), node, index)
  }

  private mutating func lowerReshape(_ node: Node, _ index: Int) throws(TrainError) {
    let x = try natural(node, 0, index)
    let shape = shape(node.outputs[0])
    // [N, C, H, W] → [N, C, H·W] keeps the channels last.
    if x.layout != .rowMajor, shape.count == 3, x.shape.count >= 3, shape[0] == x.shape[0], shape[1] == x.shape[1] {
      try view(node, x, .channelsLast(halo: 0), index)
    } else {
      try view(node, try rowMajor(node, 0, index), .rowMajor, index)
    }
  }

  private mutating func lowerTranspose(
    _ op: Transpose, _ node: Node, _ index: Int, _ name: String
  ) throws(TrainError) {
    let x = try natural(node, 0, index)
    let rank = op.permutation.count
    if rank >= 3, op.permutation == [0] + [Int](2..<rank) + [1], x.layout == .channelsLast(halo: 0) {
      try view(node, x, .rowMajor, index)
    } else if rank == 3, op.permutation == [0, 2, 1], x.layout == .rowMajor {
      try view(node, x, .channelsLast(halo: 0), index)
    } else {
      let source = try rowMajor(node, 0, index)
      try append(
        TransposeTraining(name, op: op, x: source, output: result(node, .rowMajor, from: [source])), node, index)
    }
  }
}

import CERIKernels
import ERIFormat

/// Lowers a bound program to steps: folds batch norm into convolutions, computes what depends on weights alone, fuses bias, activation and
/// residual into products, and chooses layouts and kernels.
struct Planner {
  let program: Program
  /// Concrete extents of every value.
  let shapes: [[Int]]
  /// Values that depend on an input that was left out.
  let absent: [Bool]
  let options: SessionOptions
  let kernels: OpaquePointer
  let store: WeightStore

  private(set) var steps: [Step] = []
  private(set) var slots: [Slot?]
  private(set) var inputs: [Slot] = []
  /// Other layouts of a value, made when a consumer asked for them.
  private var variants: [[Slot]]
  /// Nodes that read each value, with graph outputs counted as one more reader (-1).
  private var readers: [[Int]]
  /// Nodes whose work another step has taken up.
  private var absorbed: [Bool]

  init(
    program: Program, shapes: [[Int]], absent: [Bool], options: SessionOptions, kernels: OpaquePointer,
    store: WeightStore
  ) {
    self.program = program
    self.shapes = shapes
    self.absent = absent
    self.options = options
    self.kernels = kernels
    self.store = store
    let graph = program.graph
    slots = [Slot?](repeating: nil, count: graph.values.count)
    variants = [[Slot]](repeating: [], count: graph.values.count)
    readers = [[Int]](repeating: [], count: graph.values.count)
    absorbed = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      for case let input? in node.inputs { readers[input].append(index) }
    }
    for output in graph.outputs { readers[output].append(-1) }
  }

  /// Makes the plan.
  mutating func plan() throws(RuntimeError) -> (plan: Plan, inputs: [Slot?], outputs: [Slot]) {
    let graph = program.graph
    var inputSlots: [Slot?] = []
    for value in program.inputs {
      if absent[value] {
        inputSlots.append(nil)
        continue
      }
      let slot = Slot(graph.values[value].name, shape: shapes[value], layout: .rowMajor)
      slots[value] = slot
      inputs.append(slot)
      inputSlots.append(slot)
    }
    for index in graph.nodes.indices where !absorbed[index] {
      let node = graph.nodes[index]
      if node.outputs.allSatisfy({ absent[$0] }) { continue }
      try lower(node.op, node, index)
    }
    var outputs: [Slot] = []
    for value in graph.outputs { outputs.append(try slot(value, .rowMajor, node: -1)) }
    let plan = try Plan(
      steps: steps, slots: slots, inputs: inputs, outputs: outputs, threads: options.threads,
      keepsValues: options.keepsValues)
    return (plan, inputSlots, outputs)
  }

  // MARK: Lowering one node

  private mutating func lower(_ op: Operator, _ node: Node, _ index: Int) throws(RuntimeError) {
    switch op {
    case .conv(let op): try lowerConv(op, node, index)
    case .linear: try lowerLinear(node, index)
    case .batchNorm(let op):
      let x = try operand(node, 0, index)
      var parameters: [Slot] = []
      for input in 1...4 { parameters.append(try operand(node, input, index)) }
      try append(BatchNormStep(node: index, op: op, input: x, parameters: parameters, output: result(node, .rowMajor)))
    case .weightNorm:
      try append(
        WeightNormStep(
          node: index, v: try operand(node, 0, index), g: try operand(node, 1, index), output: result(node, .rowMajor)))
    case .maxPool(let op):
      guard op.kernel.count <= 2 else {
        throw unsupported(index, "pooling over 1 or 2 spatial axes", "\(op.kernel.count)")
      }
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
    }
  }

  private mutating func lowerConv(_ op: Conv, _ node: Node, _ index: Int) throws(RuntimeError) {
    guard op.strides.count <= 2 else {
      throw unsupported(index, "convolution over 1 or 2 spatial axes", "\(op.strides.count)")
    }
    guard let weightValue = node.inputs[1] else { throw unsupported(index, "a weight", "none") }
    let weight = try constant(weightValue, "constant weights", index)
    let shape = shapes[weightValue]
    let source = try natural(node, 0, index)
    let method = op.method(weight: shape, inputLayout: source.layout, exact: options.exact)
    var value = node.outputs[0]
    let norm = try foldedNorm(after: &value)
    var epilogue = Epilogue()
    let bias = node.inputs.count > 2 ? node.inputs[2] : nil
    let packedWeights = try store.packed(node: index, method: method.number) { () throws(RuntimeError) -> FloatBlock in
      try packConv(op, method, weight, shape, norm)
    }
    if norm != nil || bias != nil {
      var biasFloats: UnsafePointer<Float>?
      if let bias { biasFloats = UnsafePointer(try constant(bias, "a constant bias", index)) }
      let folded = try store.bias(node: index) { () throws(RuntimeError) -> FloatBlock in
        try foldBias(biasFloats, norm, channels: shape[0])
      }
      epilogue.bias = constantOperand(folded, [shape[0]], "bias")
    }
    let input = method == .planar ? source : try channelsLast(node, 0, index, haloNeeded: method == .winograd ? 1 : 0)
    fuse(&epilogue, &value, productIndex: index) { slot in if case .channelsLast = slot.layout { true } else { false } }
    let output = Slot(
      program.graph.values[value].name, shape: shapes[value], layout: .channelsLast(halo: halo(value)))
    slots[value] = output
    try append(
      ConvStep(
        node: index, method: method, window: op.window(kernel: [Int](shape[2...])), packed: packedWeights, input: input,
        output: output, weight: shape, epilogue: epilogue))
  }

  private mutating func lowerLinear(_ node: Node, _ index: Int) throws(RuntimeError) {
    guard let weightValue = node.inputs[1] else { throw unsupported(index, "a weight", "none") }
    let weight = try constant(weightValue, "constant weights", index)
    let (outputs, inputs) = (shapes[weightValue][0], shapes[weightValue][1])
    let packed = try store.packed(node: index, method: 0) { () throws(RuntimeError) -> FloatBlock in
      let block = try FloatBlock(count: eri_f32_gemm_packed_count(inputs, outputs))
      eri_f32_gemm_pack(kernels, weight, 1, inputs, inputs, outputs, block.pointer)
      return block
    }
    var epilogue = Epilogue()
    if node.inputs.count > 2, node.inputs[2] != nil {
      epilogue.bias = Operand(try operand(node, 2, index), sliced: false)
    }
    let input = try operand(node, 0, index)
    var value = node.outputs[0]
    fuse(&epilogue, &value, productIndex: index) { $0.layout == .rowMajor }
    let output = Slot(program.graph.values[value].name, shape: shapes[value], layout: .rowMajor)
    slots[value] = output
    try append(LinearStep(node: index, packed: packed, input: input, output: output, epilogue: epilogue))
  }

  private mutating func lowerReshape(_ node: Node, _ index: Int) throws(RuntimeError) {
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

  private mutating func lowerTranspose(_ op: Transpose, _ node: Node, _ index: Int) throws(RuntimeError) {
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

  // MARK: Fusion

  /// The batch norm that reads nothing but this convolution, if its parameters are constant: its node.
  private mutating func foldedNorm(after value: inout Int) throws(RuntimeError) -> BatchNormParameters? {
    guard let reader = soleReader(value), case .batchNorm(let op) = program.graph.nodes[reader].op else { return nil }
    let node = program.graph.nodes[reader]
    guard node.inputs[0] == value else { return nil }
    var pointers: [UnsafePointer<Float>] = []
    for case let input? in node.inputs.dropFirst() {
      guard isConstant(input) else { return nil }
      pointers.append(UnsafePointer(try constant(input, "constant statistics", reader)))
    }
    absorbed[reader] = true
    value = node.outputs[0]
    return BatchNormParameters(
      scale: pointers[0], bias: pointers[1], mean: pointers[2], variance: pointers[3], epsilon: op.epsilon)
  }

  /// Takes activation, residual sum and second activation into a product's epilogue, as far as they follow with no other reader.
  private mutating func fuse(
    _ epilogue: inout Epilogue, _ value: inout Int, productIndex: Int, _ fits: (Slot) -> Bool
  ) {
    if let activation = takeActivation(&value) { epilogue.first = activation }
    guard let reader = soleReader(value), case .binary(let op) = program.graph.nodes[reader].op, op.function == .add
    else { return }
    let node = program.graph.nodes[reader]
    guard let a = node.inputs[0], let b = node.inputs[1], a != b, shapes[a] == shapes[b] else { return }
    let other = a == value ? b : a
    // The other operand must have been computed by an earlier step, in this product's layout.
    let made = (slots[other].map { [$0] } ?? []) + variants[other]
    guard let slot = made.first(where: fits) else { return }
    epilogue.residual = Operand(slot, sliced: shapes[other].count > 1)
    absorbed[reader] = true
    value = node.outputs[0]
    if let activation = takeActivation(&value) { epilogue.second = activation }
  }

  private mutating func takeActivation(_ value: inout Int) -> eri_activation? {
    guard let reader = soleReader(value), case .unary(let op) = program.graph.nodes[reader].op else { return nil }
    absorbed[reader] = true
    value = program.graph.nodes[reader].outputs[0]
    return op.function.activation
  }

  /// The node that alone reads the value, unless values must be kept.
  private func soleReader(_ value: Int) -> Int? {
    guard !options.keepsValues, readers[value].count == 1, let reader = readers[value].first, reader >= 0,
      !absorbed[reader]
    else { return nil }
    return reader
  }

  /// The halo a value needs: 1 where a Winograd convolution reads it.
  private func halo(_ value: Int) -> Int {
    guard shapes[value].count == 4 else { return 0 }
    for reader in readers[value] where reader >= 0 {
      let node = program.graph.nodes[reader]
      guard case .conv(let op) = node.op, node.inputs[0] == value, let weight = node.inputs[1] else { continue }
      if op.method(weight: shapes[weight], inputLayout: .channelsLast(halo: 1), exact: options.exact) == .winograd {
        return 1
      }
    }
    return 0
  }

  // MARK: Slots

  private func isConstant(_ value: Int) -> Bool {
    if case .tensor = program.graph.values[value].source { return true }
    return slots[value]?.isConstant ?? false
  }

  /// The row-major floats of a value that must be known when the plan is made.
  private mutating func constant(
    _ value: Int, _ what: String, _ index: Int
  ) throws(RuntimeError) -> UnsafeMutablePointer<Float> {
    guard isConstant(value), case .constant(let pointer) = try slot(value, .rowMajor, node: index).root.place else {
      throw unsupported(index, what, "the computed value \"\(program.graph.values[value].name)\"")
    }
    return pointer
  }

  /// The value in whatever layout it was made.
  private mutating func natural(_ node: Node, _ input: Int, _ index: Int) throws(RuntimeError) -> Slot {
    guard let value = node.inputs[input] else { throw unsupported(index, "input \(input)", "none") }
    if let slot = slots[value] { return slot }
    return try slot(value, .rowMajor, node: index)
  }

  /// The value in row-major form.
  private mutating func operand(_ node: Node, _ input: Int, _ index: Int) throws(RuntimeError) -> Slot {
    guard let value = node.inputs[input] else { throw unsupported(index, "input \(input)", "none") }
    return try slot(value, .rowMajor, node: index)
  }

  /// The value in channels-last form with at least the halo needed.
  private mutating func channelsLast(
    _ node: Node, _ input: Int, _ index: Int, haloNeeded: Int
  ) throws(RuntimeError) -> Slot {
    guard let value = node.inputs[input] else { throw unsupported(index, "input \(input)", "none") }
    if let slot = slots[value], case .channelsLast(let border) = slot.layout, border >= haloNeeded { return slot }
    return try slot(value, .channelsLast(halo: max(haloNeeded, halo(value))), node: index)
  }

  /// The value in the given layout, converted if it was made in another.
  private mutating func slot(_ value: Int, _ layout: Layout, node: Int) throws(RuntimeError) -> Slot {
    if let slot = slots[value], slot.layout == layout { return slot }
    if let slot = variants[value].first(where: { $0.layout == layout }) { return slot }
    let name = program.graph.values[value].name
    if case .tensor(let tensor) = program.graph.values[value].source, layout == .rowMajor {
      let slot = constantSlot(try store.floats(tensor: tensor), shapes[value], name)
      variants[value].append(slot)
      return slot
    }
    let source: Slot
    if let known = slots[value] { source = known } else { source = try slot(value, .rowMajor, node: node) }
    let converted = Slot(name, shape: shapes[value], layout: layout)
    try append(LayoutStep(node: max(node, 0), input: source, output: converted))
    variants[value].append(converted)
    return converted
  }

  private mutating func result(_ node: Node, _ layout: Layout) -> Slot {
    let value = node.outputs[0]
    let slot = Slot(program.graph.values[value].name, shape: shapes[value], layout: layout)
    slots[value] = slot
    return slot
  }

  private func constantSlot(_ block: FloatBlock, _ shape: [Int], _ name: String) -> Slot {
    let slot = Slot(name, shape: shape, layout: .rowMajor)
    slot.hold(block)
    return slot
  }

  private func constantOperand(_ block: FloatBlock, _ shape: [Int], _ name: String) -> Operand {
    Operand(constantSlot(block, shape, name), sliced: false)
  }

  /// Adds a step, or runs it now if all it reads is constant.
  private mutating func append(_ step: Step) throws(RuntimeError) {
    guard !step.operands.isEmpty, step.operands.allSatisfy({ $0.slot.isConstant }) else {
      steps.append(step)
      return
    }
    let slot = step.output.slot
    slot.hold(try FloatBlock(count: slot.itemFloats * slot.items))
    let scratch = try FloatBlock(count: step.scratchCount)
    let frame = Frame(kernels: kernels, arena: scratch.pointer, workspace: scratch.pointer, item: 0, outerItem: 0)
    step.run(frame, 0, step.items * step.unitsPerItem)
  }

  private func unsupported(_ index: Int, _ expected: String, _ found: String) -> RuntimeError {
    RuntimeError(
      .unsupported, at: program.place(ofNode: index),
      "expected \(expected), found \(found); this runtime cannot compute it")
  }

  // MARK: Packing

  private func packConv(
    _ op: Conv, _ method: ConvMethod, _ weight: UnsafeMutablePointer<Float>, _ shape: [Int],
    _ norm: BatchNormParameters?
  ) throws(RuntimeError) -> FloatBlock {
    var source = UnsafePointer(weight)
    var scaled: FloatBlock?
    if let norm {
      let block = try FloatBlock(count: shape.reduce(1, *))
      norm.scale(weight, into: block.pointer, channels: shape[0], perChannel: shape.dropFirst().reduce(1, *))
      source = UnsafePointer(block.pointer)
      scaled = block
    }
    let inputs = shape[1] * op.groups
    var window = op.window(kernel: [Int](shape[2...]))
    let packed: FloatBlock
    switch method {
    case .direct:
      packed = try FloatBlock(count: eri_f32_conv_packed_count(&window, inputs, shape[0]))
      eri_f32_conv_pack(kernels, &window, source, inputs, shape[0], packed.pointer)
    case .winograd:
      packed = try FloatBlock(count: eri_f32_winograd_packed_count(inputs, shape[0]))
      eri_f32_winograd_pack(kernels, source, inputs, shape[0], packed.pointer)
    case .planar:
      packed = try FloatBlock(count: eri_f32_conv_planar_packed_count(&window, inputs, shape[0]))
      eri_f32_conv_planar_pack(kernels, &window, source, inputs, shape[0], packed.pointer)
    }
    withExtendedLifetime(scaled) {}
    return packed
  }

  private func foldBias(
    _ bias: UnsafePointer<Float>?, _ norm: BatchNormParameters?, channels: Int
  ) throws(RuntimeError) -> FloatBlock {
    let block = try FloatBlock(count: channels)
    for channel in 0..<channels {
      let own = Double(bias?[channel] ?? 0)
      guard let norm else {
        block.pointer[channel] = Float(own)
        continue
      }
      let (factor, shift) = norm.coefficients(channel)
      block.pointer[channel] = Float(own * factor + shift)
    }
    return block
  }
}

/// The constant parameters of a batch norm that is folded into a convolution.
struct BatchNormParameters {
  let scale: UnsafePointer<Float>
  let bias: UnsafePointer<Float>
  let mean: UnsafePointer<Float>
  let variance: UnsafePointer<Float>
  let epsilon: Float

  func coefficients(_ channel: Int) -> (factor: Double, shift: Double) {
    batchNormCoefficients(
      scale: scale, bias: bias, mean: mean, variance: variance, epsilon: epsilon, channel: channel)
  }

  /// Weights times their output channel's factor.
  func scale(
    _ weight: UnsafePointer<Float>, into scaled: UnsafeMutablePointer<Float>, channels: Int, perChannel: Int
  ) {
    for channel in 0..<channels {
      let factor = coefficients(channel).factor
      for index in (channel * perChannel)..<((channel + 1) * perChannel) {
        scaled[index] = Float(Double(weight[index]) * factor)
      }
    }
  }
}

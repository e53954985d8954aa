import CERIKernels
import ERIFormat

/// What a product takes in of the nodes that follow it.
extension Planner {
  /// The batch norm that reads nothing but this convolution, if its parameters are constant: its node.
  mutating func foldedNorm(after value: inout Int) throws(RuntimeError) -> BatchNormParameters? {
    guard let reader = soleReader(value), case .batchNorm(let op) = graph.nodes[reader].op else { return nil }
    let node = graph.nodes[reader]
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

  /// Takes activation (of the given functions), residual sum and second activation into a product's epilogue, as far as they follow with no other reader.
  mutating func fuse(
    _ epilogue: inout Epilogue, _ value: inout Int, activations: [Unary.Function] = Unary.Function.allCases,
    _ fits: (Slot) -> Bool
  ) {
    if let activation = takeActivation(&value, among: activations) { epilogue.first = activation }
    guard let reader = soleReader(value), case .binary(let op) = graph.nodes[reader].op, op.function == .add
    else { return }
    let node = graph.nodes[reader]
    guard let a = node.inputs[0], let b = node.inputs[1], a != b, shapes[a] == shapes[b] else { return }
    let other = a == value ? b : a
    // The other operand must have been computed by an earlier step, in this product's layout.
    let made = (slots[other].map { [$0] } ?? []) + variants[other]
    guard let slot = made.first(where: fits) else { return }
    epilogue.residual = Operand(slot, sliced: shapes[other].count > 1)
    absorbed[reader] = true
    value = node.outputs[0]
    if let activation = takeActivation(&value, among: activations) { epilogue.second = activation }
  }

  /// Takes in the maximum that alone reads a convolution over phases, where the kernel takes it along.
  /// - Returns: the extents of what it is taken of.
  mutating func takeMaximum(_ value: inout Int, after epilogue: Epilogue) -> [Int]? {
    guard let reader = soleReader(value), case .maxPool(let op) = graph.nodes[reader].op, op.kernel.count == 2,
      epilogue.residual == nil
    else { return nil }
    var window = op.window
    let whole = shapes[value], pooled = shapes[graph.nodes[reader].outputs[0]]
    let bounds = [ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_RELU]
    guard eri_f32_conv_phases_pools(&window), pooled[2] <= (whole[2] + 1) / 2, pooled[3] <= (whole[3] + 1) / 2,
      bounds.contains(epilogue.first), bounds.contains(epilogue.second)
    else { return nil }
    absorbed[reader] = true
    value = graph.nodes[reader].outputs[0]
    return whole
  }

  mutating func takeActivation(_ value: inout Int, among functions: [Unary.Function]) -> eri_activation? {
    guard let reader = soleReader(value), case .unary(let op) = graph.nodes[reader].op, functions.contains(op.function)
    else { return nil }
    absorbed[reader] = true
    value = graph.nodes[reader].outputs[0]
    return op.function.activation
  }

  /// The node that alone reads the value, unless values must be kept or it reads another number than was computed.
  func soleReader(_ value: Int) -> Int? {
    guard !options.keepsValues, readers[value].count == 1, let reader = readers[value].first, reader >= 0,
      !absorbed[reader], program.graph.values[value].quantization == nil
    else { return nil }
    return reader
  }

  /// Whether a convolution may not transform its weights, by the options or by measured choice.
  func sumsDirectly(_ node: Int) -> Bool { options.sumsDirectly || choices.direct.contains(node) }

  /// The halo a value needs: what the convolutions that read it would like.
  func halo(_ value: Int) -> Int {
    guard shapes[value].count == 4 else { return 0 }
    for reader in readers[value] where reader >= 0 {
      let node = graph.nodes[reader]
      guard case .conv(let op) = node.op, node.inputs[0] == value, let weight = node.inputs[1] else { continue }
      let method = op.method(
        weight: shapes[weight], inputLayout: .channelsLast(halo: 1), exact: sumsDirectly(reader))
      if method.halo > 0 { return method.halo }
    }
    return 0
  }
}

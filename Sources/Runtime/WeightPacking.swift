import CERIKernels
import ERIFormat

/// Weights in the form that a kernel reads, batch norm folded in.
extension Planner {
  /// Asks for a convolution's weights in the form of its method, for Winograd's tiles of that size.
  mutating func packedConv(
    _ op: Conv, _ method: ConvMethod, _ tile: eri_winograd_tile, weight value: Int, _ norm: BatchNormParameters?,
    _ index: Int
  ) throws(RuntimeError) -> FloatBlock {
    let shape = shapes[value]
    let inputs = shape[1] * op.groups
    var window = op.window(kernel: [Int](shape[2...]))
    let count =
      switch method {
      case .direct: eri_f32_conv_packed_count(&window, inputs, shape[0])
      case .winograd: eri_f32_winograd_packed_count(tile, inputs, shape[0])
      case .planar: eri_f32_conv_planar_packed_count(&window, inputs, shape[0])
      case .phases: eri_f32_conv_phases_packed_count(inputs, shape[0])
      case .strided: eri_f32_winograd2_packed_count(inputs, shape[0])
      }
    let kernels = kernels
    return try store.packed(
      node: index, method: method.number(tile), count: count, from: try weightSource(value, index)
    ) { values, packed in
      norm?.scale(values, channels: shape[0], perChannel: shape.dropFirst().reduce(1, *))
      var window = window
      switch method {
      case .direct: eri_f32_conv_pack(kernels, &window, values, inputs, shape[0], packed)
      case .winograd: eri_f32_winograd_pack(kernels, tile, values, inputs, shape[0], packed)
      case .planar: eri_f32_conv_planar_pack(kernels, &window, values, inputs, shape[0], packed)
      case .phases: eri_f32_conv_phases_pack(kernels, &window, values, inputs, shape[0], packed)
      case .strided: eri_f32_winograd2_pack(kernels, values, inputs, shape[0], packed)
      }
    }
  }

  /// Where a weight's values come from: its tensor, which the packing reads, unless it is read or computed already.
  mutating func weightSource(_ value: Int, _ index: Int) throws(RuntimeError) -> WeightSource {
    if let tensor = unreadTensor(value) { return .tensor(tensor) }
    if let node = uncomputed[value], let v = graph.nodes[node].inputs[0], let g = graph.nodes[node].inputs[1],
      let vTensor = unreadTensor(v), let gTensor = unreadTensor(g)
    {
      return .normalised(v: vTensor, g: gTensor)
    }
    _ = try constant(value, "constant weights", index)
    return .slot(try slot(value, .rowMajor, node: index))
  }

  /// The float32 tensor that the value stands for, unless it has been read for another node.
  func unreadTensor(_ value: Int) -> Int? {
    guard case .tensor(let tensor) = program.graph.values[value].source, slots[value] == nil, variants[value].isEmpty,
      !store.holds(tensor: tensor), program.tensors[tensor].valueType == .f32,
      program.tensors[tensor].elementCount == shapes[value].reduce(1, *)
    else { return nil }
    return tensor
  }

  func foldBias(
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

  /// Multiplies weights by their output channel's factor.
  func scale(_ weights: UnsafeMutablePointer<Float>, channels: Int, perChannel: Int) {
    for channel in 0..<channels {
      let factor = coefficients(channel).factor
      for index in (channel * perChannel)..<((channel + 1) * perChannel) {
        weights[index] = Float(Double(weights[index]) * factor)
      }
    }
  }
}

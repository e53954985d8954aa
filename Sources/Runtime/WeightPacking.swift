import CERIKernels
import ERIFormat

/// Weights in the form that a kernel reads, batch norm folded in.
extension Planner {
  func packConv(
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
    case .phases:
      packed = try FloatBlock(count: eri_f32_conv_phases_packed_count(inputs, shape[0]))
      eri_f32_conv_phases_pack(kernels, &window, source, inputs, shape[0], packed.pointer)
    case .strided:
      packed = try FloatBlock(count: eri_f32_winograd2_packed_count(inputs, shape[0]))
      eri_f32_winograd2_pack(kernels, source, inputs, shape[0], packed.pointer)
    }
    withExtendedLifetime(scaled) {}
    return packed
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

package import CERIKernels
package import ERIFormat

/// What is applied to a product before it is stored: y = second(first(x + bias) + residual).
struct Epilogue {
  /// Of a sum of integers: the factor of each output channel.
  var scale: Operand?
  var bias: Operand?
  var first = ERI_ACTIVATION_IDENTITY
  var residual: Operand?
  var second = ERI_ACTIVATION_IDENTITY

  var operands: [Operand] { [scale, bias, residual].compactMap { $0 } }

  /// The kernels' form; `row` is the first row of a matrix whose rows have `stride` floats.
  func kernelForm(_ frame: Frame, row: Int, stride: Int) -> eri_f32_epilogue {
    eri_f32_epilogue(
      bias: bias.map { UnsafePointer(frame.address($0)) }, first: first,
      residual: residual.map { UnsafePointer(frame.address($0) + row &* stride) }, residualStride: stride,
      second: second)
  }
}

extension Unary.Function {
  /// The kernels' number of the function.
  package var activation: eri_activation {
    switch self {
    case .relu: ERI_ACTIVATION_RELU
    case .sigmoid: ERI_ACTIVATION_SIGMOID
    case .gelu: ERI_ACTIVATION_GELU
    case .geluTanh: ERI_ACTIVATION_GELU_TANH
    case .tanh: ERI_ACTIVATION_TANH
    case .exp: ERI_ACTIVATION_EXP
    }
  }
}

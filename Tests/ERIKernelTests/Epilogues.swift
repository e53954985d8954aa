import CERIKernels
import ERITestSupport
import Foundation

/// y = second(first(sum + bias) + residual).
struct Epilogue {
  var bias: [Float]?
  var first = ERI_ACTIVATION_IDENTITY
  var residual: [Float]?
  var second = ERI_ACTIVATION_IDENTITY

  /// Combinations that take each branch: the plain ones a micro-kernel keeps in registers, and those that go through memory.
  static let shapes: [(bias: Bool, first: eri_activation, residual: Bool, second: eri_activation)] = [
    (false, ERI_ACTIVATION_IDENTITY, false, ERI_ACTIVATION_IDENTITY),
    (true, ERI_ACTIVATION_IDENTITY, false, ERI_ACTIVATION_IDENTITY),
    (true, ERI_ACTIVATION_RELU, false, ERI_ACTIVATION_IDENTITY),
    (true, ERI_ACTIVATION_IDENTITY, true, ERI_ACTIVATION_RELU),
    (true, ERI_ACTIVATION_RELU, true, ERI_ACTIVATION_RELU),
    (false, ERI_ACTIVATION_IDENTITY, true, ERI_ACTIVATION_IDENTITY),
    (true, ERI_ACTIVATION_GELU, false, ERI_ACTIVATION_IDENTITY),
    (true, ERI_ACTIVATION_TANH, true, ERI_ACTIVATION_SIGMOID),
    (false, ERI_ACTIVATION_RELU, true, ERI_ACTIVATION_GELU_TANH),
  ]

  /// The exact result and the error allowed for a sum with the given error.
  func apply(_ sum: Double, error: Double, channel: Int, element: Int) -> (value: Double, error: Double) {
    var value = sum + Double(bias?[channel] ?? 0)
    var error = error
    (value, error) = Self.activate(first, value, error)
    value += Double(residual?[element] ?? 0)
    return Self.activate(second, value, error + Tolerance.unit * abs(value))
  }

  static func activate(_ function: eri_activation, _ x: Double, _ error: Double) -> (Double, Double) {
    let value = reference(function, x)
    switch function {
    case ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_RELU: return (value, error)
    case ERI_ACTIVATION_EXP: return (value, Tolerance.exponential(argumentError: error, value: value))
    default: return (value, Tolerance.activation(argumentError: error, value: value))
    }
  }

  static func reference(_ function: eri_activation, _ x: Double) -> Double {
    switch function {
    case ERI_ACTIVATION_RELU: max(x, 0)
    case ERI_ACTIVATION_SIGMOID: 1 / (1 + exp(-x))
    case ERI_ACTIVATION_TANH: tanh(x)
    case ERI_ACTIVATION_GELU: x * 0.5 * erfc(-x / 2.0.squareRoot())
    case ERI_ACTIVATION_GELU_TANH: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case ERI_ACTIVATION_EXP: exp(x)
    default: x
    }
  }

  /// Calls `body` with the C structure, whose pointers hold during the call.
  func withC(residualStride: Int, _ body: (UnsafePointer<eri_f32_epilogue>) -> Void) {
    let biasBuffer = bias.map { GuardedBuffer($0) }
    let residualBuffer = residual.map { GuardedBuffer($0) }
    var c = eri_f32_epilogue(
      bias: biasBuffer.map { UnsafePointer($0.pointer) }, first: first,
      residual: residualBuffer.map { UnsafePointer($0.pointer) }, residualStride: residualStride, second: second)
    withExtendedLifetime((biasBuffer, residualBuffer)) { body(&c) }
  }
}

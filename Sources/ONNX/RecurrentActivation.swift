import CERISystem
import ERIFormat

/// Functions that recurrent layers choose among.
enum RecurrentActivation {
  case relu, tanh, sigmoid, softsign, softplus
  case affine(Double, Double)
  case leakyRelu(Double)
  case thresholdedRelu(Double)
  case scaledTanh(Double, Double)
  case hardSigmoid(Double, Double)
  case elu(Double)

  /// In place, on values held to ±`clip` first.
  func apply<T: ONNXReal>(_ values: UnsafeMutablePointer<T>, _ count: Int, clip: Double) {
    if clip < .infinity {
      let bound = T(clip)
      // Comparisons that NaN fails, so that it stays.
      for index in 0..<count {
        if values[index] > bound { values[index] = bound }
        if values[index] < -bound { values[index] = -bound }
      }
    }
    switch self {
    case .relu: for index in 0..<count where values[index] < 0 { values[index] = 0 }
    case .tanh: for index in 0..<count { values[index] = T.hyperbolicTangent(values[index]) }
    case .sigmoid: for index in 0..<count { values[index] = 1 / (1 + T.exponential(-values[index])) }
    case .softsign: map(values, count) { $0 / (1 + abs($0)) }
    // For large x, e^x overflows where the result is x.
    case .softplus: map(values, count) { max($0, 0) + eri_log(1 + eri_exp(-abs($0))) }
    case .affine(let alpha, let beta): map(values, count) { alpha * $0 + beta }
    case .leakyRelu(let alpha): map(values, count) { $0 >= 0 ? $0 : alpha * $0 }
    case .thresholdedRelu(let alpha): map(values, count) { $0 >= alpha ? $0 : 0 }
    case .scaledTanh(let alpha, let beta): map(values, count) { alpha * eri_tanh(beta * $0) }
    case .hardSigmoid(let alpha, let beta): map(values, count) { min(max(alpha * $0 + beta, 0), 1) }
    case .elu(let alpha): map(values, count) { $0 >= 0 ? $0 : alpha * (eri_exp($0) - 1) }
    }
  }

  @inline(__always)
  private func map<T: ONNXReal>(_ values: UnsafeMutablePointer<T>, _ count: Int, _ function: (Double) -> Double) {
    for index in 0..<count { values[index] = T(function(Double(values[index]))) }
  }
}

/// The values of activation_alpha or activation_beta, handed out to the functions in their order.
///
/// There is one for every function that takes one, as onnxruntime counts them, or one for every function. Those that are missing at the
/// end have the defaults of ONNX's operators of the same names.
private struct Parameters {
  private var values: ArraySlice<Float>
  private let isOnePerFunction: Bool

  init(_ node: ONNXNode, _ name: String, functions: Int, takers: Int) throws(FormatError) {
    let given = try node.numbers(name) ?? []
    guard given.count <= takers || given.count == functions else {
      throw contractError("expected \(name) of \(takers) or \(functions) values, found \(given.count)")
    }
    values = given[...]
    isOnePerFunction = given.count > takers
  }

  /// The value of the next function.
  mutating func next(isTaken: Bool) -> Double? {
    isTaken || isOnePerFunction ? values.popFirst().map { Double($0) } : nil
  }
}

extension RecurrentActivation {
  /// The functions of each direction in turn.
  static func list(_ node: ONNXNode, defaults: [String], directions: Int) throws(FormatError) -> [RecurrentActivation] {
    var names: [String] = []
    for _ in 0..<directions { names += defaults }
    if let given = try node.texts("activations") {
      // RNN's own default names two functions even of one direction.
      guard given.count >= names.count else {
        throw contractError("expected \(counted(names.count, "activation")), found \(given.count)")
      }
      names = Array(given.prefix(names.count))
    }
    let takers = names.map { takes($0) }
    var alphas = try Parameters(
      node, "activation_alpha", functions: names.count, takers: takers.filter { $0.alpha }.count)
    var betas = try Parameters(
      node, "activation_beta", functions: names.count, takers: takers.filter { $0.beta }.count)
    var functions: [RecurrentActivation] = []
    for (name, taker) in zip(names, takers) {
      functions.append(
        try RecurrentActivation(name, alphas.next(isTaken: taker.alpha), betas.next(isTaken: taker.beta)))
    }
    return functions
  }

  private static func takes(_ name: String) -> (alpha: Bool, beta: Bool) {
    switch name {
    case "Affine", "ScaledTanh", "HardSigmoid": (true, true)
    case "LeakyRelu", "ThresholdedRelu", "Elu": (true, false)
    default: (false, false)
    }
  }

  private init(_ name: String, _ alpha: Double?, _ beta: Double?) throws(FormatError) {
    switch name {
    case "Relu": self = .relu
    case "Tanh": self = .tanh
    case "Sigmoid": self = .sigmoid
    case "Softsign": self = .softsign
    case "Softplus": self = .softplus
    case "Affine": self = .affine(alpha ?? 1, beta ?? 0)
    case "LeakyRelu": self = .leakyRelu(alpha ?? Double(Float(0.01)))
    case "ThresholdedRelu": self = .thresholdedRelu(alpha ?? 1)
    case "HardSigmoid": self = .hardSigmoid(alpha ?? Double(Float(0.2)), beta ?? 0.5)
    case "Elu": self = .elu(alpha ?? 1)
    case "ScaledTanh":
      guard let alpha, let beta else {
        throw contractError("expected activation_alpha and activation_beta for ScaledTanh, found none")
      }
      self = .scaledTanh(alpha, beta)
    default:
      throw contractError(
        "expected an activation among Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign and Softplus, found \(name)"
      )
    }
  }
}

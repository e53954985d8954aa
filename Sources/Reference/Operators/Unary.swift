import CERISystem
import ERIFormat

extension Unary {
  /// The function of each element.
  func reference(_ x: ReferenceTensor?) -> ReferenceTensor? {
    guard let x else { return nil }
    return ReferenceTensor(shape: x.shape, values: x.values.map(value))
  }

  private func value(_ x: Double) -> Double {
    switch function {
    case .relu: return x.isNaN ? x : max(x, 0)
    case .sigmoid: return 1 / (1 + eri_exp(-x))
    case .gelu: return 0.5 * x * (1 + eri_erf(x / 2.0.squareRoot()))
    case .geluTanh: return 0.5 * x * (1 + eri_tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .tanh: return eri_tanh(x)
    case .exp: return eri_exp(x)
    }
  }
}

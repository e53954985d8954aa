import CERISystem
import ERIFormat

/// Functions of one number that networks apply between layers, with up to two parameters.
enum ActivationFunction: String, CaseIterable {
  case sigmoid = "Sigmoid"
  case hardSigmoid = "HardSigmoid"
  case hardSwish = "HardSwish"
  case relu = "Relu"
  case leakyRelu = "LeakyRelu"
  case elu = "Elu"
  case selu = "Selu"
  case celu = "Celu"
  case softplus = "Softplus"
  case softsign = "Softsign"
  case thresholdedRelu = "ThresholdedRelu"
  case shrink = "Shrink"
  case gelu = "Gelu"
  case swish = "Swish"
  case mish = "Mish"
}

extension ONNXNode {
  func activationKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard let function = ActivationFunction(rawValue: op.name) else {
      throw contractError("expected an activation, found none")
    }
    var parameters: (Float, Float) = (0, 0)
    var tangent = false
    switch function {
    case .relu where x.dtype.isInteger, .shrink where x.dtype.isInteger:
      parameters = (try number("bias", default: 0), try number("lambd", default: 0.5))
      return try integerKernel(
        x, "x", IntegerActivation(function: function, parameters: parameters, type: x.type))
    case .hardSigmoid: parameters = (try number("alpha", default: 0.2), try number("beta", default: 0.5))
    case .leakyRelu: parameters.0 = try number("alpha", default: 0.01)
    case .elu, .celu, .thresholdedRelu, .swish: parameters.0 = try number("alpha", default: 1)
    case .selu: parameters = (try number("alpha", default: 1.673_263_2), try number("gamma", default: 1.050_701))
    case .shrink: parameters = (try number("bias", default: 0), try number("lambd", default: 0.5))
    case .gelu: tangent = try geluTangent()
    case .sigmoid, .hardSwish, .relu, .softplus, .softsign, .mish: break
    }
    return try realKernel(
      x, "x", Activation(function: function, parameters: parameters, tangent: tangent, type: x.type))
  }

  private func geluTangent() throws(FormatError) -> Bool {
    let form = try text("approximate", default: "none")
    guard form == "none" || form == "tanh" else {
      throw contractError("expected approximate to be \"none\" or \"tanh\", found \"\(form)\"")
    }
    return form == "tanh"
  }
}

/// Relu and Shrink of integers.
private struct IntegerActivation: IntegerKernel {
  let function: ActivationFunction
  /// Bias and threshold of Shrink.
  let parameters: (Float, Float)
  let type: BoundType

  func kernel<Element: ONNXInteger>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let shrinks = function == .shrink
    let (bias, threshold) = (parameters.0.wide, parameters.1.wide)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      if shrinks {
        mapElements(x, y, count) { x in
          let wide = x.wide
          return Element(narrowing: wide < -threshold ? wide + bias : wide > threshold ? wide - bias : 0)
        }
      } else {
        mapElements(x, y, count) { $0 < 0 ? 0 : $0 }
      }
      return nil
    }
  }
}

private struct Activation: RealKernel {
  let function: ActivationFunction
  let parameters: (Float, Float)
  /// Gelu by tanh.
  let tangent: Bool
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let activation = self
    let (a, b) = (Element(parameters.0), Element(parameters.1))
    return ONNXKernel([type]) { memory in
      activation.run(memory.input(0), memory.output(0, as: Element.self), count, a, b)
      return nil
    }
  }

  private func run<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int, _ a: Element, _ b: Element
  ) {
    switch function {
    case .sigmoid: mapElements(x, y, count) { sigmoid($0) }
    case .hardSigmoid: mapElements(x, y, count) { (a * $0 + b).larger(0).smaller(1) }
    case .hardSwish: mapElements(x, y, count) { $0 * ($0 / 6 + 0.5).larger(0).smaller(1) }
    case .relu: mapElements(x, y, count) { $0 < 0 ? 0 : $0 }
    case .leakyRelu: mapElements(x, y, count) { $0 < 0 ? a * $0 : $0 }
    case .elu: mapElements(x, y, count) { $0 < 0 ? a * (Element.exponential($0) - 1) : $0 }
    case .selu: mapElements(x, y, count) { $0 > 0 ? b * $0 : b * (a * Element.exponential($0) - a) }
    case .celu: mapElements(x, y, count) { $0 < 0 ? a * (Element.exponential($0 / a) - 1) : $0 }
    case .softplus: mapElements(x, y, count) { softplus($0) }
    case .softsign: mapElements(x, y, count) { $0 / (1 + $0.magnitude) }
    case .thresholdedRelu: mapElements(x, y, count) { $0 > a || $0 != $0 ? $0 : 0 }
    case .shrink: mapElements(x, y, count) { $0 < -b ? $0 + a : $0 > b ? $0 - a : 0 }
    case .gelu: gelu(x, y, count)
    case .swish: mapElements(x, y, count) { $0 * sigmoid(a * $0) }
    case .mish: mapElements(x, y, count) { $0 * Element.hyperbolicTangent(softplus($0)) }
    }
  }

  private func gelu<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int
  ) {
    let half: Element = 0.5
    if tangent {
      let scale = Element(narrowing: (2 / Double.pi).squareRoot())
      mapElements(x, y, count) { x in
        let cube: Element = 0.044715 * x * x * x
        return half * x * (1 + Element.hyperbolicTangent(scale * (x + cube)))
      }
    } else {
      let scale = Element(narrowing: 0.5.squareRoot())
      mapElements(x, y, count) { half * $0 * (1 + Element.errorFunction($0 * scale)) }
    }
  }
}

/// 1 / (1 + e⁻ˣ).
@inline(__always)
func sigmoid<Element: ONNXReal>(_ x: Element) -> Element { 1 / (1 + Element.exponential(-x)) }

/// log(1 + eˣ) without overflow.
@inline(__always)
private func softplus<Element: ONNXReal>(_ x: Element) -> Element {
  x.larger(0) + Element(narrowing: eri_log1p(Element.exponential(-x.magnitude).wide))
}

import CERISystem
import ERIFormat

/// A function of one number, element by element.
enum UnaryFunction: String, CaseIterable {
  case abs = "Abs"
  case neg = "Neg"
  case sign = "Sign"
  case ceil = "Ceil"
  case floor = "Floor"
  case round = "Round"
  case sqrt = "Sqrt"
  case reciprocal = "Reciprocal"
  case exp = "Exp"
  case log = "Log"
  case erf = "Erf"
  case sin = "Sin"
  case cos = "Cos"
  case tan = "Tan"
  case asin = "Asin"
  case acos = "Acos"
  case atan = "Atan"
  case sinh = "Sinh"
  case cosh = "Cosh"
  case tanh = "Tanh"
  case asinh = "Asinh"
  case acosh = "Acosh"
  case atanh = "Atanh"
}

extension ONNXNode {
  func unaryKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard let function = UnaryFunction(rawValue: op.name) else {
      throw contractError("expected a function, found none")
    }
    switch function {
    case .abs, .neg, .sign:
      return try numberKernel(x, "x", SignKernel(function: function, type: x.type))
    case .ceil, .floor, .round, .sqrt, .reciprocal, .exp, .log, .erf, .sin, .cos, .tan, .asin, .acos, .atan, .sinh,
      .cosh, .tanh, .asinh, .acosh, .atanh:
      return try realKernel(x, "x", FunctionKernel(function: function, type: x.type))
    }
  }
}

/// y = f(x), element by element.
@inline(__always)
func mapElements<Element, Result>(
  _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Result>, _ count: Int, _ f: (Element) -> Result
) {
  var index = 0
  while index < count {
    y[index] = f(x[index])
    index &+= 1
  }
}

/// What integers have too.
private struct SignKernel: NumberKernel {
  let function: UnaryFunction
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let function = function
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      switch function {
      case .abs: mapElements(x, y, count) { $0.absolute }
      case .neg: mapElements(x, y, count) { $0.negated }
      case .sign: mapElements(x, y, count) { $0.signum }
      case .ceil, .floor, .round, .sqrt, .reciprocal, .exp, .log, .erf, .sin, .cos, .tan, .asin, .acos, .atan, .sinh,
        .cosh, .tanh, .asinh, .acosh, .atanh:
        break
      }
      return nil
    }
  }
}

private struct FunctionKernel: RealKernel {
  let function: UnaryFunction
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = type.elements
    let function = function
    return ONNXKernel([type]) { memory in
      FunctionKernel.run(function, memory.input(0), memory.output(0, as: Element.self), count)
      return nil
    }
  }

  private static func run<Element: ONNXReal>(
    _ function: UnaryFunction, _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int
  ) {
    switch function {
    case .abs: mapElements(x, y, count) { $0.absolute }
    case .neg: mapElements(x, y, count) { $0.negated }
    case .sign: mapElements(x, y, count) { $0.signum }
    case .ceil: mapElements(x, y, count) { $0.rounded(.up) }
    case .floor: mapElements(x, y, count) { $0.rounded(.down) }
    case .round: mapElements(x, y, count) { $0.rounded(.toNearestOrEven) }
    case .sqrt: mapElements(x, y, count) { $0.squareRoot() }
    case .reciprocal: mapElements(x, y, count) { 1 / $0 }
    case .exp: mapElements(x, y, count) { Element.exponential($0) }
    case .log: mapElements(x, y, count) { Element.logarithm($0) }
    case .erf: mapElements(x, y, count) { Element.errorFunction($0) }
    case .tanh: mapElements(x, y, count) { Element.hyperbolicTangent($0) }
    case .sin: mapWide(x, y, count) { eri_sin($0) }
    case .cos: mapWide(x, y, count) { eri_cos($0) }
    case .tan: mapWide(x, y, count) { eri_tan($0) }
    case .asin: mapWide(x, y, count) { eri_asin($0) }
    case .acos: mapWide(x, y, count) { eri_acos($0) }
    case .atan: mapWide(x, y, count) { eri_atan($0) }
    case .sinh: mapWide(x, y, count) { eri_sinh($0) }
    case .cosh: mapWide(x, y, count) { eri_cosh($0) }
    case .asinh: mapWide(x, y, count) { eri_asinh($0) }
    case .acosh: mapWide(x, y, count) { eri_acosh($0) }
    case .atanh: mapWide(x, y, count) { eri_atanh($0) }
    }
  }

  /// A function that is computed in Double whatever the type.
  @inline(__always)
  private static func mapWide<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ count: Int, _ f: (Double) -> Double
  ) {
    mapElements(x, y, count) { Element(narrowing: f($0.wide)) }
  }
}

import CERISystem
import ERIFormat

/// Sums, products and extremes along axes.
enum ReductionFunction: String, CaseIterable {
  case sum = "ReduceSum"
  case mean = "ReduceMean"
  case max = "ReduceMax"
  case min = "ReduceMin"
  case prod = "ReduceProd"
  case l1 = "ReduceL1"
  case l2 = "ReduceL2"
  case logSum = "ReduceLogSum"
  case logSumExp = "ReduceLogSumExp"
  case sumSquare = "ReduceSumSquare"
}

extension ONNXNode {
  func reductionKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 2)
    let x = try operand(0, "x")
    guard let function = ReductionFunction(rawValue: op.name) else {
      throw contractError("expected a reduction, found none")
    }
    let given = try axes(try integers(1, orAttribute: "axes") ?? [], rank: x.shape.count)
    let keepsAll = try flag("noop_with_empty_axes")
    let all = given.isEmpty && !keepsAll
    let folding = Folding(
      x.type, axes: all ? Array(x.shape.indices) : given, keepsAxes: try flag("keepdims", default: true))
    let maker = Reduction(
      function: function, isBool: x.dtype == .bool, folding: folding, type: try BoundType(x.dtype, folding.shape))
    if x.dtype == .bool && (function == .max || function == .min) { return try maker.kernel(UInt8.self) }
    return try numberKernel(x, "x", maker)
  }
}

private struct Reduction: NumberKernel {
  let function: ReductionFunction
  let isBool: Bool
  let folding: Folding
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.folding.forEachResult { index, start in y[index] = work.result(x + start) }
      return nil
    }
  }

  @inline(__always)
  private func result<Element: ONNXNumber>(_ x: UnsafePointer<Element>) -> Element {
    switch function {
    case .sum: Element(sum: total(x) { $0.sum })
    case .mean: Element(sum: total(x) { $0.sum }.over(Element.Sum(narrowing: Double(folding.count))))
    case .max: folding.fold(x, Element.lowest, { $0.larger($1) }) { $0 }
    case .min: folding.fold(x, isBool ? Element.unit : Element.highest, { $0.smaller($1) }) { $0 }
    case .prod: Element(sum: folding.fold(x, Element.Sum.unit, { $0.times($1) }) { $0.sum })
    case .l1: Element(sum: total(x) { $0.sum.absolute })
    case .l2: Element(narrowing: eri_sqrt(squares(x).wide))
    case .logSum: Element(narrowing: eri_log(total(x) { $0.sum }.wide))
    case .logSumExp: logSumExp(x)
    case .sumSquare: Element(sum: squares(x))
    }
  }

  @inline(__always)
  private func total<Element: ONNXNumber>(
    _ x: UnsafePointer<Element>, _ f: (Element) -> Element.Sum
  ) -> Element.Sum {
    folding.fold(x, Element.Sum.nought, { $0.plus($1) }, f)
  }

  @inline(__always)
  private func squares<Element: ONNXNumber>(_ x: UnsafePointer<Element>) -> Element.Sum {
    total(x) { $0.sum.times($0.sum) }
  }

  /// Shifted by the greatest element, so that no power overflows.
  @inline(__always)
  private func logSumExp<Element: ONNXNumber>(_ x: UnsafePointer<Element>) -> Element {
    let greatest = folding.fold(x, -Double.infinity, { $0.larger($1) }) { $0.wide }
    let shift = greatest.isFinite ? greatest : 0
    let sum = folding.fold(x, 0.0, { $0 + $1 }) { eri_exp($0.wide - shift) }
    return Element(narrowing: eri_log(sum) + shift)
  }
}

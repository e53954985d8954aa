import CERISystem
import ERIFormat

/// Scaler, Normalizer and Imputer of ai.onnx.ml: the columns of tables, whatever numbers they hold.
extension ONNXNode {
  func featureScalingKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    try outputs(1)
    let x = try operand(0, "x")
    try require(x, "x", [.f32, .f64, .i64, .i32])
    let columns = x.shape.last ?? 1
    let single = try BoundType(.f32, x.shape)
    switch op.name {
    case "Scaler":
      let offsets = try columnValues("offset", columns) ?? [0]
      let scales = try columnValues("scale", columns) ?? [1]
      return try numberKernel(x, "x", Scaler(type: single, columns: columns, offsets: offsets, scales: scales))
    case "Normalizer":
      let name = try text("norm", default: "MAX")
      guard let norm = Normalizer.Norm(rawValue: name) else {
        throw contractError("expected norm MAX, L1 or L2, found \(name)")
      }
      return try numberKernel(x, "x", Normalizer(type: single, columns: columns, norm: norm))
    default: return try imputerKernel(x, columns)
    }
  }

  /// Numbers of an attribute, one of each column or one of all; nil where it is left out.
  private func columnValues(_ name: String, _ columns: Int) throws(FormatError) -> [Double]? {
    guard let values = try numbers(name) else { return nil }
    guard values.count == 1 || values.count == columns else {
      throw contractError("expected 1 or \(columns) values of \(name), found \(values.count)")
    }
    return values.map { Double($0) }
  }

  private func imputerKernel(_ x: ONNXOperand, _ columns: Int) throws(FormatError) -> ONNXKernel {
    if x.dtype.isInteger {
      let values = try integers("imputed_value_int64s") ?? []
      guard values.count == 1 || values.count == columns else {
        throw contractError("expected 1 or \(columns) values of imputed_value_int64s, found \(values.count)")
      }
      let replaced = Int64(try integer("replaced_value_int64", default: 0))
      let imputer = IntegerImputer(
        type: x.type, columns: columns, replaced: replaced, values: values.map { Int64($0) })
      return try integerKernel(x, "x", imputer)
    }
    guard let values = try columnValues("imputed_value_floats", columns) else {
      throw contractError("expected imputed_value_floats, found none")
    }
    let replaced = Double(try number("replaced_value_float", default: 0))
    return try realKernel(x, "x", Imputer(type: x.type, columns: columns, replaced: replaced, values: values))
  }
}

private struct Scaler: NumberKernel {
  let type: BoundType
  let columns: Int
  let offsets: [Double]
  let scales: [Double]

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (work, count) = (self, type.elements)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Float> = memory.output(0)
      for index in 0..<count {
        let column = index % work.columns
        let offset = work.offsets[work.offsets.count == 1 ? 0 : column]
        y[index] = Float((x[index].wide - offset) * work.scales[work.scales.count == 1 ? 0 : column])
      }
      return nil
    }
  }
}

private struct Normalizer: NumberKernel {
  enum Norm: String {
    case largest = "MAX"
    case sum = "L1"
    case root = "L2"
  }

  let type: BoundType
  let columns: Int
  let norm: Norm

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (columns, norm) = (columns, norm)
    let rows = columns > 0 ? type.elements / columns : 0
    return ONNXKernel([type]) { memory in
      for row in 0..<rows {
        let x = memory.input(0, as: Element.self) + row &* columns
        let y = memory.output(0, as: Float.self) + row &* columns
        var size = 0.0
        for column in 0..<columns {
          let value = x[column].wide
          switch norm {
          // The formula has no magnitude here; onnxruntime and ONNX's reference divide by it.
          case .largest: size = max(size, abs(value))
          case .sum: size += abs(value)
          case .root: size += value * value
          }
        }
        if norm == .root { size = eri_sqrt(size) }
        // A row of zeros stays.
        let divisor = size == 0 ? 1 : size
        for column in 0..<columns { y[column] = Float(x[column].wide / divisor) }
      }
      return nil
    }
  }
}

private struct Imputer: RealKernel {
  let type: BoundType
  let columns: Int
  let replaced: Double
  let values: [Double]

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (work, count) = (self, type.elements)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for index in 0..<count {
        let isReplaced = x[index].wide == work.replaced || x[index].isNaN && work.replaced.isNaN
        let value = work.values[work.values.count == 1 ? 0 : index % work.columns]
        y[index] = isReplaced ? Element(narrowing: value) : x[index]
      }
      return nil
    }
  }
}

private struct IntegerImputer: IntegerKernel {
  let type: BoundType
  let columns: Int
  let replaced: Int64
  let values: [Int64]

  func kernel<Element: ONNXInteger>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (work, count) = (self, type.elements)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for index in 0..<count {
        let value = work.values[work.values.count == 1 ? 0 : index % work.columns]
        y[index] = Int64(x[index]) == work.replaced ? Element(truncatingIfNeeded: value) : x[index]
      }
      return nil
    }
  }
}

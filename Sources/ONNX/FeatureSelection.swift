import ERIFormat

/// ArrayFeatureExtractor: columns of the last axis by their indices; Binarizer: whether numbers pass a threshold.
extension ONNXNode {
  func featureSelectionKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    guard op.name == "ArrayFeatureExtractor" else {
      try arity(1, 1)
      return try numberKernel(x, "x", Binarizer(threshold: try number("threshold", default: 0), type: x.type))
    }
    try arity(2, 2)
    let indices = try operand(1, "indices")
    try require(indices, "indices", [.i64])
    guard let columns = x.shape.last else { throw contractError("expected x of at least 1 dimension, found []") }
    // A vector is one row.
    let leading = x.shape.count == 1 ? [1] : Array(x.shape.dropLast())
    let type = try BoundType(x.dtype, leading + [indices.type.elements])
    return try ColumnSelection(columns: columns, type: type).kernel(for: x.dtype)
  }
}

private struct ColumnSelection: WordKernel {
  let columns: Int
  let type: BoundType

  func kernel<Element: Word>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (columns, count) = (columns, type.shape[type.shape.count - 1])
    let rows = type.shape.dropLast().reduce(1, *)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let indices: UnsafePointer<Int64> = memory.input(1)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for index in 0..<count {
        let column = Int(indices[index])
        guard column >= 0, column < columns else { return .indexOutOfRange(index: column, extent: columns) }
        for row in 0..<rows { y[row * count + index] = x[row * columns + column] }
      }
      return nil
    }
  }
}

private struct Binarizer: NumberKernel {
  let threshold: Float
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (count, threshold) = (type.elements, Double(threshold))
    return ONNXKernel([type]) { memory in
      mapElements(memory.input(0, as: Element.self), memory.output(0, as: Element.self), count) {
        $0.wide > threshold ? Element.unit : Element.nought
      }
      return nil
    }
  }
}

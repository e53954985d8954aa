import ERIFormat

/// Determinants of square matrices.
extension ONNXNode {
  func determinantKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard x.shape.count > 1, x.shape[x.shape.count - 1] == x.shape[x.shape.count - 2] else {
      throw contractError("expected square matrices, found \(shapeText(x.shape))")
    }
    return try realKernel(
      x, "x",
      Determinant(size: x.shape[x.shape.count - 1], type: try BoundType(x.dtype, Array(x.shape.dropLast(2)))))
  }
}

private struct Determinant: RealKernel {
  let size: Int
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (size, count) = (size, type.elements)
    return ONNXKernel([type], scratchBytes: 8 * size * size) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let matrix: UnsafeMutablePointer<Double> = memory.scratch()
      for index in 0..<count {
        mapElements(x + index * size * size, matrix, size * size) { $0.wide }
        y[index] = Element(narrowing: Determinant.eliminate(matrix, size))
      }
      return nil
    }
  }

  /// Gaussian elimination, each time by the row whose first element is the greatest.
  private static func eliminate(_ matrix: UnsafeMutablePointer<Double>, _ size: Int) -> Double {
    var result = 1.0
    for column in 0..<size {
      var pivot = column
      for row in column..<size
      where matrix[row * size + column].magnitude > matrix[pivot * size + column].magnitude { pivot = row }
      if pivot != column {
        for index in column..<size {
          let value = matrix[column * size + index]
          matrix[column * size + index] = matrix[pivot * size + index]
          matrix[pivot * size + index] = value
        }
        result = -result
      }
      let first = matrix[column * size + column]
      result *= first
      if first == 0 { return 0 }
      for row in (column + 1)..<max(size, column + 1) {
        let factor = matrix[row * size + column] / first
        for index in column..<size { matrix[row * size + index] -= factor * matrix[column * size + index] }
      }
    }
    return result
  }
}

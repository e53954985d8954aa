package import ERIFormat

/// A tensor of the reference: row-major Doubles.
package struct ReferenceTensor: Equatable, Sendable {
  package var shape: [Int]
  package var values: [Double]
  /// What the numbers stand for where an operator of ONNX asks: Double for every floating-point type. An integer beyond 2⁵³ is rounded.
  package internal(set) var dtype = DType.f64

  package init(shape: [Int], values: [Double]) {
    self.shape = shape
    self.values = values
  }

  /// A tensor of one value throughout.
  package init(shape: [Int], repeating value: Double) {
    self.init(shape: shape, values: [Double](repeating: value, count: shape.reduce(1, *)))
  }

  /// What a value holds of it under the quantisation; itself without one.
  func held(_ quantization: Quantization?) -> ReferenceTensor {
    guard let quantization else { return self }
    var held = self
    for index in values.indices {
      held.values[index] = quantization.held(
        values[index], place: quantization.place(ofElement: index, shape: shape))
    }
    return held
  }

  /// Elements from one index of each axis to the next.
  package var strides: [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    return strides
  }

  /// Calls the body with every index of the shape, in row-major order.
  package static func forEachIndex(_ shape: [Int], _ body: ([Int]) -> Void) {
    var index = [Int](repeating: 0, count: shape.count)
    if shape.contains(0) { return }
    while true {
      body(index)
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

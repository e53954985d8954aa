import CERISystem

/// The first coefficients of the orthonormal DCT-II, as a product with its matrix.
///
/// y[k] = s(k) · Σ x[n] cos(π k (2n + 1) / 2N), s(0) = √(1/N), else √(2/N). The cosines are symmetric in n for even k
/// and antisymmetric for odd k, so sums (or differences) of mirrored values halve the product.
struct CosineTransform: Sendable {
  /// N.
  let size: Int
  let coefficientCount: Int
  /// ⌈N / 2⌉ rows of `coefficientCount` scaled cosines.
  private let matrix: [Double]

  init(size: Int, coefficientCount: Int) {
    self.size = size
    self.coefficientCount = coefficientCount
    var matrix: [Double] = []
    for n in 0..<((size + 1) / 2) {
      for k in 0..<coefficientCount {
        let scale = eri_sqrt((k == 0 ? 1 : 2) / Double(size))
        // The angle repeats after 4N quarter steps; reducing it keeps large arguments exact.
        let step = (k * (2 * n + 1)) % (4 * size)
        matrix.append(scale * eri_cos(Double.pi * Double(step) / Double(2 * size)))
      }
    }
    self.matrix = matrix
  }

  /// - Parameters: values: N values of two frames, overwritten · result: `coefficientCount` values, fully overwritten
  func apply(_ values: UnsafeMutablePointer<FramePair>, result: UnsafeMutablePointer<FramePair>) {
    // After folding, mirrored sums stand in the lower half and differences, mirrored, in the upper one.
    var n = 0
    while n < size / 2 {
      let (low, high) = (values[n], values[size &- 1 &- n])
      values[n] = low + high
      values[size &- 1 &- n] = low - high
      n &+= 1
    }
    matrix.withUnsafeBufferPointer { matrix in
      let pairs = size / 2
      var k = 0
      while k &+ 3 < coefficientCount {
        var (sum0, sum1, sum2, sum3) = (FramePair.zero, FramePair.zero, FramePair.zero, FramePair.zero)
        var n = 0
        var cosine = k
        while n < pairs {
          let folded = values[n]
          let difference = values[size &- 1 &- n]
          sum0 += folded * FramePair(repeating: matrix[cosine])
          sum1 += difference * FramePair(repeating: matrix[cosine &+ 1])
          sum2 += folded * FramePair(repeating: matrix[cosine &+ 2])
          sum3 += difference * FramePair(repeating: matrix[cosine &+ 3])
          n &+= 1
          cosine &+= coefficientCount
        }
        result[k] = sum0
        result[k &+ 1] = sum1
        result[k &+ 2] = sum2
        result[k &+ 3] = sum3
        k &+= 4
      }
      while k < coefficientCount {
        var sum = FramePair.zero
        var n = 0
        while n < pairs {
          let folded = k & 1 == 0 ? values[n] : values[size &- 1 &- n]
          sum += folded * FramePair(repeating: matrix[n &* coefficientCount &+ k])
          n &+= 1
        }
        result[k] = sum
        k &+= 1
      }
      guard size & 1 == 1 else { return }
      // An odd size has a value in the middle, which is its own mirror image.
      k = 0
      while k < coefficientCount {
        result[k] += values[pairs] * FramePair(repeating: matrix[pairs &* coefficientCount &+ k])
        k &+= 1
      }
    }
  }
}

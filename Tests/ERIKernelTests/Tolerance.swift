/// Bounds on the kernels' rounding errors; u = 2^-24 is the rounding error of one operation relative to its result.
enum Tolerance {
  static let unit = 0x1p-24

  /// A sum of `terms` products in sequence errs by at most (terms + 1) u Σ|a||b| (Higham, Accuracy and Stability, 3.1); bias and
  /// residual add two roundings of the result.
  static func dot(terms: Int, magnitude: Double) -> Double {
    (Double(terms) + 4) * unit * magnitude + 1e-37
  }

  /// Activations are fits good to about 2e-7 of the function's range; the factor covers the fit, the roundings inside, and a
  /// slope of at most 1.13 (GELU) on the argument's own error.
  static func activation(argumentError: Double, value: Double) -> Double {
    1.2 * argumentError + 4e-7 * max(1, abs(value))
  }

  /// e^x turns an absolute error of x into a relative one.
  static func exponential(argumentError: Double, value: Double) -> Double {
    (argumentError + 4e-7) * abs(value) + 1e-44
  }

  /// Winograd F(4×4, 3×3) multiplies rounding errors: the transforms' norms let an error grow to about 40 times that of the
  /// direct sum; 64 u Σ|a||b| / sqrt(terms) is the typical error of random data times 8.
  static func winograd(terms: Int, magnitude: Double) -> Double {
    512 * unit * magnitude / Double(terms).squareRoot() + 1e-6
  }

  /// Normalisations: a sum over n elements (pairwise over at least 4 lanes), a square root and a division.
  static func normalised(count: Int, value: Double) -> Double {
    (Double(count) / 4 + 8) * unit * max(1, abs(value)) + 1e-6
  }

  /// Softmax: relative error of e^x and of a sum of positive terms.
  static func softmax(count: Int, value: Double) -> Double { (4e-7 + Double(count) * unit) * value + 1e-38 }
}

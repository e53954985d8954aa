/// How far a computed tensor may lie from its Double reference, as a share of the reference's largest absolute value.
public struct Tolerance: Sendable {
  /// The share.
  public let bound: Double

  /// Bit for bit.
  public static let exact = Tolerance(bound: 0)
  /// Sums of up to a few thousand float products: each rounds by 2⁻²⁴, errors grow like the square root of the length; the largest value is
  /// a typical sum's magnitude. The bar for the direct path.
  public static let products = Tolerance(bound: 1e-5)
  /// Winograd F(4×4, 3×3): its transforms amplify rounding by up to about ten. The bar for a plan that uses it.
  public static let winograd = Tolerance(bound: 1e-4)
  /// One rounded operation per element, and elementary functions good to a few units in the last place.
  public static let elements = Tolerance(bound: 1e-6)
  /// A gradient against differences of a Double reference, by norm: the bar of training. Float sums of up to a thousand products in
  /// several vector lanes keep it with room to spare.
  public static let gradient = Tolerance(bound: 1e-6)
  /// The same where Winograd's transforms round more.
  public static let winogradGradient = Tolerance(bound: 1e-5)
  /// A loss after up to fifty steps of Adam against PyTorch's: rounding differences grow as steps follow one another. The bar of training.
  public static let lossCurve = Tolerance(bound: 1e-4)
  /// Sums in doubles of products of floats: what remains is the rounding of the float operands' own differences.
  public static let sums = Tolerance(bound: 2e-7)
}

extension Tolerance {
  /// So many steps of a quantised value: a number between two of them may fall to either side, since the runtime multiplies by the inverse
  /// of the scale and sums in float32 what the reference divides and sums in Double.
  public static func steps(_ count: Double) -> Double { count * 1.001 }
}

/// Absolute bounds on one element's rounding errors, from the magnitudes that went into it.
extension Tolerance {
  /// The rounding error of one operation relative to its result.
  public static let unit = 0x1p-24

  /// A sum of `terms` products in sequence errs by at most (terms + 1) u Σ|a||b| (Higham, Accuracy and Stability, 3.1); bias and
  /// residual add two roundings of the result.
  public static func dot(terms: Int, magnitude: Double) -> Double {
    (Double(terms) + 4) * unit * magnitude + 1e-37
  }

  /// Activations are fits good to about 2e-7 of the function's range; the factor covers the fit, the roundings inside, and a
  /// slope of at most 1.13 (GELU) on the argument's own error.
  public static func activation(argumentError: Double, value: Double) -> Double {
    1.2 * argumentError + 4e-7 * max(1, abs(value))
  }

  /// e^x turns an absolute error of x into a relative one.
  public static func exponential(argumentError: Double, value: Double) -> Double {
    (argumentError + 4e-7) * abs(value) + 1e-44
  }

  /// Winograd F(4×4, 3×3) multiplies rounding errors: the transforms' norms let an error grow to about 40 times that of the
  /// direct sum; 64 u Σ|a||b| / sqrt(terms) is the typical error of random data times 8.
  public static func winograd(terms: Int, magnitude: Double) -> Double {
    512 * unit * magnitude / Double(terms).squareRoot() + 1e-6
  }

  /// F(6×6, 3×3): its transforms let rounding errors grow 46.3 times in the root mean square at a tile's edges, those of F(4×4, 3×3)
  /// 10.4 times, both computed from their matrices: the largest over a side's outputs of Σ |A|² |G|² |B|² / 3 over the points.
  public static func winogradSix(terms: Int, magnitude: Double) -> Double {
    46.3 / 10.4 * winograd(terms: terms, magnitude: magnitude)
  }

  /// F(4×4, 4×4): its transforms let rounding errors grow 33.7 times in the root mean square, those of F(4×4, 3×3) 10.4 times, both
  /// computed from their matrices.
  public static func winogradPhases(terms: Int, magnitude: Double) -> Double {
    33.7 / 10.4 * winograd(terms: terms, magnitude: magnitude)
  }

  /// Winograd on int16, of `terms` products of values to 255 and weights to `weight`: the transformed weights keep about ten bits where
  /// the products' signs vary, and their rounding errors add up like a random walk; with weights of one sign the sums take more of the
  /// range and the errors less of a random walk. Times the scale of a sum.
  public static func integerWinograd(terms: Int, weight: Double, sameSign: Bool, scale: Double) -> Double {
    (sameSign ? 1e-2 : 4e-3) * 255 * weight * Double(terms).squareRoot() * scale + 1e-5
  }

  /// Normalisations: a sum over n elements (pairwise over at least 4 lanes), a square root and a division.
  public static func normalised(count: Int, value: Double) -> Double {
    (Double(count) / 4 + 8) * unit * max(1, abs(value)) + 1e-6
  }

  /// Softmax: relative error of e^x and of a sum of positive terms.
  public static func softmax(count: Int, value: Double) -> Double { (4e-7 + Double(count) * unit) * value + 1e-38 }
}

/// The largest absolute difference over the largest absolute expected value; infinite where shapes or NaNs differ.
public func relativeDifference(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  var largest = 0.0
  var difference = 0.0
  for (value, reference) in zip(values, expected) {
    if value.isNaN != reference.isNaN { return .infinity }
    if reference.isNaN { continue }
    if Double(value) == reference { continue }
    largest = max(largest, abs(reference))
    difference = max(difference, abs(Double(value) - reference))
  }
  if difference == 0 { return 0 }
  for reference in expected where !reference.isNaN { largest = max(largest, abs(reference)) }
  return largest > 0 ? difference / largest : .infinity
}

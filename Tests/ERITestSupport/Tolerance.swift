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

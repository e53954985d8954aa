/// What two sides must share to count as the same.
package enum VerifyPolicy: String, Sendable, CaseIterable {
  /// Names, types, shapes and bits of all weights; what graphs compute is not asked.
  case sameWeights = "same-weights"
  /// Names, shapes and values of all weights, in whatever type they are stored, and what graphs compute up to float32's
  /// rounding.
  case fp32
  /// What graphs compute, up to what 8-bit integers cost; without graphs, weights up to half a step of 8-bit integers.
  case int8

  /// Largest difference of a value from its counterpart, as a share of the largest absolute value, that 8-bit integers explain.
  package static let int8Share = 0.05
}

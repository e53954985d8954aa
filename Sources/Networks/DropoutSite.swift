/// A value of which training drops elements: an operator's output, or the probabilities of an attention.
package struct DropoutSite: Equatable, Sendable {
  /// The value's name in the graph.
  package var value: String
  /// Probability of dropping an element, at least 0 and below 1.
  package var rate: Double

  package init(value: String, rate: Double) {
    self.value = value
    self.rate = rate
  }
}

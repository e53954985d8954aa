/// Parameters or data that signal processing cannot use, told in one sentence: place, expected, found, what to do.
package struct SignalError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that act on it.
  package enum Kind: Equatable, Sendable {
    /// A parameter lies outside its range.
    case invalidParameter
    /// A buffer's size does not fit the shape that goes with it.
    case wrongSize
    /// A sample is infinite or not a number.
    case notFinite
    /// The result would exceed what can be addressed.
    case tooLarge
  }

  package let kind: Kind
  /// The whole message, without a trailing newline.
  package let sentence: String

  package var description: String { sentence }

  init(_ kind: Kind, place: String, expected: String, found: String, advice: String) {
    self.kind = kind
    sentence = "\(place): expected \(expected), found \(found); \(advice)"
  }
}

/// Throws `.invalidParameter` unless the value lies in the range.
func check(_ value: Int, in range: ClosedRange<Int>, _ place: String) throws(SignalError) {
  guard range.contains(value) else {
    throw SignalError(
      .invalidParameter, place: place, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)",
      advice: "correct the preprocessing metadata")
  }
}

/// Throws `.wrongSize` unless a buffer has the expected number of elements.
func checkCount(_ found: Int, _ expected: Int, _ place: String) throws(SignalError) {
  guard found == expected else {
    throw SignalError(
      .wrongSize, place: place, expected: "\(expected) values", found: "\(found)",
      advice: "pass a buffer of the stated shape")
  }
}

/// The product of sizes, or `.tooLarge` if it cannot be addressed or one is negative.
func elementCount(_ sizes: Int..., place: String) throws(SignalError) -> Int {
  var product = 1
  for size in sizes {
    let (next, overflow) = product.multipliedReportingOverflow(by: size)
    guard !overflow, size >= 0 else {
      throw SignalError(
        .tooLarge, place: place, expected: "a size that can be addressed", found: "more", advice: "pass a shorter clip")
    }
    product = next
  }
  return product
}

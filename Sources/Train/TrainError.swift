package import ERIFormat

/// Why training cannot go on: one sentence with its place, what was expected, what was found and what to do.
package struct TrainError: Error, Equatable {
  package enum Kind: Sendable {
    /// Data, a model or a setting that cannot be used.
    case invalid
    /// Valid, but not something that this trainer does.
    case unsupported
    /// Memory or threads that the system does not give.
    case exhausted
    /// A file that cannot be written.
    case notWritable
  }

  package let kind: Kind
  package let sentence: String

  package init(_ kind: Kind, _ sentence: String) {
    self.kind = kind
    self.sentence = sentence
  }

  /// A fault of a file or a graph.
  package init(_ error: FormatError, in place: String = "") {
    switch error.kind {
    case .invalid, .limitExceeded, .inputOutput: kind = .invalid
    case .unsupported: kind = .unsupported
    }
    sentence = place.isEmpty || error.place.hasPrefix(place) ? error.description : error.inside(place).description
  }
}

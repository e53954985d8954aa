package import ERIMedia

/// A dataset or a prepared cache that cannot be used, told in one sentence: file, place, expected, found, what to do.
package struct DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that act on it.
  package enum Kind: Equatable, Sendable {
    /// A file's content breaks a rule.
    case invalid
    /// A file cannot be read, or what it names is missing.
    case unreadable
    /// A result cannot be written.
    case notWritable
    /// Valid, but not something that is done here.
    case unsupported
  }

  package let kind: Kind
  /// The whole message, without a trailing newline.
  package let sentence: String

  package var description: String { sentence }

  package init(_ kind: Kind, _ sentence: String) {
    self.kind = kind
    self.sentence = sentence
  }

  /// Joins the parts of a sentence; `place` is left out when the whole file is meant.
  init(_ kind: Kind, path: String, place: String? = nil, expected: String, found: String, advice: String) {
    let location = place.map { "\(path), \($0)" } ?? path
    self.init(kind, "\(location): expected \(expected), found \(found); \(advice)")
  }

  /// A media file's fault.
  package init(_ error: MediaError) { self.init(error.kind == .unsupported ? .unsupported : .invalid, error.sentence) }
}

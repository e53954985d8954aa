/// What is wrong with a file, a model or a graph, as one sentence that says where, what was expected and what was found.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault, which decides a command's exit code.
  public enum Kind: Equatable, Sendable {
    /// The bytes or the graph break a rule of the format: exit 2.
    case invalid
    /// The file is longer, larger or deeper than the limits allow: exit 2.
    case limitExceeded
    /// The file cannot be opened, read or written: exit 2.
    case inputOutput
    /// The file is valid but needs what this reader lacks: exit 3.
    case unsupported
  }

  /// The kind of fault.
  public let kind: Kind
  /// Where it is: a file, then a place in it ("model.eri: node 3 (conv): strides"); empty when unknown.
  public let place: String
  /// What was expected, what was found and what to do.
  public let message: String

  /// Makes an error.
  public init(_ kind: Kind, at place: String, _ message: String) {
    self.kind = kind
    self.place = place
    self.message = message
  }

  /// The same error, its place seen from one level further out.
  public func inside(_ outer: String) -> FormatError {
    FormatError(kind, at: place.isEmpty ? outer : "\(outer): \(place)", message)
  }

  /// The sentence.
  public var description: String { place.isEmpty ? message : "\(place): \(message)" }
}

package import ERIFormat

/// Why a program cannot be planned, bound or fed, as one sentence.
public struct RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault, which decides a command's exit code.
  public enum Kind: Equatable, Sendable {
    /// An input's name, type or shape is wrong, or the file is damaged: exit 2.
    case invalid
    /// The program is valid but needs what this runtime lacks: exit 3.
    case unsupported
    /// There is not enough memory: exit 2.
    case noMemory
  }

  /// The kind of fault.
  public let kind: Kind
  /// Where it is: an input, a node, a tensor.
  public let place: String
  /// What was expected, what was found and what to do.
  public let message: String

  /// Makes an error.
  public init(_ kind: Kind, at place: String, _ message: String) {
    self.kind = kind
    self.place = place
    self.message = message
  }

  /// A fault found by the format's rules.
  package init(_ error: FormatError) {
    let kind: Kind =
      switch error.kind {
      case .invalid, .limitExceeded, .inputOutput: .invalid
      case .unsupported: .unsupported
      }
    self.init(kind, at: error.place, error.message)
  }

  /// The sentence.
  public var description: String { place.isEmpty ? message : "\(place): \(message)" }
}

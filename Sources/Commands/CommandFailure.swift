package import ERIFormat
package import ERIRuntime

/// How a command ended, as scripts see it.
package enum ExitStatus: Int32, Equatable, Sendable {
  case done = 0
  /// Compared and found different.
  case different = 1
  /// An input is invalid or cannot be read, or a result cannot be written.
  case invalid = 2
  /// Valid, but not supported here.
  case unsupported = 3
  /// The command line is wrong.
  case usage = 64
}

/// Why a command ended early: one sentence and the exit status that goes with it.
package struct CommandFailure: Error, Equatable, Sendable, CustomStringConvertible {
  package let status: ExitStatus
  /// File, place, expected, found, what to do.
  package let sentence: String

  package init(_ status: ExitStatus, _ sentence: String) {
    self.status = status
    self.sentence = sentence
  }

  package init(_ error: FormatError) {
    switch error.kind {
    case .invalid, .limitExceeded, .inputOutput: status = .invalid
    case .unsupported: status = .unsupported
    }
    sentence = error.description
  }

  /// A fault of the runtime while it worked on a file.
  package init(_ error: RuntimeError, file: String) {
    switch error.kind {
    case .invalid, .noMemory: status = .invalid
    case .unsupported: status = .unsupported
    }
    sentence = "\(file): \(error.description)"
  }

  package var description: String { sentence }
}

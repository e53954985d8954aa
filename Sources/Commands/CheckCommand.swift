import ERIFormat

/// Runs a file's goldens: inputs and the outputs they gave where the file was made.
package struct CheckCommand: Sendable {
  package var file = ""
  package var threads = 1

  package init() {}

  /// Prints the largest difference of each output.
  /// - Returns: `.different` if one is beyond its golden's tolerance, else `.done`.
  /// - Throws: `CommandFailure` `.unsupported` for a file without goldens, or what running it throws.
  package func run() throws(CommandFailure) -> ExitStatus {
    let loaded = try LoadedModel(path: file)
    guard !loaded.model.goldens.isEmpty else {
      throw CommandFailure(.unsupported, "\(file): expected goldens to compare with, found none; check another file")
    }
    let checks = try GoldenCheck.all(of: loaded, threads: threads)
    for check in checks { try Console.print(check.sentence) }
    return checks.allSatisfy { $0.isWithin } ? .done : .different
  }
}

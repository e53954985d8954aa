import CERISystem
import ERIFormat

/// Standard output for results, standard error for everything else.
package enum Console {
  /// Prints a result.
  /// - Throws: if it cannot be written, since a script must not take half a result for a whole one.
  package static func print(_ text: String) throws(CommandFailure) {
    let status = write(text, to: 1)
    guard status == 0 else {
      throw CommandFailure(
        .invalid, "standard output: cannot be written: \(String(cString: eri_error_message(status)))")
    }
  }

  /// Prints what is no result: errors, notes, progress.
  package static func note(_ text: String) {
    // Where even standard error fails there is nobody left to tell.
    _ = write(text, to: 2)
  }

  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    // Names come from files; JSON has no control characters left.
    let bytes = Array((printable(text) + "\n").utf8)
    return bytes.withUnsafeBytes { eri_write_descriptor(descriptor, $0.baseAddress, $0.count) }
  }
}

import CERISystem

/// Builds JSON text piece by piece, in the order in which it is written; nothing is ever changed afterwards.
///
/// Numbers are the shortest decimals that read back as the same value; infinities and NaN, which JSON lacks, are null.
package struct JSONWriter {
  /// The text so far.
  package private(set) var text = ""
  /// Whether the innermost open object or array has an entry already.
  private var needsComma = false

  package init() {}

  // MARK: Values: elements of an array, or a document's only value

  package mutating func object(_ body: (inout JSONWriter) -> Void) { enclose("{", "}", body) }
  package mutating func array(_ body: (inout JSONWriter) -> Void) { enclose("[", "]", body) }
  package mutating func string(_ value: String) { append { $0.quote(value) } }
  package mutating func integer(_ value: Int) { append { $0.text += "\(value)" } }
  package mutating func integer(_ value: UInt64) { append { $0.text += "\(value)" } }
  package mutating func integer(_ value: Int64) { append { $0.text += "\(value)" } }
  package mutating func number(_ value: Float) { append { $0.text += decimal(value) } }
  package mutating func number(_ value: Double) { append { $0.text += decimal(value) } }
  package mutating func boolean(_ value: Bool) { append { $0.text += value ? "true" : "false" } }
  package mutating func null() { append { $0.text += "null" } }
  package mutating func strings(_ values: [String]) { array { for value in values { $0.string(value) } } }
  package mutating func integers(_ values: [Int]) { array { for value in values { $0.integer(value) } } }
  package mutating func numbers(_ values: [Float]) { array { for value in values { $0.number(value) } } }

  // MARK: Members of an object

  /// A member whose value `body` writes with one of the functions above.
  package mutating func member(_ key: String, _ body: (inout JSONWriter) -> Void) {
    append {
      $0.quote(key)
      $0.text += ": "
      $0.needsComma = false
      body(&$0)
    }
  }

  private mutating func append(_ body: (inout JSONWriter) -> Void) {
    if needsComma { text += ", " }
    body(&self)
    needsComma = true
  }

  private mutating func enclose(_ opening: String, _ closing: String, _ body: (inout JSONWriter) -> Void) {
    append {
      $0.text += opening
      $0.needsComma = false
      body(&$0)
      $0.text += closing
    }
  }

  private mutating func quote(_ value: String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      // Delete and C1 are legal, but a terminal obeys them.
      case "\u{0}"..<"\u{20}", "\u{7F}"..."\u{9F}":
        text += "\\u00" + hexadecimal(UInt8(truncatingIfNeeded: scalar.value))
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

/// The shortest decimal text of a number, "null" unless it is finite.
package func decimal(_ value: Double) -> String { decimalText { eri_format_double(value, $0) } }

/// The shortest decimal text of a number, "null" unless it is finite.
package func decimal(_ value: Float) -> String { decimalText { eri_format_float(value, $0) } }

private func decimalText(_ format: (UnsafeMutablePointer<CChar>) -> Int) -> String {
  var characters = [CChar](repeating: 0, count: 32)
  let count = characters.withUnsafeMutableBufferPointer { buffer in
    buffer.baseAddress.map { format($0) } ?? 0
  }
  return String(decoding: characters[0..<min(count, 32)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Two lower-case digits of a byte.
package func hexadecimal(_ byte: UInt8) -> String {
  let digits: StaticString = "0123456789abcdef"
  var text = ""
  for nibble in [byte >> 4, byte & 15] {
    text.unicodeScalars.append(Unicode.Scalar(digits.utf8Start[Int(nibble)]))
  }
  return text
}

/// Lower-case digits of bytes, such as a digest.
package func hexadecimal(_ bytes: [UInt8]) -> String {
  var text = ""
  for byte in bytes { text += hexadecimal(byte) }
  return text
}

/// Reads the few Python literals that a .npy header consists of: strings, booleans, tuples of integers.
struct PythonLiteralReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 0x20 || (0x09...0x0d).contains(bytes[position]) { position += 1 }
  }

  /// Whether the next token begins with the character.
  mutating func peeks(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    return position < bytes.count && UInt32(bytes[position]) == character.value
  }

  /// Consumes the character if it is next.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peeks(character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar, _ what: String) throws(FormatError) {
    guard take(character) else { throw unexpected(what) }
  }

  mutating func expectEnd() throws(FormatError) {
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end of the header") }
  }

  /// A string in single or double quotes; printable ASCII without escapes is all that NumPy writes for simple types.
  mutating func string(_ what: String) throws(FormatError) -> String {
    guard peeks("'") || peeks("\"") else { throw unexpected("\(what) in quotes") }
    let quote = bytes[position]
    var end = position + 1
    while end < bytes.count, bytes[end] != quote {
      guard bytes[end] >= 0x20, bytes[end] < 0x7f, bytes[end] != 0x5c else {
        position = end
        throw unexpected("printable ASCII without escapes in \(what)")
      }
      end += 1
    }
    guard end < bytes.count else { throw unexpected("\(what) with a closing quote") }
    let text = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
    position = end + 1
    return text
  }

  mutating func boolean(_ key: String) throws(FormatError) -> Bool {
    skipSpace()
    if takeWord("True") { return true }
    if takeWord("False") { return false }
    throw unexpected("True or False for key '\(key)'")
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  /// A tuple of integers that are not negative; Python 2's suffix L is allowed.
  mutating func integers(_ key: String) throws(FormatError) -> [Int] {
    try expect("(", "a tuple for key '\(key)'")
    var values: [Int] = []
    while !take(")") {
      values.append(try integer(key))
      // Far above the limit of dimensions, and still no work for a hostile header.
      guard values.count <= 64 else {
        throw FormatError(
          .limitExceeded, at: "header", "expected at most \(Limits.rank) dimensions, found more than 64")
      }
      if !take(",") {
        // Without a comma, (3) is an integer to Python and not a shape.
        guard values.count > 1 else { throw unexpected("a comma after a tuple's only element") }
        try expect(")", "a comma or the end of the tuple")
        break
      }
    }
    return values
  }

  private mutating func integer(_ key: String) throws(FormatError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (product, productOverflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !productOverflow, !sumOverflow else {
        throw FormatError(
          .limitExceeded, at: "header", "expected extents of at most \(Limits.elements), found a larger one")
      }
      value = sum
      position += 1
    }
    guard position > start else { throw unexpected("integers from 0 for key '\(key)'") }
    if position < bytes.count, bytes[position] == 0x4c { position += 1 }
    return value
  }

  /// An error at the cursor, with what stands there.
  private func unexpected(_ what: String) -> FormatError {
    guard position < bytes.count else {
      return FormatError(.invalid, at: "header", "expected \(what) at byte \(position), found its end")
    }
    var found = ""
    for byte in bytes[position..<min(position + 12, bytes.count)] {
      guard byte >= 0x20, byte < 0x7f else { break }
      found.unicodeScalars.append(Unicode.Scalar(byte))
    }
    let text = found.isEmpty ? "byte \(bytes[position])" : "\"\(found)\""
    return FormatError(.invalid, at: "header", "expected \(what) at byte \(position), found \(text)")
  }
}

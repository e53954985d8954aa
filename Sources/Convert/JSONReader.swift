import ERIFormat

/// Reads JSON (RFC 8259) piece by piece and keeps none of it: the caller says what it expects next.
///
/// It nests as deep as its caller reads and no deeper. Strict: UTF-8 alone, no duplicate keys within an object that `members` reads, integers without fraction or exponent.
struct JSONReader {
  private let bytes: [UInt8]
  /// Where the bytes begin in the file, for errors.
  private let origin: UInt64
  private var position = 0

  /// - Parameter origin: the offset of the first byte in its file.
  init(_ bytes: [UInt8], origin: UInt64 = 0) {
    self.bytes = bytes
    self.origin = origin
  }

  /// Reads an object, its members one by one; `body` reads the value of the key that it is given.
  /// - Parameter limit: how many members there may be.
  mutating func members(
    limit: Int, _ what: String, _ body: (inout JSONReader, String) throws(FormatError) -> Void
  ) throws(FormatError) {
    try expect(0x7B, "\(what) as an object")
    // By bytes: Swift's strings are equal when only their normal forms are.
    var seen: Set<[UInt8]> = []
    if take(0x7D) { return }
    repeat {
      skipSpace()
      let start = position
      let key = try string("a key")
      guard seen.count < limit else {
        throw FormatError(.limitExceeded, at: place(start), "expected \(what) of at most \(limit) members, found more")
      }
      guard seen.insert(Array(key.utf8)).inserted else {
        throw FormatError(.invalid, at: place(start), "expected each key once, found \"\(key)\" a second time")
      }
      try expect(0x3A, "a colon after key \"\(key)\"")
      try body(&self, key)
    } while take(0x2C)
    try expect(0x7D, "a comma or the end of \(what)")
  }

  /// Reads an array; `body` reads one element.
  /// - Parameter limit: how many elements there may be.
  mutating func elements(
    limit: Int, _ what: String, _ body: (inout JSONReader) throws(FormatError) -> Void
  ) throws(FormatError) {
    try expect(0x5B, "\(what) as an array")
    if take(0x5D) { return }
    var count = 0
    repeat {
      guard count < limit else {
        throw FormatError(
          .limitExceeded, at: place(position), "expected \(what) of at most \(limit) elements, found more")
      }
      count += 1
      try body(&self)
    } while take(0x2C)
    try expect(0x5D, "a comma or the end of \(what)")
  }

  /// Reads an integer from 0.
  mutating func natural(_ what: String) throws(FormatError) -> UInt64 {
    skipSpace()
    let start = position
    var value: UInt64 = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (product, productOverflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = product.addingReportingOverflow(UInt64(bytes[position] - 0x30))
      guard !productOverflow, !sumOverflow else {
        throw FormatError(.limitExceeded, at: place(start), "expected \(what) of 64 bits, found a larger number")
      }
      value = sum
      position += 1
    }
    let follows = position < bytes.count ? bytes[position] : 0
    guard position > start, follows != 0x2E, follows != 0x65, follows != 0x45 else {
      position = start
      throw unexpected("\(what) as an integer from 0")
    }
    guard bytes[start] != 0x30 || position == start + 1 else {
      position = start
      throw unexpected("\(what) without leading zeros")
    }
    return value
  }

  /// Requires that nothing but space is left.
  mutating func expectEnd() throws(FormatError) {
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end of the text") }
  }

  /// Reads a string.
  mutating func string(_ what: String) throws(FormatError) -> String {
    skipSpace()
    guard position < bytes.count, bytes[position] == 0x22 else { throw unexpected("\(what) as a string") }
    let start = position
    position += 1
    var text: [UInt8] = []
    while true {
      guard position < bytes.count else {
        throw FormatError(
          .invalid, at: place(start), "expected \(what) with a closing quote, found the end of the text")
      }
      let byte = bytes[position]
      if byte == 0x22 { break }
      guard byte >= 0x20 else { throw unexpected("\(what) without control characters") }
      if byte == 0x5C {
        try escape(into: &text)
      } else {
        text.append(byte)
        position += 1
      }
    }
    position += 1
    guard let string = String(validating: text, as: UTF8.self) else {
      throw FormatError(.invalid, at: place(start), "expected \(what) in UTF-8, found other bytes")
    }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(FormatError) {
    let start = position
    position += 1
    let letter = position < bytes.count ? bytes[position] : 0
    position += 1
    switch letter {
    case 0x22, 0x5C, 0x2F: text.append(letter)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0C)
    case 0x6E: text.append(0x0A)
    case 0x72: text.append(0x0D)
    case 0x74: text.append(0x09)
    case 0x75:
      var code = UInt32(try unit(start))
      if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == 0x5C,
        bytes[position + 1] == 0x75
      {
        position += 2
        let low = UInt32(try unit(start))
        guard (0xDC00..<0xE000).contains(low) else {
          position = start
          throw unexpected("two surrogates that belong together")
        }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else {
        position = start
        throw unexpected("a character, not half of one")
      }
      text += Array(String(Character(scalar)).utf8)
    default:
      position = start
      throw unexpected("one of JSON's escapes")
    }
  }

  /// The four hexadecimal digits of an escape.
  private mutating func unit(_ start: Int) throws(FormatError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      let byte = position < bytes.count ? bytes[position] : 0
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x41 + 10
      case 0x61...0x66: digit = byte - 0x61 + 10
      default:
        position = start
        throw unexpected("four hexadecimal digits after \\u")
      }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(FormatError) {
    guard take(byte) else { throw unexpected(what) }
  }

  private func place(_ position: Int) -> String { "byte \(origin + UInt64(position))" }

  /// An error at the cursor, with what stands there.
  private func unexpected(_ what: String) -> FormatError {
    guard position < bytes.count else {
      return FormatError(.invalid, at: place(position), "expected \(what), found the end of the text")
    }
    var found = ""
    for byte in bytes[position..<min(position + 12, bytes.count)] {
      guard byte >= 0x20, byte < 0x7F else { break }
      found.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return FormatError(
      .invalid, at: place(position), "expected \(what), found \(found.isEmpty ? "byte \(bytes[position])" : found)")
  }
}

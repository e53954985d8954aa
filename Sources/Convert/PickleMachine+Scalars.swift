import ERIFormat

// Numbers and strings of a pickle.
extension PickleMachine {
  /// A little-endian number of that many bytes.
  mutating func fixed(_ count: Int) throws(FormatError) -> UInt64 {
    guard let bytes = try input.bytes(count) else { throw ended("\(count) bytes") }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// That many bytes, after the count was held against the limits and charged.
  private mutating func counted(_ count: UInt64) throws(FormatError) -> ArraySlice<UInt8> {
    guard count <= UInt64(Limits.pickleTextBytes) else { throw beyond("bytes of a string", Limits.pickleTextBytes) }
    let length = Int(count)
    try account(length)
    guard let bytes = try input.bytes(length) else { throw ended("\(length) bytes") }
    return bytes
  }

  mutating func pushText(count: UInt64) throws(FormatError) {
    guard let text = String(validating: try counted(count), as: UTF8.self) else {
      throw expected("a string in UTF-8", "other bytes")
    }
    try push(.text(text), bytes: 0)
  }

  mutating func pushBytes(count: UInt64) throws(FormatError) {
    try push(.bytes(Array(try counted(count))), bytes: 0)
  }

  /// A string of Python 2, which is bytes there: text if it can be.
  mutating func pushByteText(count: UInt64) throws(FormatError) {
    try push(text(orBytes: try counted(count)), bytes: 0)
  }

  private func text(orBytes bytes: ArraySlice<UInt8>) -> PickleValue {
    if let text = String(validating: bytes, as: UTF8.self) { return .text(text) }
    return .bytes(Array(bytes))
  }

  mutating func pushInteger(count: UInt64) throws(FormatError) {
    let bytes = Array(try counted(count))
    guard bytes.count > 8 else {
      let isNegative = (bytes.last ?? 0) & 0x80 != 0
      var value: UInt64 = isNegative ? .max : 0
      for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
      try push(.integer(Int64(bitPattern: value)), bytes: 0)
      return
    }
    try push(.wideInteger(bytes), bytes: 0)
  }

  /// The bytes up to the next line feed, without it.
  private mutating func lineBytes(_ what: String) throws(FormatError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      guard let byte = try input.byte() else { throw ended("\(what) with a line feed") }
      if byte == 0x0a { break }
      guard bytes.count < Limits.pickleTextBytes else { throw beyond("bytes of a string", Limits.pickleTextBytes) }
      bytes.append(byte)
    }
    try account(bytes.count)
    return bytes
  }

  mutating func line(_ what: String) throws(FormatError) -> String {
    guard let text = String(validating: try lineBytes(what), as: UTF8.self) else {
      throw expected("\(what) in UTF-8", "other bytes")
    }
    return text
  }

  /// Protocol 0's integer; "00" and "01" are its booleans.
  mutating func pushDecimal(_ opcode: UInt8) throws(FormatError) {
    var text = try line("an integer")
    if opcode == 0x49, text == "00" || text == "01" { return try push(.boolean(text == "01"), bytes: 0) }
    if opcode == 0x4c, text.utf8.last == 0x4c { text.removeLast() }
    guard let value = Int64(text) else { throw expected("an integer of 64 bits", "other text") }
    try push(.integer(value), bytes: 0)
  }

  mutating func pushDecimalFloat() throws(FormatError) {
    guard let value = Double(try line("a float")) else { throw expected("a float", "other text") }
    try push(.float(value), bytes: 0)
  }

  mutating func decimalIndex() throws(FormatError) -> UInt32 {
    guard let index = UInt32(try line("an index")) else { throw expected("an index of 32 bits", "other text") }
    return index
  }

  /// Protocol 0's string: in quotes; escapes are left as they stand, since no name of a tensor needs them.
  mutating func pushQuoted() throws(FormatError) {
    let bytes = try lineBytes("a string")
    guard bytes.count >= 2, let quote = bytes.first, quote == 0x22 || quote == 0x27, bytes.last == quote else {
      throw expected("a string in quotes", "other text")
    }
    try push(text(orBytes: bytes[1..<(bytes.count - 1)]), bytes: 0)
  }
}

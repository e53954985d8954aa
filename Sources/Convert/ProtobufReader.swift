import ERIFormat

/// Reads protobuf's wire format from a file field by field, without loading what a field holds.
struct ProtobufReader {
  /// A field: its number and its value, or where that lies.
  struct Field {
    enum Content {
      case varint(UInt64)
      case fixed32(offset: UInt64)
      case fixed64(offset: UInt64)
      case bytes(offset: UInt64, count: UInt64)
    }

    let number: UInt32
    let content: Content
    /// Where the field begins in the file.
    let offset: UInt64
  }

  let window: FileWindow
  private(set) var position: UInt64
  let end: UInt64

  /// A message between two offsets of a file.
  init(_ window: FileWindow, from start: UInt64, to end: UInt64) {
    self.window = window
    position = start
    self.end = end
  }

  /// The next field, or nil at the end of the message.
  /// - Throws: `FormatError` if it does not fit the message or has a wire type that proto3 lacks.
  mutating func next() throws(FormatError) -> Field? {
    guard position < end else { return nil }
    let start = position
    let key = try varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else {
      throw error(start, "expected a field's number from 1 to 536870911, found \(key >> 3)")
    }
    let content: Field.Content
    switch key & 7 {
    case 0: content = .varint(try varint())
    case 1: content = .fixed64(offset: try skip(8, start))
    case 2:
      let count = try varint()
      content = .bytes(offset: try skip(count, start), count: count)
    case 5: content = .fixed32(offset: try skip(4, start))
    case let type: throw error(start, "expected a wire type of 0, 1, 2 or 5, found \(type)")
    }
    return Field(number: UInt32(truncatingIfNeeded: key >> 3), content: content, offset: start)
  }

  /// Reads a varint of at most 64 bits.
  mutating func varint() throws(FormatError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < end else { throw error(start, "expected a number, found the end of its message") }
      let byte = try window.byte(at: position)
      position += 1
      guard shift < 63 || byte <= 1 else { throw error(start, "expected a number of 64 bits, found a longer one") }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  /// Passes over bytes; where they begin.
  private mutating func skip(_ count: UInt64, _ start: UInt64) throws(FormatError) -> UInt64 {
    guard count <= end - position else {
      throw error(start, "expected \(count) bytes, found \(end - position) before the end of their message")
    }
    defer { position += count }
    return position
  }

  private func error(_ offset: UInt64, _ message: String) -> FormatError {
    FormatError(.invalid, at: "byte \(offset)", message)
  }
}

extension ProtobufReader {
  /// The message that a field holds.
  func message(_ field: Field, _ what: String) throws(FormatError) -> ProtobufReader {
    let (offset, count) = try extent(field, what)
    return ProtobufReader(window, from: offset, to: offset + count)
  }

  /// Where the bytes of a field lie.
  func extent(_ field: Field, _ what: String) throws(FormatError) -> (offset: UInt64, count: UInt64) {
    guard case .bytes(let offset, let count) = field.content else { throw unexpected(field, "\(what) with a length") }
    return (offset, count)
  }

  /// The UTF-8 text of a field.
  func text(_ field: Field, limit: Int, _ what: String) throws(FormatError) -> String {
    let (offset, count) = try extent(field, what)
    guard count <= UInt64(limit) else {
      throw FormatError(
        .limitExceeded, at: "byte \(field.offset)", "expected \(what) of at most \(limit) bytes, found \(count)")
    }
    guard let text = String(validating: try window.file.bytes(Int(count), at: offset), as: UTF8.self) else {
      throw FormatError(.invalid, at: "byte \(field.offset)", "expected \(what) in UTF-8, found other bytes")
    }
    return text
  }

  /// The integer of a field.
  func integer(_ field: Field, _ what: String) throws(FormatError) -> UInt64 {
    guard case .varint(let value) = field.content else { throw unexpected(field, "\(what) as a number") }
    return value
  }

  /// Appends the values of a repeated integer field, packed or not.
  func appendIntegers(_ field: Field, to values: inout [Int64], limit: Int, _ what: String) throws(FormatError) {
    switch field.content {
    case .varint(let value):
      guard values.count < limit else { throw tooMany(field, limit, what) }
      values.append(Int64(bitPattern: value))
    case .bytes:
      var packed = try message(field, what)
      while packed.position < packed.end {
        guard values.count < limit else { throw tooMany(field, limit, what) }
        values.append(Int64(bitPattern: try packed.varint()))
      }
    case .fixed32, .fixed64: throw unexpected(field, "\(what) as numbers")
    }
  }

  /// The float32 of a field.
  func float(_ field: Field, _ what: String) throws(FormatError) -> Float {
    guard case .fixed32(let offset) = field.content else { throw unexpected(field, "\(what) of 4 bytes") }
    return try float(at: offset)
  }

  /// Appends the values of a repeated float32 field, packed or not.
  func appendFloats(_ field: Field, to values: inout [Float], limit: Int, _ what: String) throws(FormatError) {
    switch field.content {
    case .fixed32(let offset):
      guard values.count < limit else { throw tooMany(field, limit, what) }
      values.append(try float(at: offset))
    case .bytes(let offset, let count):
      guard count % 4 == 0 else {
        throw error(field.offset, "expected \(what) of 4 bytes each, found \(counted(Int(clamping: count), "byte"))")
      }
      guard count / 4 <= UInt64(limit - values.count) else { throw tooMany(field, limit, what) }
      for index in 0..<(count / 4) { values.append(try float(at: offset + 4 * index)) }
    case .varint, .fixed64: throw unexpected(field, "\(what) of 4 bytes each")
    }
  }

  private func float(at offset: UInt64) throws(FormatError) -> Float {
    var bits: UInt32 = 0
    for byte in 0..<UInt64(4) { bits |= UInt32(try window.byte(at: offset + byte)) << UInt32(8 * byte) }
    return Float(bitPattern: bits)
  }

  private func tooMany(_ field: Field, _ limit: Int, _ what: String) -> FormatError {
    FormatError(.limitExceeded, at: "byte \(field.offset)", "expected at most \(limit) \(what), found more")
  }

  /// Appends the extents of a repeated integer field, packed or not.
  func appendExtents(_ field: Field, to shape: inout [Int]) throws(FormatError) {
    switch field.content {
    case .varint(let value): try append(value, field, to: &shape)
    case .bytes:
      var packed = try message(field, "extents")
      while packed.position < packed.end { try append(try packed.varint(), field, to: &shape) }
    case .fixed32, .fixed64: throw unexpected(field, "extents as numbers")
    }
  }

  private func append(_ extent: UInt64, _ field: Field, to shape: inout [Int]) throws(FormatError) {
    guard shape.count < Limits.rank else {
      throw FormatError(
        .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.rank) dimensions, found more")
    }
    guard extent <= UInt64(Limits.elements) else {
      throw FormatError(
        Int64(bitPattern: extent) < 0 ? .invalid : .limitExceeded, at: "byte \(field.offset)",
        "expected extents from 0 to \(Limits.elements), found \(Int64(bitPattern: extent))")
    }
    shape.append(Int(extent))
  }

  private func unexpected(_ field: Field, _ what: String) -> FormatError {
    let found =
      switch field.content {
      case .varint: "a number"
      case .fixed32: "4 bytes"
      case .fixed64: "8 bytes"
      case .bytes: "bytes with a length"
      }
    return FormatError(
      .invalid, at: "byte \(field.offset)", "expected \(what) in field \(field.number), found \(found)")
  }
}

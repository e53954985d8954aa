import ERIFormat

/// Reads comma-separated values (RFC 4180) record by record: UTF-8 with or without a byte order mark, lines that end in LF, CRLF
/// or CR, fields in quotes where they hold commas, quotes or line ends. Empty lines are passed over.
struct CSVReader {
  /// A line's fields.
  struct Record {
    /// The line on which it begins, from 1.
    let line: Int
    var fields: [String]
  }

  /// The file, for messages.
  let path: String
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1

  /// - Throws: `DatasetError` if the file cannot be read, is too large or is no UTF-8 by its first bytes.
  init(path: String) throws(DatasetError) {
    do throws(FormatError) {
      let file = try FileHandle(path: path)
      guard file.byteCount <= UInt64(Limits.csvBytes) else {
        throw FormatError(
          .limitExceeded, at: "",
          "expected at most \(Limits.csvBytes) bytes, found \(file.byteCount); split the dataset")
      }
      bytes = try file.bytes(Int(file.byteCount), at: 0)
    } catch {
      throw DatasetError(.unreadable, error.inside(path).description)
    }
    self.path = path
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw DatasetError(
        .invalid, path: path, expected: "text in UTF-8", found: "UTF-16", advice: "save it as UTF-8")
    }
  }

  /// The next record, nil at the end.
  mutating func next() throws(DatasetError) -> Record? {
    while position < bytes.count, bytes[position] == 0x0A || bytes[position] == 0x0D { takeLineEnd() }
    guard position < bytes.count else { return nil }
    var record = Record(line: line, fields: [])
    while true {
      guard record.fields.count < Limits.csvColumns else {
        throw fault(record.line, "at most \(Limits.csvColumns) fields", "more", "remove columns")
      }
      record.fields.append(try field())
      guard position < bytes.count else { return record }
      if bytes[position] == 0x2C {
        position += 1
      } else {
        takeLineEnd()
        return record
      }
    }
  }

  /// Takes a field up to the comma, the line end or the end of the file that follows it.
  private mutating func field() throws(DatasetError) -> String {
    let start = line
    var text: [UInt8] = []
    if position < bytes.count, bytes[position] == 0x22 {
      try quoted(into: &text)
    } else {
      while position < bytes.count, !endsField(bytes[position]) {
        guard bytes[position] != 0x22 else {
          throw fault(
            line, "quotes around a whole field", "one within a field", "put the field in quotes and double those in it")
        }
        try take(bytes[position], into: &text)
        position += 1
      }
    }
    guard let field = String(validating: text, as: UTF8.self) else {
      throw fault(start, "text in UTF-8", "other bytes", "save it as UTF-8")
    }
    return field
  }

  private mutating func quoted(into text: inout [UInt8]) throws(DatasetError) {
    let start = line
    position += 1
    while true {
      guard position < bytes.count else {
        throw fault(start, "a closing quote", "the end of the file", "close the field that begins here")
      }
      let byte = bytes[position]
      position += 1
      if byte == 0x22 {
        guard position < bytes.count, bytes[position] == 0x22 else { break }
        position += 1
      } else if byte == 0x0A || byte == 0x0D && !(position < bytes.count && bytes[position] == 0x0A) {
        line += 1
      }
      try take(byte, into: &text)
    }
    guard position == bytes.count || endsField(bytes[position]) else {
      throw fault(line, "a comma after a closing quote", "more text", "double the quotes within the field")
    }
  }

  private func take(_ byte: UInt8, into text: inout [UInt8]) throws(DatasetError) {
    guard byte != 0 else { throw fault(line, "text", "a zero byte", "check that this is the file you meant") }
    guard text.count < Limits.csvFieldBytes else {
      throw fault(line, "fields of at most \(Limits.csvFieldBytes) bytes", "a longer one", "check the quotes before it")
    }
    text.append(byte)
  }

  private func endsField(_ byte: UInt8) -> Bool { byte == 0x2C || byte == 0x0A || byte == 0x0D }

  private mutating func takeLineEnd() {
    if bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A { position += 1 }
    position += 1
    line += 1
  }

  /// An error at a line of this file.
  func fault(_ line: Int, _ expected: String, _ found: String, _ advice: String) -> DatasetError {
    DatasetError(.invalid, path: path, place: "line \(line)", expected: expected, found: found, advice: advice)
  }
}

/// A field as RFC 4180 has it: in quotes where it holds a comma, a quote or a line end.
package func csvField(_ text: String) -> String {
  guard text.utf8.contains(where: { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }) else { return text }
  return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

/// A number in decimal digits; nil for anything else, such as hexadecimal, infinity or spaces within.
func decimalNumber(_ text: String) -> Double? {
  let allowed = text.utf8.allSatisfy { byte in
    (0x30...0x39).contains(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E || byte == 0x45 || byte == 0x65
  }
  guard allowed, let value = Double(text), value.isFinite else { return nil }
  return value
}

/// The text without spaces and tabs at its ends.
func trimmed(_ text: String) -> String {
  var rest = text[...]
  while let first = rest.unicodeScalars.first, first == " " || first == "\t" { rest.unicodeScalars.removeFirst() }
  while let last = rest.unicodeScalars.last, last == " " || last == "\t" { rest.unicodeScalars.removeLast() }
  return String(rest)
}

import ERIFormat

/// What a pattern's captures stood for in one name, by the capture's name.
typealias NameCaptures = [String: [UInt8]]

/// Text with captures that names are held against: `{i}` is a decimal number, `{part*}` the rest of a part up to the next `.`
/// or `/`, `{any**}` any text. Matching takes time in proportion to the name's length times the pattern's.
struct NamePattern: Equatable, Sendable {
  enum Piece: Equatable, Sendable {
    case text([UInt8])
    case number(String)
    case part(String)
    case any(String)

    var capture: String? {
      switch self {
      case .text: nil
      case .number(let name), .part(let name), .any(let name): name
      }
    }
  }

  let pieces: [Piece]
  let text: String

  /// - Throws: `FormatError` without a place if the text is no pattern that can be matched in one way.
  init(_ text: String) throws(FormatError) {
    self.text = text
    pieces = try braced(text).map { (piece) throws(FormatError) -> Piece in
      guard piece.isBraced else { return .text(piece.bytes) }
      let stars = piece.bytes.reversed().prefix { $0 == 0x2A }.count
      let name = String(decoding: piece.bytes.dropLast(stars), as: UTF8.self)
      guard isCaptureName(name), stars <= 2 else {
        throw contractError("expected {i}, {name*} or {name**}, found {\(brief(piece.text))}")
      }
      return stars == 0 ? .number(name) : stars == 1 ? .part(name) : .any(name)
    }
    try check()
  }

  /// Names of the captures that stand for numbers.
  var numbers: Set<String> {
    Set(pieces.compactMap { if case .number(let name) = $0 { name } else { nil } })
  }

  /// Names of all captures.
  var captures: Set<String> { Set(pieces.compactMap(\.capture)) }

  /// The captures if the whole name matches.
  func match(_ name: [UInt8]) -> NameCaptures? {
    var captures: NameCaptures = [:]
    return match(name, from: 0, piece: 0, &captures) ? captures : nil
  }

  private func check() throws(FormatError) {
    guard !pieces.isEmpty else { throw contractError("expected a pattern, found none") }
    var seen: Set<String> = []
    var hasAny = false
    for (index, piece) in pieces.enumerated() {
      guard let capture = piece.capture else { continue }
      guard seen.insert(capture).inserted else {
        throw contractError("expected each capture once in a pattern, found {\(capture)} twice")
      }
      let next = index + 1 < pieces.count ? pieces[index + 1] : nil
      var follower: UInt8?
      switch next {
      case nil: break
      case .text(let bytes): follower = bytes.first
      case .number, .part, .any:
        throw contractError("expected text between two captures, found none after {\(capture)}")
      }
      switch piece {
      case .text: break
      case .number:
        if let follower, (0x30...0x39).contains(follower) {
          throw contractError("expected no digit after the number {\(capture)}, found one")
        }
      case .part:
        if let follower, follower != 0x2E, follower != 0x2F {
          throw contractError("expected . or / after {\(capture)*}, found other text")
        }
      case .any:
        guard !hasAny else { throw contractError("expected one {name**} in a pattern, found two") }
        hasAny = true
      }
    }
  }

  private func match(_ name: [UInt8], from start: Int, piece: Int, _ captures: inout NameCaptures) -> Bool {
    guard piece < pieces.count else { return start == name.count }
    switch pieces[piece] {
    case .text(let bytes):
      guard name[start...].starts(with: bytes) else { return false }
      return match(name, from: start + bytes.count, piece: piece + 1, &captures)
    case .number(let capture):
      let digits = name[start...].prefix { (0x30...0x39).contains($0) }
      // A number has one way to be written, so that it comes back as it was.
      guard (1...9).contains(digits.count), digits.count == 1 || digits.first != 0x30 else { return false }
      captures[capture] = Array(digits)
      return match(name, from: digits.endIndex, piece: piece + 1, &captures)
    case .part(let capture):
      let part = name[start...].prefix { $0 != 0x2E && $0 != 0x2F }
      guard !part.isEmpty else { return false }
      captures[capture] = Array(part)
      return match(name, from: part.endIndex, piece: piece + 1, &captures)
    case .any(let capture):
      // The common case, an ending without captures, is settled by one comparison.
      if piece + 2 == pieces.count, case .text(let ending) = pieces[piece + 1] {
        guard name.count > start + ending.count, name[(name.count - ending.count)...].elementsEqual(ending) else {
          return false
        }
        captures[capture] = Array(name[start..<(name.count - ending.count)])
        return true
      }
      var end = name.count
      while end > start {
        if match(name, from: end, piece: piece + 1, &captures) {
          captures[capture] = Array(name[start..<end])
          return true
        }
        end -= 1
      }
      return false
    }
  }
}

/// A name made of a pattern's captures: `{i}` inserts one, `{i+1}` and `{i-1}` a number moved by so much.
struct NameTemplate: Equatable, Sendable {
  enum Piece: Equatable, Sendable {
    case text([UInt8])
    case capture(String, offset: Int)
  }

  let pieces: [Piece]
  let text: String

  /// - Throws: `FormatError` without a place if the text refers to what the pattern does not capture.
  init(_ text: String, capturedBy pattern: NamePattern) throws(FormatError) {
    self.text = text
    let (known, numbers) = (pattern.captures, pattern.numbers)
    pieces = try braced(text).map { (piece) throws(FormatError) -> Piece in
      guard piece.isBraced else { return .text(piece.bytes) }
      var name = piece.text
      var offset = 0
      if let sign = piece.bytes.firstIndex(where: { $0 == 0x2B || $0 == 0x2D }) {
        name = String(decoding: piece.bytes[..<sign], as: UTF8.self)
        let digits = String(decoding: piece.bytes[(sign + 1)...], as: UTF8.self)
        guard let distance = UInt16(digits), numbers.contains(name) else {
          throw contractError("expected a number to add to a captured number, found {\(brief(piece.text))}")
        }
        offset = piece.bytes[sign] == 0x2B ? Int(distance) : -Int(distance)
      }
      guard known.contains(name) else {
        throw contractError("expected what the pattern captures, found {\(brief(piece.text))}")
      }
      return .capture(name, offset: offset)
    }
    guard !pieces.isEmpty else { throw contractError("expected a name, found none") }
  }

  /// The name; nil if a number would be negative.
  func filled(_ captures: NameCaptures) -> [UInt8]? {
    var name: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .text(let bytes): name += bytes
      case .capture(let capture, let offset):
        guard let bytes = captures[capture] else { return nil }
        guard offset != 0 else {
          name += bytes
          continue
        }
        guard let number = Int(String(decoding: bytes, as: UTF8.self)), number + offset >= 0 else { return nil }
        name += Array("\(number + offset)".utf8)
      }
    }
    return name
  }
}

/// A stretch of text, or what stands in braces.
private struct BracedPiece {
  var bytes: [UInt8]
  var isBraced: Bool
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

private func braced(_ text: String) throws(FormatError) -> [BracedPiece] {
  var pieces: [BracedPiece] = []
  var current: [UInt8] = []
  var isBraced = false
  for byte in text.utf8 {
    switch byte {
    case 0x7B where !isBraced:
      if !current.isEmpty { pieces.append(BracedPiece(bytes: current, isBraced: false)) }
      current = []
      isBraced = true
    case 0x7D where isBraced:
      pieces.append(BracedPiece(bytes: current, isBraced: true))
      current = []
      isBraced = false
    case 0x7B, 0x7D: throw contractError("expected braces in pairs, found \(brief(text))")
    default: current.append(byte)
    }
  }
  guard !isBraced else { throw contractError("expected braces in pairs, found \(brief(text))") }
  if !current.isEmpty { pieces.append(BracedPiece(bytes: current, isBraced: false)) }
  return pieces
}

private func isCaptureName(_ name: String) -> Bool {
  !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7A).contains($0) }
}

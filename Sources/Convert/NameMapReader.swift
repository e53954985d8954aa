import ERIFormat

extension NameMap {
  /// Parses a map's lines.
  /// - Throws: `FormatError` `.invalid` with the place and the line.
  init(_ bytes: [UInt8], at place: String) throws(FormatError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FormatError(.invalid, at: place, "expected a map in UTF-8, found other bytes")
    }
    for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      do throws(FormatError) { try read(line: String(Substring(line))) } catch {
        throw error.inside("line \(index + 1)").inside(place)
      }
    }
    guard !rules.isEmpty else { throw FormatError(.invalid, at: place, "expected a map with rules, found none") }
  }

  private mutating func read(line: String) throws(FormatError) {
    let words = line.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map { String(Substring($0)) }
    guard let word = words.first, !word.utf8.starts(with: "#".utf8) else { return }
    let rest = Array(words.dropFirst())
    let text = joined(words, separator: " ")
    if word != "map" { lines.append(text) }
    switch word {
    case "map": name = try one(rest, "a map's name")
    case "under": places.append(try one(rest, "a prefix"))
    case "note": notes.append(joined(rest, separator: " "))
    case "strip": strips.append(try one(rest, "a prefix"))
    case "fill":
      guard rest.count == 2, let value = Float(rest[0]), value.isFinite else {
        throw contractError("expected fill VALUE PATTERN, found \(brief(text))")
      }
      fills.append(Fill(value: value, pattern: try NamePattern(rest[1]), text: text))
    case "keep", "drop":
      let pattern = try NamePattern(try one(rest, "a pattern"))
      let action = word == "drop" ? Action.drop : .rename(try NameMap.itself(pattern))
      rules.append(Rule(pattern: pattern, action: action, text: text, word: word))
    case "rename", "transpose", "split", "merge", "alias":
      rules.append(try NameMap.rule(word, rest, text))
    default:
      throw contractError(
        "expected map, under, note, strip, keep, rename, transpose, split, merge, alias, drop or fill, found "
          + brief(word))
    }
  }

  private func one(_ words: [String], _ what: String) throws(FormatError) -> String {
    guard words.count == 1 else { throw contractError("expected \(what), found \(counted(words.count, "word"))") }
    return words[0]
  }

  /// The template that gives a pattern's own name back.
  private static func itself(_ pattern: NamePattern) throws(FormatError) -> NameTemplate {
    let text = joined(
      pattern.pieces.map { piece in
        switch piece {
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .number(let name), .part(let name), .any(let name): "{\(name)}"
        }
      }, separator: "")
    return try NameTemplate(text, capturedBy: pattern)
  }

  /// A rule of the form LEFT, … -> RIGHT, …
  private static func rule(_ word: String, _ words: [String], _ text: String) throws(FormatError) -> Rule {
    let sides = words.split(separator: "->", omittingEmptySubsequences: false).map { side in
      side.map { $0.utf8.last == 0x2C ? String($0.dropLast()) : $0 }
    }
    guard sides.count == 2, var left = sides.first.map({ Array($0) }), let right = sides.last, !right.isEmpty else {
      throw contractError("expected \(word) PATTERN -> NAME, found \(brief(text))")
    }
    var axes: [Int]?
    if word == "transpose", left.count == 2 {
      axes = try permutation(left.removeFirst())
    }
    guard let first = left.first, word == "merge" ? left.count >= 2 : left.count == 1,
      word == "split" ? right.count >= 2 : right.count == 1
    else {
      throw contractError("expected \(word) PATTERN -> NAME, found \(brief(text))")
    }
    let pattern = try NamePattern(first)
    let targets = try right.map { (name) throws(FormatError) in try NameTemplate(name, capturedBy: pattern) }
    let action: Action
    switch word {
    case "rename": action = .rename(targets[0])
    case "transpose": action = .transpose(axes, targets[0])
    case "split": action = .split(targets)
    case "merge":
      action = .merge(
        with: try left.dropFirst().map { (name) throws(FormatError) in
          try NameTemplate(name, capturedBy: pattern)
        }, targets[0])
    default: action = .alias(of: targets[0])
    }
    return Rule(pattern: pattern, action: action, text: text, word: word)
  }

  /// "3,2,0,1" as axes, each of them once.
  private static func permutation(_ text: String) throws(FormatError) -> [Int] {
    let axes = text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).map { Int(String(Substring($0))) }
    let known = axes.compactMap { $0 }
    guard known.count == axes.count, known.count <= Limits.rank, known.sorted() == Array(0..<known.count) else {
      throw contractError("expected every axis once, as in 3,2,0,1, found \(brief(text))")
    }
    return known
  }
}

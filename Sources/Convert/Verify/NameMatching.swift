import ERIFormat

/// Which tensors of two sides belong together: those of one name, then those whose names differ by a change that explains several
/// of them, then those of the same values.
package struct NameMatching: Sendable {
  /// What the matching asks of a tensor.
  struct Key {
    let name: String
    let shape: [Int]
    /// Type, shape and digest of the values.
    let content: String
  }

  /// Tensors that B has under another name.
  package struct Renaming: Sendable {
    /// The names in A and in B, `*` for what they share.
    package let a: String
    package let b: String
    /// Indices of the tensors of A and of B.
    package let pairs: [(a: Int, b: Int)]
    fileprivate let change: Change
  }

  /// A change of names: another beginning, or another last part.
  fileprivate enum Change: Hashable {
    case head(String, String)
    case tail(String, String)
    case whole(String, String)

    /// The name in B of a tensor of A, or nil where the change does not apply.
    func callAsFunction(_ name: String) -> String? {
      switch self {
      case .head(let a, let b):
        guard name.utf8.starts(with: a.utf8) else { return nil }
        return b + String(decoding: name.utf8.dropFirst(a.utf8.count), as: UTF8.self)
      case .tail(let a, let b):
        guard name.utf8.count > a.utf8.count, name.hasSuffix(a) else { return nil }
        return String(decoding: name.utf8.dropLast(a.utf8.count), as: UTF8.self) + b
      case .whole(let a, let b): return name == a ? b : nil
      }
    }

    /// For a stable order among changes that explain as much.
    var text: String {
      switch self {
      case .head(let a, let b): "0\(a)\u{0}\(b)"
      case .tail(let a, let b): "1\(a)\u{0}\(b)"
      case .whole(let a, let b): "2\(a)\u{0}\(b)"
      }
    }
  }

  /// Of one name.
  package private(set) var pairs: [(a: Int, b: Int)] = []
  package private(set) var renamings: [Renaming] = []
  package private(set) var onlyA: [Int] = []
  package private(set) var onlyB: [Int] = []

  init(_ a: [String], _ b: [String], keys: (Side, Int) throws(FormatError) -> Key) throws(FormatError) {
    // By bytes, as names are told apart: Swift's strings are equal when only their normal forms are.
    var indexInB: [[UInt8]: Int] = [:]
    for (index, name) in b.enumerated() { indexInB[Array(name.utf8)] = index }
    var isMatched = [Bool](repeating: false, count: b.count)
    for (index, name) in a.enumerated() {
      if let other = indexInB[Array(name.utf8)] {
        pairs.append((index, other))
        isMatched[other] = true
      } else {
        onlyA.append(index)
      }
    }
    onlyB = b.indices.filter { !isMatched[$0] }
    guard !onlyA.isEmpty, !onlyB.isEmpty else { return }
    var keysA: [Int: Key] = [:]
    var keysB: [Int: Key] = [:]
    for index in onlyA { keysA[index] = try keys(.a, index) }
    for index in onlyB { keysB[index] = try keys(.b, index) }
    matchRenamed(keysA, keysB)
  }

  package typealias Side = ValueExplanation.Side

  /// A's name for what B calls so, as far as a change of names explains it.
  func nameInA(_ name: String) -> String? {
    for renaming in renamings {
      switch renaming.change {
      case .head(let a, let b): if let found = Change.head(b, a)(name) { return found }
      case .tail(let a, let b): if let found = Change.tail(b, a)(name) { return found }
      case .whole(let a, let b): if let found = Change.whole(b, a)(name) { return found }
      }
    }
    return nil
  }

  private mutating func matchRenamed(_ keysA: [Int: Key], _ keysB: [Int: Key]) {
    for change in NameMatching.ranked(votes(keysA, keysB) { $0.content }) { accept(change, keysA, keysB, .content) }
    // A block that was trained further keeps its shapes alone.
    for change in NameMatching.ranked(votes(keysA, keysB) { shapeText($0.shape) }) {
      if case .head = change { accept(change, keysA, keysB, .shapes) }
    }
    // A prefix shows in the names alone, whatever the values are.
    var votes: [Change: Int] = [:]
    var indexOfB: [String: Int] = [:]
    for index in onlyB { if let name = keysB[index]?.name { indexOfB[name] = index } }
    for index in onlyA {
      guard let name = keysA[index]?.name else { continue }
      for head in NameMatching.heads(name)
      where indexOfB[String(decoding: name.utf8.dropFirst(head.utf8.count), as: UTF8.self)] != nil {
        votes[.head(head, ""), default: 0] += 1
      }
    }
    var indexOfA: Set<String> = []
    for index in onlyA { if let name = keysA[index]?.name { indexOfA.insert(name) } }
    for index in onlyB {
      guard let name = keysB[index]?.name else { continue }
      for head in NameMatching.heads(name)
      where indexOfA.contains(String(decoding: name.utf8.dropFirst(head.utf8.count), as: UTF8.self)) {
        votes[.head("", head), default: 0] += 1
      }
    }
    let enough = max(1, (min(onlyA.count, onlyB.count) + 1) / 2)
    for change in NameMatching.ranked(votes.filter { $0.value >= enough }) {
      accept(change, keysA, keysB, .names)
    }
  }

  /// How often a change takes a tensor of A to one of B that looks the same.
  private func votes(_ keysA: [Int: Key], _ keysB: [Int: Key], by look: (Key) -> String) -> [Change: Int] {
    var votes: [Change: Int] = [:]
    var byLook: [String: [String]] = [:]
    for index in onlyB { if let key = keysB[index] { byLook[look(key), default: []].append(key.name) } }
    for index in onlyA {
      guard let key = keysA[index] else { continue }
      // Many tensors of zeros or ones look alike: a few of them say enough.
      for name in (byLook[look(key)] ?? []).prefix(NameMatching.candidates) {
        votes[NameMatching.change(key.name, name), default: 0] += 1
      }
    }
    return votes
  }

  /// What a change of names must rest on.
  private enum Evidence { case content, shapes, names }

  /// Tensors of the same content that are looked at for each.
  private static let candidates = 32
  /// Changes that are tried.
  private static let tries = 512

  private static func ranked(_ votes: [Change: Int]) -> [Change] {
    let order = votes.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.text < $1.key.text }
    return order.prefix(tries).map { $0.key }
  }

  /// Takes out the tensors that a change explains, if there is evidence for it.
  private mutating func accept(_ change: Change, _ keysA: [Int: Key], _ keysB: [Int: Key], _ evidence: Evidence) {
    var indexOfB: [String: Int] = [:]
    for index in onlyB { if let name = keysB[index]?.name { indexOfB[name] = index } }
    var found: [(a: Int, b: Int)] = []
    var equal = 0
    var shaped = 0
    for index in onlyA {
      guard let key = keysA[index], let name = change(key.name), let other = indexOfB[name] else { continue }
      found.append((index, other))
      if key.content == keysB[other]?.content { equal += 1 }
      if key.shape == keysB[other]?.shape { shaped += 1 }
    }
    let isAccepted: Bool =
      switch evidence {
      // Where most differ, the names agree by chance.
      case .content: 2 * equal >= found.count
      case .shapes: found.count > 1 && shaped == found.count
      case .names: true
      }
    guard !found.isEmpty, isAccepted else { return }
    let takenA = Set(found.map { $0.a })
    let takenB = Set(found.map { $0.b })
    onlyA.removeAll { takenA.contains($0) }
    onlyB.removeAll { takenB.contains($0) }
    let names = found.map { (keysA[$0.a]?.name ?? "", keysB[$0.b]?.name ?? "") }
    let (a, b) = NameMatching.pattern(names, change)
    renamings.append(Renaming(a: a, b: b, pairs: found, change: change))
  }

  /// The change that takes one name to the other.
  private static func change(_ a: String, _ b: String) -> Change {
    let (x, y) = (parts(a), parts(b))
    var shared = 0
    while shared < min(x.count, y.count), x[x.count - 1 - shared] == y[y.count - 1 - shared] { shared += 1 }
    if shared > 0 {
      return .head(x.dropLast(shared).joined(), y.dropLast(shared).joined())
    }
    if x.count == y.count, x.count > 1, x.dropLast() == y.dropLast(), let from = x.last, let to = y.last {
      return .tail(from, to)
    }
    return .whole(a, b)
  }

  /// Every beginning of a name that ends at a dot or a slash.
  private static func heads(_ name: String) -> [String] {
    let parts = parts(name)
    return (1..<max(parts.count, 1)).map { parts[..<$0].joined() }
  }

  /// The parts of a name, each but the last with the dot or slash behind it.
  private static func parts(_ name: String) -> [String] {
    var parts: [String] = []
    var part: [UInt8] = []
    for byte in name.utf8 {
      part.append(byte)
      if byte == 0x2E || byte == 0x2F {
        parts.append(String(decoding: part, as: UTF8.self))
        part = []
      }
    }
    parts.append(String(decoding: part, as: UTF8.self))
    return parts
  }

  /// The names of a renaming in one line: all that they begin with, or end with, and `*`.
  private static func pattern(_ names: [(String, String)], _ change: Change) -> (String, String) {
    if names.count == 1 { return names[0] }
    switch change {
    case .head: return (common(names.map { $0.0 }) + "*", common(names.map { $0.1 }) + "*")
    case .tail(let a, let b):
      return (common(names.map { $0.0 }) + "*." + a, common(names.map { $0.1 }) + "*." + b)
    case .whole(let a, let b): return (a, b)
    }
  }

  /// The parts that all names begin with.
  private static func common(_ names: [String]) -> String {
    guard var shared = names.first.map({ parts($0).dropLast() }) else { return "" }
    for name in names {
      let others = parts(name)
      while shared.count > others.count - 1 || !zip(shared, others).allSatisfy({ $0 == $1 }) { shared.removeLast() }
    }
    return shared.joined()
  }
}

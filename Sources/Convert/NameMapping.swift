import ERIFormat

/// What a map's rules make of a list of names.
struct NameMapping {
  /// Where the values of one of the network's tensors come from.
  enum Part: Equatable {
    case whole
    case transposed([Int]?)
    case part(Int, of: Int)
    case joined
  }

  struct Assignment {
    /// The network's tensor, its place included.
    let target: [UInt8]
    /// Indices of the source's tensors.
    let sources: [Int]
    let part: Part
    let rule: Int
  }

  struct Other {
    let source: Int
    /// The tensor that it must equal; nil: it is dropped.
    let twin: Int?
    let rule: Int
  }

  private(set) var assignments: [Assignment] = []
  private(set) var others: [Other] = []
  /// Names that no rule explains.
  private(set) var unexplained: [Int] = []

  /// Applies the rules of a map.
  /// - Parameters:
  ///   - names: of the source, without what was taken off them.
  ///   - place: what stands before the names on a rule's right.
  init(_ map: NameMap, to names: [[UInt8]], place: String) {
    let place = Array(place.utf8)
    let names = names.map { NameMapping.stripped($0, map.strips) }
    var indices: [[UInt8]: Int] = [:]
    for (index, name) in names.enumerated() where indices[name] == nil { indices[name] = index }
    let joined = NameMapping.joined(map, names, indices, place)
    for assignment in joined { assignments.append(assignment) }
    let taken = Set(joined.flatMap(\.sources))
    for (index, name) in names.enumerated() where !taken.contains(index) {
      guard let (rule, captures) = NameMapping.rule(for: name, in: map) else {
        unexplained.append(index)
        continue
      }
      func assign(_ template: NameTemplate, _ part: Part) {
        guard let target = template.filled(captures) else { return }
        assignments.append(Assignment(target: place + target, sources: [index], part: part, rule: rule))
      }
      let count = assignments.count + others.count
      switch map.rules[rule].action {
      case .rename(let template): assign(template, .whole)
      case .transpose(let axes, let template): assign(template, .transposed(axes))
      case .split(let templates):
        for (part, template) in templates.enumerated() { assign(template, .part(part, of: templates.count)) }
      case .merge: break
      case .alias(let template):
        if let twin = template.filled(captures).flatMap({ indices[$0] }) {
          others.append(Other(source: index, twin: twin, rule: rule))
        }
      case .drop: others.append(Other(source: index, twin: nil, rule: rule))
      }
      if assignments.count + others.count == count { unexplained.append(index) }
    }
  }

  /// The name without the prefixes of the map that it begins with, each taken once, in order.
  private static func stripped(_ name: [UInt8], _ prefixes: [String]) -> [UInt8] {
    var name = name[...]
    for prefix in prefixes where name.starts(with: prefix.utf8) && name.count > prefix.utf8.count {
      name = name.dropFirst(prefix.utf8.count)
    }
    return Array(name)
  }

  /// The first rule that fits a name.
  private static func rule(for name: [UInt8], in map: NameMap) -> (Int, NameCaptures)? {
    for (index, rule) in map.rules.enumerated() {
      if let captures = rule.pattern.match(name) { return (index, captures) }
    }
    return nil
  }

  /// What merging rules put together, where all parts are there.
  private static func joined(
    _ map: NameMap, _ names: [[UInt8]], _ indices: [[UInt8]: Int], _ place: [UInt8]
  ) -> [Assignment] {
    guard map.rules.contains(where: { if case .merge = $0.action { true } else { false } }) else { return [] }
    var assignments: [Assignment] = []
    for (index, name) in names.enumerated() {
      guard let (rule, captures) = rule(for: name, in: map),
        case .merge(let others, let template) = map.rules[rule].action
      else { continue }
      let sources = others.map { $0.filled(captures).flatMap { indices[$0] } }
      guard let target = template.filled(captures), !sources.contains(where: { $0 == nil }) else { continue }
      assignments.append(
        Assignment(target: place + target, sources: [index] + sources.compactMap { $0 }, part: .joined, rule: rule))
    }
    return assignments
  }
}

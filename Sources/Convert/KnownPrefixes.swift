import ERIFormat

/// What frameworks put before a model's own names.
enum KnownPrefixes {
  /// Dictionaries that a state dictionary stands in; what stands beside them keeps its name.
  private static let dictionaries = [
    "state_dict/", "model_state_dict/", "model_state/", "model/", "net/", "network/", "params/", "weights/",
  ]
  /// Modules around the model, which every name bears: DataParallel, torch.compile, Lightning and others.
  private static let modules = ["module.", "_orig_mod.", "model.", "net.", "backbone.", "encoder."]
  /// As many as are put around each other.
  private static let depth = 6

  /// Names without the known prefixes, and which were taken off, outermost first.
  static func stripped(_ names: [[UInt8]]) -> (names: [[UInt8]], prefixes: [String]) {
    var names = names
    var prefixes: [String] = []
    var inside = Array(names.indices)
    while prefixes.count < depth {
      guard let (prefix, bearers) = next(names, inside) else { break }
      for index in bearers { names[index].removeFirst(prefix.utf8.count) }
      prefixes.append(prefix)
      inside = bearers
    }
    return (names, prefixes)
  }

  private static func next(_ names: [[UInt8]], _ inside: [Int]) -> (String, [Int])? {
    for prefix in dictionaries {
      let bearers = inside.filter { bears(names[$0], prefix) }
      if !bearers.isEmpty { return (prefix, bearers) }
    }
    for prefix in modules where !inside.isEmpty && inside.allSatisfy({ bears(names[$0], prefix) }) {
      return (prefix, inside)
    }
    return nil
  }

  private static func bears(_ name: [UInt8], _ prefix: String) -> Bool {
    name.count > prefix.utf8.count && name.starts(with: prefix.utf8)
  }

  /// The prefixes, up to a `.` or `/`, that all names share, longest first.
  static func shared(_ names: [[UInt8]]) -> [String] {
    guard let first = names.first, names.count > 1 else { return [] }
    var common = first[...]
    for name in names {
      let length = zip(common, name).prefix { $0 == $1 }.count
      common = common.prefix(length)
    }
    var prefixes: [String] = []
    for end in common.indices.reversed() where common[end] == 0x2E || common[end] == 0x2F {
      if names.allSatisfy({ $0.count > end + 1 }) {
        prefixes.append(String(decoding: common[...end], as: UTF8.self))
      }
    }
    return prefixes
  }
}

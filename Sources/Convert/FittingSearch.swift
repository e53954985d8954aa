import ERIFormat

/// Tries every map, place and prefix on a checkpoint's names.
struct FittingSearch {
  /// The first candidate that explains all names, or else the one that leaves the fewest unexplained.
  let best: Candidate

  /// - Parameter maps: at least one, in the order of preference.
  init?(_ sources: [Tensor], _ targets: FittingTargets, maps: [NameMap]) {
    let raw = sources.map { Array($0.name.utf8) }
    let (stripped, prefixes) = KnownPrefixes.stripped(raw)
    var variants: [(names: [[UInt8]], prefixes: [String], guess: String?)] = [(raw, [], nil)]
    if !prefixes.isEmpty { variants.append((stripped, prefixes, nil)) }
    for prefix in KnownPrefixes.shared(stripped) {
      variants.append((stripped.map { Array($0.dropFirst(prefix.utf8.count)) }, prefixes, prefix))
    }
    var best: Candidate?
    for variant in variants {
      // A guess is worth telling only where nothing that is known explains the names.
      if variant.guess != nil, best?.faultCount == 0 { break }
      for map in maps {
        for place in [""] + map.places {
          let candidate = Candidate(
            map, place: place, names: variant.names, prefixes: variant.prefixes, guess: variant.guess, sources: sources,
            targets: targets)
          if best.map({ candidate.faultCount < $0.faultCount }) ?? true { best = candidate }
        }
      }
    }
    guard let best else { return nil }
    self.best = best
  }

  /// Whether the candidate may be taken without asking.
  var isExplained: Bool { best.faultCount == 0 && best.guess == nil }
}

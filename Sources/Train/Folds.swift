import ERIFormat

/// Divides samples into parts for a cross-validation.
package enum Folds {
  /// For each part, which of the numbered samples are in it.
  ///
  /// Samples, or subjects with all their samples, are shuffled by the seed and dealt out in turn; a subject goes to the part that has
  /// fewest samples so far.
  /// - Throws: `TrainError` if there are fewer units than parts, or a sample without a subject where subjects are kept together.
  package static func parts(
    _ count: Int, of numbers: [Int], in samples: [Sample], by unit: TrainingSettings.FoldUnit, seed: UInt64
  ) throws(TrainError) -> [[Int]] {
    var groups: [[Int]] = []
    switch unit {
    case .clip: groups = numbers.map { [$0] }
    case .subject:
      var places: [String: Int] = [:]
      for sample in numbers {
        guard let subject = samples[sample].subject else {
          throw TrainError(
            .invalid,
            "clip \(samples[sample].id): expected a subject to keep its clips in one fold, found none; use --fold-by clip"
          )
        }
        if let place = places[subject] {
          groups[place].append(sample)
        } else {
          places[subject] = groups.count
          groups.append([sample])
        }
      }
    }
    guard groups.count >= count else {
      throw TrainError(
        .invalid, "--folds: expected at most \(groups.count), one \(unit.rawValue) each, found \(count)")
    }
    var random = SeededRandom(seed: seed, stream: "folds")
    random.shuffle(&groups)
    var parts = [[Int]](repeating: [], count: count)
    for group in groups {
      let smallest = parts.indices.min { (parts[$0].count, $0) < (parts[$1].count, $1) } ?? 0
      parts[smallest] += group
    }
    return parts.map { $0.sorted() }
  }
}

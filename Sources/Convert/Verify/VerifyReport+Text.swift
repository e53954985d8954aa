import ERIFormat

extension VerifyReport {
  /// The report in lines; the last one is the verdict.
  package var text: String {
    var lines = [line("A", a), line("B", b)]
    lines += notes.map { "note: \($0)" }
    lines += weightLines
    if let graph { lines += graph.lines }
    if let dropIn { lines.append(dropIn.text) }
    lines.append(verdictLine)
    return joined(lines, separator: "\n")
  }

  /// "the same under fp32", or why not.
  var verdictLine: String {
    isSame
      ? "the same under \(policy.rawValue)"
      : "different under \(policy.rawValue): " + joined(differences, separator: ", ")
  }

  private func line(_ letter: String, _ side: Side) -> String {
    "\(letter): \(side.path): \(side.container.rawValue), \(counted(side.tensors, "tensor"))"
      + (side.hasGraph ? " and a graph" : "") + ", weights sha256 \(side.weights.text)"
  }

  /// Renamed blocks, differing tensors, then what only one side has; long lists cut, and said to be.
  private var weightLines: [String] {
    var counts: [String] = []
    for (verdict, words) in [
      (WeightComparison.Pair.Verdict.bitEqual, "bit-equal"), (.sameNumbers, "the same numbers"),
      (.different, "different"),
    ] {
      let count = weights.pairs.filter { $0.verdict == verdict }.count
      if count > 0 { counts.append("\(count) \(words)") }
    }
    var lines = ["tensors: " + (counts.isEmpty ? "none in both" : joined(counts, separator: ", "))]
    lines += weights.renamed.map { "  renamed: \($0.sentence)" }
    let changed = weights.pairs.filter { $0.verdict != .bitEqual }
    lines += VerifyReport.cut(changed.map { "  \($0.name): \($0.sentence)" })
    for (letter, entries) in [("A", weights.onlyA), ("B", weights.onlyB)] where !entries.isEmpty {
      lines.append("only in \(letter):")
      lines += VerifyReport.cut(
        entries.map { "  \($0.tensor.name) \($0.tensor.dtype.name) \(shapeText($0.tensor.shape))" })
    }
    return lines
  }

  /// Lines of a list that a reader can take in, and how many were left out.
  static func cut(_ lines: [String]) -> [String] {
    let limit = 40
    guard lines.count > limit else { return lines }
    return lines.prefix(limit) + ["  and \(lines.count - limit) more; --json lists them all"]
  }
}

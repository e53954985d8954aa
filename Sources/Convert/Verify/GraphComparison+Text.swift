import ERIFormat

extension GraphComparison {
  /// The comparison in lines.
  var lines: [String] {
    var lines = ["graph: " + summary]
    lines += notes.map { "  note: \($0)" }
    lines += VerifyReport.cut(attributes.map { "  attributes of \($0)" })
    if let divergence {
      lines += divergence.lines
    } else if faults.isEmpty, !rows.isEmpty {
      lines.append("  no operator of B diverges from A's on the same inputs")
    }
    lines += rows.filter { $0.isOutput }.map { "  output \($0.name): \($0.cumulativeSentence)" }
    return lines
  }

  /// How much was compared, on what.
  private var summary: String {
    let given = joined(inputs.map { "\($0.name) \(shapeText($0.shape))" }, separator: ", ")
    if !faults.isEmpty { return joined(faults, separator: "; ") }
    return "\(counted(rows.count, "value")) compared on \(given)"
  }
}

extension GraphComparison.Divergence {
  /// Where, who is wrong, and what would make the difference vanish.
  var lines: [String] {
    var lines = ["  first divergent operator: \(row.place): \(row.isolatedSentence)", "    \(judgement)"]
    if let cause = causes.first {
      lines.append("    cause: \(cause.sentence)")
      lines += causes.dropFirst().map { "    or: \($0.sentence)" }
    } else {
      lines.append("    cause: no simple change of B makes the difference vanish")
    }
    return lines
  }
}

extension GraphComparison.Row {
  /// The difference of this operator alone.
  var isolatedSentence: String {
    if let fault { return fault }
    guard let isolated else { return "not run by itself" }
    return "\(figure(isolated)) of the largest value apart on A's inputs, allowed \(figure(allowed))"
  }

  /// The difference of the whole runs up to here.
  var cumulativeSentence: String {
    if shapeA != shapeB { return "\(shapeText(shapeA)) in A, \(shapeText(shapeB)) in B" }
    guard let cumulative else { return "not computed" }
    var text = "\(figure(cumulative)) of the largest value apart"
    if let a = cumulativeErrorA, let b = cumulativeErrorB {
      text += "; A is \(figure(a)) and B \(figure(b)) from its own run in Double"
    }
    return text
  }
}

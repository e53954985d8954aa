import ERIFormat

extension FittingSearch {
  private static let mentions = 5

  /// The sentence for names that no map explains.
  /// - Parameter proposal: what would explain them.
  func failure(
    _ sources: [Tensor], _ target: FittingTarget, _ targets: FittingTargets, proposal: MapProposal
  ) -> FormatError {
    let weights = targets.tensors.filter { $0.role == .weight }.count
    var parts: [String] = []
    func part(_ names: [String], _ what: String) {
      guard !names.isEmpty else { return }
      let shown = joined(names.prefix(FittingSearch.mentions).map { "\"\(brief($0))\"" }, separator: ", ")
      let more = names.count > FittingSearch.mentions ? " and \(names.count - FittingSearch.mentions) more" : ""
      parts.append("\(names.count) \(what) (\(shown)\(more))")
    }
    part(best.missing.map { targets.tensors[$0].name }, "missing")
    part(best.unexpected.map { sources[$0].name }, "unexpected")
    part(best.doubled.map { targets.tensors[$0].name }, "given twice")
    let misfits = best.misfits.map { misfit in
      let source = sources[best.mapping.assignments[misfit.assignment].sources[0]]
      let wanted = targets.tensors[misfit.target]
      return "\"\(brief(source.name))\" \(shapeText(source.shape)) for \(shapeText(wanted.shape))"
    }
    if !misfits.isEmpty {
      let more = misfits.count > FittingSearch.mentions ? " and \(misfits.count - FittingSearch.mentions) more" : ""
      parts.append(
        "\(misfits.count) of another shape "
          + "(\(joined(Array(misfits.prefix(FittingSearch.mentions)), separator: ", "))\(more))")
    }
    var text =
      "expected the \(counted(weights, "weight")) of \(target.name), found by the closest map, \(best.map.name), "
    text += parts.isEmpty ? "all of them under another name" : joined(parts, separator: ", ")
    if !proposal.causes.isEmpty { text += "; likely " + joined(Array(proposal.causes.prefix(4)), separator: ", and ") }
    text += "; --propose-map FILE writes a map to look through and to give with --map"
    return FormatError(.invalid, at: "", text)
  }
}

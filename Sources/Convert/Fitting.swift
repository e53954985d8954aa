package import ERIFormat

/// A checkpoint's tensors as the weights of a network: names mapped, every shape and type checked, every step told.
package struct Fitting: Sendable {
  /// What one rule did.
  package struct Step: Sendable {
    /// "rename", "drop", …
    package let action: String
    /// The rule and to how many tensors it applied.
    package let summary: String
    /// Each tensor: its name, and where it went.
    package let items: [String]
  }

  package let model: Model
  package let steps: [Step]

  /// Fits a checkpoint.
  /// - Parameters:
  ///   - sources: the checkpoint's tensors but optimiser state, floating-point ones cast already if that was asked for.
  ///   - first: how the lineage of the result goes on: where the tensors come from.
  /// - Throws: `FormatError` `.invalid` without the checkpoint's path, for tensors of another type and for aliases and
  ///   constants of other values.
  init(
    _ candidate: Candidate, _ sources: [Tensor], to target: FittingTarget, first: LineageStep
  ) throws(FormatError) {
    let targets = target.targets
    try Fitting.checkTypes(candidate, sources, targets)
    try Fitting.checkAliases(candidate, sources)
    var model = target.base
    for (place, wanted) in targets.tensors.enumerated() {
      let index = target.chosen[place]
      if let given = candidate.given[place] {
        let values = Fitting.values(candidate.mapping.assignments[given], sources)
        guard wanted.role == .constant else {
          model.tensors[index].values = values
          continue
        }
        var found = wanted
        found.values = values
        guard try found.digest() == wanted.digest() else {
          throw FormatError(
            .invalid, at: "tensor \"\(wanted.name)\"",
            "expected the constant that the network has, found other values; set the parameter that decides it with --set"
          )
        }
      } else if let fill = candidate.filled[place] {
        let count = wanted.elementCount ?? 0
        let floats = [Float](repeating: candidate.map.fills[fill].value, count: count)
        model.tensors[index].values = .bytes(floats.withUnsafeBytes { [UInt8]($0) })
      }
    }
    steps = Fitting.steps(candidate, sources, targets)
    if !target.isModel { model.lineage = [] }
    model.lineage.append(first)
    for step in steps {
      model.lineage.append(LineageStep(action: step.action, detail: Fitting.detail(step)))
    }
    self.model = model
  }

  /// The summary and as many of the tensors as a text of lineage bears.
  private static func detail(_ step: Step) -> String {
    var text = step.summary
    for (index, item) in step.items.enumerated() {
      guard text.utf8.count + item.utf8.count < 65_000 else { return text + ", …" }
      text += (index == 0 ? ": " : ", ") + item
    }
    return text
  }

  private static func values(_ assignment: NameMapping.Assignment, _ sources: [Tensor]) -> TensorValues {
    let source = sources[assignment.sources[0]]
    switch assignment.part {
    case .whole: return source.values
    case .transposed(let axes):
      return .source(PermutedSource(source, axes: axes ?? source.shape.indices.reversed()))
    case .part(let index, _): return .source(PartSource(source, part: index))
    case .joined: return .source(JoinedSource(assignment.sources.map { sources[$0] }))
    }
  }

  private static func checkTypes(
    _ candidate: Candidate, _ sources: [Tensor], _ targets: FittingTargets
  ) throws(FormatError) {
    for (place, wanted) in targets.tensors.enumerated() {
      guard let given = candidate.given[place] else { continue }
      for index in candidate.mapping.assignments[given].sources where sources[index].dtype != wanted.dtype {
        let found = sources[index].dtype
        let isCast = wanted.dtype == .f32 && found.isFloat
        throw FormatError(
          .invalid, at: "tensor \"\(brief(sources[index].name))\"",
          "expected \(wanted.dtype.name), with which the network computes, found \(found.name); "
            + (isCast ? "cast it with --store f32" : "nothing casts it"))
      }
    }
  }

  private static func checkAliases(_ candidate: Candidate, _ sources: [Tensor]) throws(FormatError) {
    for other in candidate.mapping.others {
      guard let twin = other.twin else { continue }
      let (a, b) = (sources[other.source], sources[twin])
      guard a.dtype == b.dtype, a.shape == b.shape, try a.digest() == b.digest() else {
        throw FormatError(
          .invalid, at: "tensor \"\(brief(a.name))\"",
          "expected the values of \"\(brief(b.name))\", of which it is another name, found others; "
            + "say with a map of your own which of them counts")
      }
    }
  }

  /// A name as a list has it, which leaves nothing out.
  private static func whole(_ name: String) -> String { brief(name, limit: Limits.nameBytes) }

  private static func steps(_ candidate: Candidate, _ sources: [Tensor], _ targets: FittingTargets) -> [Step] {
    var items = [[String]](repeating: [], count: candidate.map.rules.count)
    for assignment in candidate.mapping.assignments {
      let from = joined(assignment.sources.map { whole(sources[$0].name) }, separator: " + ")
      let to = whole(String(decoding: assignment.target, as: UTF8.self))
      items[assignment.rule].append(from == to ? from : "\(from) -> \(to)")
    }
    for other in candidate.mapping.others { items[other.rule].append(whole(sources[other.source].name)) }
    var steps: [Step] = []
    if !candidate.prefixes.isEmpty {
      let count = zip(sources, candidate.names).filter { $0.name.utf8.count != $1.count }.count
      let prefix = joined(candidate.prefixes, separator: "")
      steps.append(Step(action: "strip", summary: "strip \(prefix): \(counted(count, "name"))", items: []))
    }
    for prefix in candidate.map.strips {
      let count = candidate.names.filter { $0.starts(with: prefix.utf8) }.count
      guard count > 0 else { continue }
      steps.append(Step(action: "strip", summary: "strip \(prefix): \(counted(count, "name"))", items: []))
    }
    for (rule, items) in zip(candidate.map.rules, items) where !items.isEmpty {
      let left = rule.word == "alias" ? " of equal values left out" : ""
      steps.append(
        Step(
          action: rule.word, summary: "\(rule.text): \(counted(items.count, "tensor"))\(left)", items: items))
    }
    for (index, fill) in candidate.map.fills.enumerated() {
      let filled = candidate.filled.filter { $0.value == index }.keys.sorted()
      guard !filled.isEmpty else { continue }
      steps.append(
        Step(
          action: "fill", summary: "\(fill.text): \(counted(filled.count, "tensor")) that the file lacks",
          items: filled.map { targets.tensors[$0].name }))
    }
    return steps
  }
}

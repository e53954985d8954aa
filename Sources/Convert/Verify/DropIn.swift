package import ERIFormat

/// Whether what runs one model can run another in its place.
package struct DropIn: Sendable {
  /// One thing that must fit, and how it does.
  package struct Answer: Sendable {
    package let subject: String
    package let fits: Bool
    package let sentence: String
  }

  package private(set) var answers: [Answer] = []

  /// Whether everything fits.
  package var fits: Bool { answers.allSatisfy { $0.fits } }

  /// - Throws: `FormatError` if a graph is missing or not valid.
  package init(from a: Model, _ pathA: String, to b: Model, _ pathB: String) throws(FormatError) {
    let first: Program
    let second: Program
    do throws(FormatError) { first = try Program(validating: a) } catch { throw error.inside(pathA) }
    do throws(FormatError) { second = try Program(validating: b) } catch { throw error.inside(pathB) }
    answer("inputs", DropIn.inputFaults(first, second), "B takes every input as A takes it")
    answer("outputs", DropIn.outputFaults(first, second), DropIn.outputSentence(first, second))
    answer("labels", DropIn.labelFaults(a.labels, b.labels), "the labels are the same in the same order")
    answer(
      "preprocessing", DropIn.preprocessingFaults(a.preprocessing, b.preprocessing), "the preprocessing is the same")
    answer("operators", DropIn.operatorFaults(first, second), "B needs no operator that A does not need")
    answer("format", DropIn.formatFaults(a, b), "B needs no newer format and no other feature than A")
  }

  private mutating func answer(_ subject: String, _ faults: [String], _ fits: String) {
    answers.append(
      Answer(subject: subject, fits: faults.isEmpty, sentence: faults.isEmpty ? fits : joined(faults, separator: "; ")))
  }

  private static func input(_ program: Program, _ index: Int) -> Input? {
    if case .input(let input) = program.graph.values[index].source { input } else { nil }
  }

  private static func text(_ program: Program, _ index: Int) -> String {
    "\(program.types[index].dtype.name) \(program.types[index].text(program.graph.symbols))"
  }

  /// Whether only a run tells the type: an output of an operator of ONNX of which the file declares nothing.
  private static func isUnknown(_ program: Program, _ index: Int) -> Bool {
    !program.types[index].isDecided && program.graph.values[index].declared == nil
  }

  /// Whether B takes (or gives) every shape that A does: a symbol's name means nothing, a symbol may stand for a constant.
  private static func fits(_ a: ValueType, _ b: ValueType) -> Bool {
    guard a.isRanked, b.isRanked else { return a.dtype == b.dtype }
    return a.dtype == b.dtype && a.shape.count == b.shape.count
      && zip(a.shape, b.shape).allSatisfy { x, y in
        guard y.constant == nil else { return x.constant == y.constant }
        return x.constant != nil || x.coefficient == y.coefficient && x.symbols.count == y.symbols.count
      }
  }

  private static func omissionText(_ omission: Input.Omission?) -> String {
    switch omission {
    case .filled(let fill): "\(decimal(fill)) if left out"
    case .gated: "switched off if left out"
    case .required, nil: "required"
    }
  }

  private static func inputFaults(_ a: Program, _ b: Program) -> [String] {
    var faults: [String] = []
    for index in a.inputs {
      let name = a.graph.values[index].name
      guard let other = b.inputs.first(where: { b.graph.values[$0].name == name }) else {
        faults.append("B has no input \"\(name)\"")
        continue
      }
      if !fits(a.types[index], b.types[other]) {
        faults.append("input \"\(name)\" is \(text(a, index)) in A, \(text(b, other)) in B")
      }
      let (omission, otherOmission) = (input(a, index)?.omission, input(b, other)?.omission)
      if omission != .required, omission != otherOmission {
        faults.append(
          "input \"\(name)\" is \(omissionText(omission)) in A, \(omissionText(otherOmission)) in B")
      }
    }
    for index in b.inputs where !a.inputs.contains(where: { a.graph.values[$0].name == b.graph.values[index].name }) {
      if input(b, index)?.omission == .required {
        faults.append("B asks for an input \"\(b.graph.values[index].name)\" that A does not have")
      }
    }
    return faults
  }

  private static func outputFaults(_ a: Program, _ b: Program) -> [String] {
    var faults: [String] = []
    for index in a.graph.outputs {
      let name = a.graph.values[index].name
      guard let other = b.graph.outputs.first(where: { b.graph.values[$0].name == name }) else {
        faults.append("B has no output \"\(name)\"")
        continue
      }
      if isUnknown(a, index) || isUnknown(b, other) { continue }
      if !fits(a.types[index], b.types[other]) {
        faults.append("output \"\(name)\" is \(text(a, index)) in A, \(text(b, other)) in B")
      }
    }
    return faults
  }

  /// What is said where every output fits, as far as the files declare them.
  private static func outputSentence(_ a: Program, _ b: Program) -> String {
    var clauses: [String] = []
    for index in a.graph.outputs {
      let name = a.graph.values[index].name
      guard let other = b.graph.outputs.first(where: { b.graph.values[$0].name == name }) else { continue }
      let sides = (isUnknown(a, index) ? ["A"] : []) + (isUnknown(b, other) ? ["B"] : [])
      if !sides.isEmpty {
        clauses.append("the type of \"\(name)\" is not declared in \(joined(sides, separator: " and "))")
      } else if !a.types[index].isRanked || !b.types[other].isRanked {
        clauses.append("of \"\(name)\" only the element type is declared")
      }
    }
    let known = "B gives every output that A gives"
    return clauses.isEmpty ? known : "\(known); \(joined(clauses, separator: ", ")), so only a run tells"
  }

  private static func labelFaults(_ a: [String], _ b: [String]) -> [String] {
    guard a != b else { return [] }
    if a.sorted() == b.sorted() { return ["the labels are the same in another order: \(joined(b, separator: ", "))"] }
    return ["the labels are \(joined(a, separator: ", ")) in A, \(joined(b, separator: ", ")) in B"]
  }

  private static func preprocessingFaults(_ a: Preprocessing, _ b: Preprocessing) -> [String] {
    var faults: [String] = []
    for (what, x, y) in [
      ("video", members(a.video as Any?), members(b.video as Any?)),
      ("audio", members(a.audio as Any?), members(b.audio as Any?)),
    ] where x.map({ $0.value }) != y.map({ $0.value }) {
      guard !x.isEmpty, !y.isEmpty else {
        faults.append("only \(x.isEmpty ? "B" : "A") has preprocessing of \(what)")
        continue
      }
      for (first, second) in zip(x, y) where first.value != second.value {
        faults.append("\(what) \(first.name) is \(brief(first.value)) in A, \(brief(second.value)) in B")
      }
    }
    return faults
  }

  /// The members of a plain structure, none for nil.
  private static func members(_ value: Any?) -> [(name: String, value: String)] {
    guard let value else { return [] }
    return OperatorAttributes.members(value)
  }

  private static func operatorFaults(_ a: Program, _ b: Program) -> [String] {
    var known: Set<String> = []
    for node in a.graph.nodes { known.insert(node.op.label) }
    var faults: [String] = []
    for node in b.graph.nodes where known.insert(node.op.label).inserted {
      let identity = node.op.identity
      faults.append(
        "B needs \(node.op.label) version \(identity.version), which format \(identity.since.text) brought and A does not need"
      )
    }
    return faults
  }

  private static func formatFaults(_ a: Model, _ b: Model) -> [String] {
    guard let first = a.file, let second = b.file else { return [] }
    var faults: [String] = []
    if (second.version.major, second.version.minor) > (first.version.major, first.version.minor) {
      faults.append("B is of format \(second.version.text), A of \(first.version.text)")
    }
    for feature in second.features where !first.features.contains(feature) {
      faults.append("B needs the feature \"\(feature.name)\", which A does not need")
    }
    return faults
  }
}

extension DropIn {
  /// A line per answer.
  package var text: String {
    let lines = answers.map { "  \($0.subject): \($0.fits ? "yes" : "no"), \($0.sentence)" }
    let verdict =
      fits
      ? "drop-in: what runs A can run B in its place"
      : "drop-in: what runs A cannot run B in its place: "
        + joined(answers.filter { !$0.fits }.map { $0.subject }, separator: ", ")
    return joined(lines + [verdict], separator: "\n")
  }

  /// The answers as JSON.
  package func put(into json: inout JSONWriter) {
    json.object { json in
      json.member("fits") { $0.boolean(fits) }
      json.member("answers") { json in
        json.array { json in
          for answer in answers {
            json.object { json in
              json.member("subject") { $0.string(answer.subject) }
              json.member("fits") { $0.boolean(answer.fits) }
              json.member("sentence") { $0.string(answer.sentence) }
            }
          }
        }
      }
    }
  }
}

package import ERIFormat

/// What two graphs compute from the same inputs, value by value.
package struct GraphComparison: Sendable {
  /// How to run the two graphs.
  package struct Options: Sendable {
    /// A folder of NAME.npy; nil: inputs are drawn.
    package var folder: String?
    package var seed: UInt64 = 0
    package var threads = 1
    /// Whether everything is computed in Double, however long that takes.
    package var always = false

    package init() {}
  }

  /// A value of B and its counterpart in A; differences are shares of the largest absolute value.
  package struct Row: Sendable {
    package let name: String
    package let nameInA: String
    /// The node of B: "node 3 (conv stem.out)".
    package let place: String
    package let op: String
    package let shapeA: [Int]
    package let shapeB: [Int]
    package let dtype: DType
    /// Of a single operator under float32, or of those between this value and the matched ones before it.
    package let allowed: Double
    /// The same between two runs in Double.
    var meaningAllowed = OperatorTolerance.meaning
    /// Between A's value and what B's operator makes of A's inputs; infinite where it does not take them.
    package var isolated: Double?
    /// The same in Double: whether the two operators ask for different results.
    package var meaning: Double?
    /// Of each side's own operator, from the same inputs, to its Double run.
    package var isolatedErrorA: Double?
    package var isolatedErrorB: Double?
    /// Between the two runs.
    package var cumulative: Double?
    /// What the operators before it allow together.
    package var cumulativeAllowed: Double
    /// Of each side's whole run to its whole Double run.
    package var cumulativeErrorA: Double?
    package var cumulativeErrorB: Double?
    /// Why B's operator does not take A's inputs.
    package var fault: String?
    package let isOutput: Bool

    /// Whether the two sides part here, apart from what went before.
    package func diverges(under policy: VerifyPolicy) -> Bool {
      if shapeA != shapeB || fault != nil { return true }
      let limit = policy == .int8 ? VerifyPolicy.int8Share : allowed
      if (isolated ?? 0) > limit { return true }
      return policy != .int8 && (meaning ?? 0) > meaningAllowed
    }

    /// Whether an output differs, whatever the reason.
    package func differs(under policy: VerifyPolicy) -> Bool {
      if shapeA != shapeB { return true }
      return (cumulative ?? 0) > (policy == .int8 ? VerifyPolicy.int8Share : cumulativeAllowed)
    }
  }

  /// The first operator at which the two graphs part.
  package struct Divergence: Sendable {
    package let row: Row
    /// Who is wrong, as the Double run decides.
    package let judgement: String
    /// Changes of B that make the difference vanish, the simplest first.
    package var causes: [Cause] = []
    /// B's operator on A's values, A's result as its golden.
    package let slice: GraphSlice?
  }

  package internal(set) var rows: [Row] = []
  package internal(set) var divergence: Divergence?
  /// Why the graphs cannot be run against each other; empty: they can.
  package internal(set) var faults: [String] = []
  package internal(set) var notes: [String] = []
  /// Attributes that differ between operators that belong together, a clause each.
  package internal(set) var attributes: [String] = []
  package let policy: VerifyPolicy
  /// The inputs that both were run on.
  package let inputs: [GivenValue]

  /// Why the policy takes the graphs for different, a clause each.
  package var differences: [String] {
    if !faults.isEmpty { return faults }
    var reasons: [String] = []
    if let divergence, policy != .int8 { reasons.append("first divergent operator \(divergence.row.place)") }
    let outputs = rows.filter { $0.isOutput && $0.differs(under: policy) }
    if !outputs.isEmpty { reasons.append("\(counted(outputs.count, "output")) with other values") }
    return reasons
  }

  /// Runs both graphs.
  /// - Throws: `FormatError` if A's graph is not valid or cannot be run here.
  init(_ a: VerifySide, _ b: VerifySide, _ names: NameMatching, policy: VerifyPolicy, _ options: Options)
    throws(FormatError)
  {
    self.policy = policy
    let programA = try GraphComparison.program(a)
    let programB = try GraphComparison.program(b)
    inputs = try GivenValue.inputs(of: programA, folder: options.folder, seed: options.seed)
    let matching = ValueMatching(programA, programB, names)
    notes = matching.notes
    let first: GraphSide
    do throws(FormatError) { first = try GraphSide(programA, inputs, threads: options.threads) } catch {
      throw error.inside(a.path)
    }
    let forB = inputs(first, matching, programB)
    let second: GraphSide
    do throws(FormatError) { second = try GraphSide(programB, forB, threads: options.threads) } catch {
      guard error.kind != .unsupported else { throw error.inside(b.path) }
      faults.append("B does not take A's inputs: \(error.description)")
      return
    }
    try compare(GraphRuns(a: first, b: second, matching: matching, options: options))
  }

  private static func program(_ side: VerifySide) throws(FormatError) -> Program {
    guard let model = side.model else {
      throw FormatError(.unsupported, at: side.path, "expected a model with a graph, found tensors alone")
    }
    do throws(FormatError) { return try Program(validating: model) } catch { throw error.inside(side.path) }
  }

  /// A's inputs under B's names; what A fills by itself is given where B asks for it.
  private mutating func inputs(_ a: GraphSide, _ matching: ValueMatching, _ program: Program) -> [GivenValue] {
    var inputs: [GivenValue] = []
    for index in program.inputs {
      let value = program.graph.values[index]
      guard case .input(let input) = value.source, let source = matching.inA[index] else { continue }
      if let given = a.inputs.first(where: { $0.name == a.name(source) }) {
        inputs.append(given.named(value.name))
      } else if input.omission == .required, let filled = a.value(source) {
        inputs.append(filled.named(value.name))
        notes.append("input \"\(value.name)\" of B was given what A has where it is left out")
      }
    }
    return inputs
  }

  private mutating func compare(_ runs: GraphRuns) throws(FormatError) {
    let unmatched = runs.b.program.graph.outputs.filter { runs.matching.inA[$0] == nil }
    if !unmatched.isEmpty || runs.a.program.graph.outputs.count != runs.b.program.graph.outputs.count {
      faults.append(
        "expected the same outputs, found \(GraphRuns.outputs(runs.a)) in A and \(GraphRuns.outputs(runs.b)) in B")
    }
    attributes = runs.attributeDifferences()
    let retyped = runs.retypedCount
    if retyped > 0 {
      notes.append(
        "\(counted(retyped, "value")) of another type in B, compared by the numbers and not given to B's operators")
    }
    if !runs.computesAll {
      notes.append(
        "computed in Double only where float32 differs, up to the first divergent operator, since a run has "
          + "\(runs.a.multiplyAdds) multiply-adds; --double computes everything")
    }
    let (referenceA, referenceB) =
      runs.computesAll ? (try runs.a.reference(), try runs.b.reference()) : ([:], [:])
    let allowance = runs.allowance
    for (index, node) in runs.b.program.graph.nodes.enumerated() {
      for output in node.outputs {
        guard let other = runs.matching.inA[output], let valueA = runs.a.value(other) else { continue }
        var row = runs.row(index, output, other, allowance(output, other))
        if let valueB = runs.b.value(output) {
          row.cumulative = Share.of(valueB, valueA)
          row.cumulativeErrorB = referenceB[row.name].map { Share.of(valueB, $0) }
        }
        row.cumulativeErrorA = referenceA[row.nameInA].map { Share.of(valueA, $0) }
        let slices = runs.isolate(&row, output, other, valueA, hasDiverged: divergence != nil)
        rows.append(row)
        if divergence == nil, row.diverges(under: policy) { divergence = runs.divergence(row, slices, valueA) }
      }
    }
  }
}

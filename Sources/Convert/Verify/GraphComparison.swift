import ERIFormat
import ERIReference

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
    /// Of a single operator under float32.
    package let allowed: Double
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
      return policy != .int8 && (meaning ?? 0) > OperatorTolerance.meaning
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
    let forB = GraphComparison.inputs(inputs, matching, programB)
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

  /// A's inputs under B's names.
  private static func inputs(_ given: [GivenValue], _ matching: ValueMatching, _ program: Program) -> [GivenValue] {
    var inputs: [GivenValue] = []
    for index in program.inputs {
      let name = program.graph.values[index].name
      guard let source = matching.inputs[name], let value = given.first(where: { $0.name == source }) else { continue }
      inputs.append(GivenValue(name: name, shape: value.shape, values: value.values))
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
    if !runs.computesAll {
      notes.append(
        "computed in Double only where float32 differs, up to the first divergent operator, since a run has "
          + "\(runs.a.multiplyAdds) multiply-adds; --double computes everything")
    }
    let (referenceA, referenceB) =
      runs.computesAll ? (try runs.a.reference(), try runs.b.reference()) : ([:], [:])
    let others = runs.b.otherTypes
    if !others.isEmpty {
      notes.append(
        "\(counted(others.count, "value")) of other types than float32 not compared by themselves, such as \"\(others[0])\""
      )
    }
    var allowed = [Double](repeating: 0, count: runs.b.program.graph.values.count)
    for (index, node) in runs.b.program.graph.nodes.enumerated() {
      let share = OperatorTolerance.share(node.op, node.inputs.map { $0.map { runs.b.shapes[$0] } })
      let before = node.inputs.compactMap { $0.map { allowed[$0] } }.max() ?? 0
      for output in node.outputs {
        allowed[output] = share + before
        guard let other = runs.matching.inA[output], let valuesA = runs.a.values(other) else { continue }
        var row = runs.row(index, output, other, share, allowed[output])
        if let valuesB = runs.b.values(output) {
          row.cumulative = Share.of(valuesB, valuesA)
          row.cumulativeErrorB = referenceB[row.name].map { Share.of(valuesB, $0) }
        }
        row.cumulativeErrorA = referenceA[row.nameInA].map { Share.of(valuesA, $0) }
        let slices = runs.isolate(&row, output, other, valuesA, hasDiverged: divergence != nil)
        rows.append(row)
        if divergence == nil, row.diverges(under: policy) {
          divergence = runs.divergence(row, slices, valuesA, other)
        }
      }
    }
  }
}

/// The largest difference of two lists of values as a share of the largest absolute value expected.
enum Share {
  static func of(_ values: [Float], _ expected: [Float]) -> Double {
    of(values.count, expected.count, { Double(values[$0]) }, { Double(expected[$0]) })
  }

  static func of(_ values: [Float], _ expected: ReferenceTensor) -> Double {
    of(values.count, expected.values.count, { Double(values[$0]) }, { expected.values[$0] })
  }

  static func of(_ values: ReferenceTensor, _ expected: ReferenceTensor) -> Double {
    of(values.values.count, expected.values.count, { values.values[$0] }, { expected.values[$0] })
  }

  private static func of(
    _ count: Int, _ expected: Int, _ value: (Int) -> Double, _ reference: (Int) -> Double
  ) -> Double {
    guard count == expected else { return .infinity }
    var largest = 0.0
    var difference = 0.0
    for index in 0..<count {
      let (x, y) = (value(index), reference(index))
      if y.isFinite { largest = max(largest, y.magnitude) }
      if isSame(x, y) { continue }
      let distance = (x - y).magnitude
      // NaN would be lost in a maximum.
      difference = distance.isNaN ? .infinity : max(difference, distance)
    }
    return difference == 0 ? 0 : largest > 0 ? difference / largest : .infinity
  }
}

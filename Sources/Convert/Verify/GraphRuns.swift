import ERIFormat
import ERIReference

/// The two runs that a comparison of graphs rests on.
struct GraphRuns {
  let a: GraphSide
  let b: GraphSide
  let matching: ValueMatching
  let options: GraphComparison.Options

  /// The slices of both sides that compute one pair of values from A's values.
  struct Slices {
    var a: GraphSlice?
    var b: GraphSlice?
    /// What A's slice gives in Double.
    var referenceA: ReferenceTensor?
  }

  /// Multiply-adds up to which plain loops in Double end within moments.
  static let doubleLimit = 200_000_000

  /// Whether everything is computed in Double.
  var computesAll: Bool { options.always || max(a.multiplyAdds, b.multiplyAdds) <= GraphRuns.doubleLimit }

  /// "y [N, 7]", the outputs as they are declared.
  static func outputs(_ side: GraphSide) -> String {
    let graph = side.program.graph
    return joined(
      graph.outputs.map { "\(graph.values[$0].name) \(side.program.types[$0].text(graph.symbols))" }, separator: ", ")
  }

  /// For each value of B the value of A that B's operators can start from: matched, and of the same type.
  private var starts: [Int?] {
    matching.inA.enumerated().map { index, other in
      other.flatMap { a.dtypes[$0] == b.dtypes[index] ? $0 : nil }
    }
  }

  /// Computed values whose type in B is another.
  var retypedCount: Int {
    matching.inA.enumerated().filter { index, other in
      guard let other, a.producer[other] != nil else { return false }
      return a.dtypes[other] != b.dtypes[index]
    }.count
  }

  /// What pairs of values may differ by.
  var allowance: Allowance {
    let starts = starts
    return Allowance(
      a, b, startsInA: Set(starts.compactMap { $0 }), startsInB: Set(starts.indices.filter { starts[$0] != nil }))
  }

  /// A row without its differences.
  func row(_ node: Int, _ output: Int, _ other: Int, _ allowed: Allowance.Pair) -> GraphComparison.Row {
    let graph = b.program.graph
    return GraphComparison.Row(
      name: graph.values[output].name, nameInA: a.program.graph.values[other].name,
      place: b.program.place(ofNode: node), op: graph.nodes[node].op.label, shapeA: a.shapes[other],
      shapeB: b.shapes[output], dtype: b.dtypes[output], allowed: allowed.alone, cumulativeAllowed: allowed.whole,
      isOutput: graph.outputs.contains(output))
  }

  /// Runs B's operator on A's inputs, and both in Double.
  func isolate(
    _ row: inout GraphComparison.Row, _ output: Int, _ other: Int, _ valueA: GivenValue, hasDiverged: Bool
  ) -> Slices {
    var slices = Slices()
    let (first, second, starts) = (a, b, starts)
    let taken = Set(starts.compactMap { $0 })
    slices.a = try? GraphSlice(first, computing: other) { index in
      guard taken.contains(index) || first.isInput(index) else { return nil }
      return first.value(index)
    }
    // Where a value is absent there is nothing to start from.
    slices.b = try? GraphSlice(second, computing: output) { index in
      if let source = starts[index], let found = first.value(source) { return found.named(second.name(index)) }
      return second.isInput(index) ? second.value(index) : nil
    }
    guard let slice = slices.b else { return slices }
    if slices.a?.operators != slice.operators { row.meaningAllowed = max(row.allowed, OperatorTolerance.meaning) }
    do throws(FormatError) {
      let found = try slice.output(threads: options.threads)
      row.isolated = Share.of(found, valueA)
      guard computesAll || row.isolated != 0 && !hasDiverged else { return slices }
      let reference = try slice.reference()
      row.isolatedErrorB = Share.of(found, reference)
      guard let sliceA = slices.a else { return slices }
      let referenceA = try sliceA.reference()
      slices.referenceA = referenceA
      row.meaning = Share.of(reference, referenceA)
      row.isolatedErrorA = Share.of(valueA, referenceA)
    } catch {
      // After the first divergence an operator may well not fit A's values.
      if !hasDiverged, error.kind != .unsupported { row.fault = error.description }
    }
    return slices
  }

  /// What is to be said of the first operator at which the two part.
  func divergence(
    _ row: GraphComparison.Row, _ slices: Slices, _ valueA: GivenValue
  ) -> GraphComparison.Divergence {
    var (first, second, reference) = (slices.a, slices.b, slices.referenceA)
    var expected = valueA
    if row.shapeA == row.shapeB, let item = second.flatMap({ worstItem($0, valueA) }),
      let cropA = first?.cropped(to: item), let cropB = second?.cropped(to: item), let part = valueA.item(item)
    {
      // One item of the batch is enough to show the difference.
      (first, second, reference) = (cropA, cropB, nil)
      expected = part
    }
    second?.expect(expected, allowed: row.allowed)
    var divergence = GraphComparison.Divergence(row: row, judgement: GraphRuns.judgement(row), slice: second)
    if let first, let second {
      divergence.causes = CauseSearch(a: first, b: second, target: reference)?.causes() ?? []
    }
    return divergence
  }

  /// The index of axis 0 with the largest difference.
  private func worstItem(_ slice: GraphSlice, _ expected: GivenValue) -> Int? {
    guard let items = expected.shape.first, items > 1,
      let found = (try? slice.output(threads: options.threads))?.floats,
      let wanted = expected.floats, found.count == wanted.count, !found.isEmpty
    else { return nil }
    var worst = 0
    var largest: Float = -1
    for index in found.indices {
      let difference = (found[index] - wanted[index]).magnitude
      if difference > largest || difference.isNaN {
        (worst, largest) = (index, difference.isNaN ? .infinity : difference)
      }
    }
    return worst / (found.count / items)
  }

  /// Who is wrong, from the distances to Double.
  private static func judgement(_ row: GraphComparison.Row) -> String {
    if let fault = row.fault { return "B's operator does not take A's values: \(fault)" }
    if row.shapeA != row.shapeB {
      return "the graphs ask for different shapes, \(shapeText(row.shapeA)) in A and \(shapeText(row.shapeB)) in B"
    }
    guard let meaning = row.meaning, let errorA = row.isolatedErrorA, let errorB = row.isolatedErrorB else {
      return "the two results differ; no Double run could be made"
    }
    let errors = "A is \(figure(errorA)) and B is \(figure(errorB)) from its own Double run"
    if meaning > row.meaningAllowed {
      return "the graphs ask for different results, in Double they lie \(figure(meaning)) apart; \(errors)"
    }
    switch (errorA > row.allowed, errorB > row.allowed) {
    case (true, false): return "A is wrong: \(errors)"
    case (false, true): return "B is wrong: \(errors)"
    case (true, true): return "both are wrong: \(errors)"
    case (false, false): return "each is within rounding of the same Double run: \(errors)"
    }
  }

  /// Attributes that differ between operators that belong together.
  func attributeDifferences() -> [String] {
    var clauses: [String] = []
    for (index, node) in b.program.graph.nodes.enumerated() {
      guard let output = node.outputs.first, let other = matching.inA[output], let producer = a.producer[other] else {
        continue
      }
      // An operator of ours and one of ONNX have no attributes in common.
      guard a.program.graph.nodes[producer].op.isONNX == node.op.isONNX else { continue }
      let differences = OperatorAttributes.differences(a.fixed(a.program.graph.nodes[producer].op), b.fixed(node.op))
      if !differences.isEmpty {
        clauses.append("\(b.program.place(ofNode: index)): \(joined(differences, separator: ", "))")
      }
    }
    return clauses
  }
}

extension GraphSide {
  func name(_ index: Int) -> String { program.graph.values[index].name }

  func isInput(_ index: Int) -> Bool {
    if case .input = program.graph.values[index].source { true } else { false }
  }
}

extension GraphSlice {
  /// Bytes of values that a slice may carry as its golden.
  private static let goldenBytes = 16 << 20

  /// Records what the output should have been, unless that is large or a type that goldens are not run in.
  mutating func expect(_ value: GivenValue, allowed: Double) {
    guard let graph = model.graph, let output = graph.outputs.first else { return }
    let bytes = inputs.reduce(value.bytes.count) { $0 + $1.bytes.count }
    guard bytes <= GraphSlice.goldenBytes, (inputs + [value]).allSatisfy({ $0.dtype == .f32 }) else { return }
    func golden(_ value: GivenValue) -> Golden.Values {
      Golden.Values(value.name, value.dtype, value.shape, value.bytes)
    }
    var expected = Golden()
    expected.name = "A's result"
    expected.inputs = inputs.map { golden($0) }
    expected.outputs = [golden(value.named(graph.values[output].name))]
    expected.tolerance = allowed
    model.goldens = [expected]
  }

  /// What the operators are called, in order.
  var operators: [String] { model.graph?.nodes.map { $0.op.label } ?? [] }
}

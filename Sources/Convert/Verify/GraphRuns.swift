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

  /// A row without its differences.
  func row(_ node: Int, _ output: Int, _ other: Int, _ share: Double, _ allowed: Double) -> GraphComparison.Row {
    let graph = b.program.graph
    return GraphComparison.Row(
      name: graph.values[output].name, nameInA: a.program.graph.values[other].name,
      place: b.program.place(ofNode: node), op: graph.nodes[node].op.identity.name, shapeA: a.shapes[other],
      shapeB: b.shapes[output], allowed: share, cumulativeAllowed: allowed, isOutput: graph.outputs.contains(output))
  }

  /// Runs B's operator on A's inputs, and both in Double.
  func isolate(
    _ row: inout GraphComparison.Row, _ output: Int, _ other: Int, _ valuesA: [Float], hasDiverged: Bool
  ) -> Slices {
    var slices = Slices()
    let (first, second, inA) = (a, b, matching.inA)
    let taken = Set(inA.compactMap { $0 })
    slices.a = try? GraphSlice(first, computing: other) { index in
      guard taken.contains(index) || first.isInput(index), let found = first.values(index) else { return nil }
      return GivenValue(name: first.name(index), shape: first.shapes[index], values: found)
    }
    // Where a value is absent there is nothing to start from.
    slices.b = try? GraphSlice(second, computing: output) { index in
      if let source = inA[index], let found = first.values(source) {
        return GivenValue(name: second.name(index), shape: first.shapes[source], values: found)
      }
      guard second.isInput(index), let own = second.values(index) else { return nil }
      return GivenValue(name: second.name(index), shape: second.shapes[index], values: own)
    }
    guard let slice = slices.b else { return slices }
    do throws(FormatError) {
      let found = try slice.output(threads: options.threads)
      row.isolated = Share.of(found, valuesA)
      guard computesAll || found != valuesA && !hasDiverged else { return slices }
      let reference = try slice.reference()
      row.isolatedErrorB = Share.of(found, reference)
      guard let sliceA = slices.a else { return slices }
      let referenceA = try sliceA.reference()
      slices.referenceA = referenceA
      row.meaning = Share.of(reference, referenceA)
      row.isolatedErrorA = Share.of(valuesA, referenceA)
    } catch {
      // After the first divergence an operator may well not fit A's values.
      if !hasDiverged, error.kind != .unsupported { row.fault = error.description }
    }
    return slices
  }

  /// What is to be said of the first operator at which the two part.
  func divergence(
    _ row: GraphComparison.Row, _ slices: Slices, _ valuesA: [Float], _ other: Int
  ) -> GraphComparison.Divergence {
    var (first, second, reference) = (slices.a, slices.b, slices.referenceA)
    var (expected, shape) = (valuesA, a.shapes[other])
    if row.shapeA == row.shapeB, let item = second.flatMap({ worstItem($0, valuesA, shape) }),
      let cropA = first?.cropped(to: item), let cropB = second?.cropped(to: item)
    {
      // One item of the batch is enough to show the difference.
      let count = expected.count / shape[0]
      (first, second, reference) = (cropA, cropB, nil)
      expected = [Float](expected[item * count..<(item + 1) * count])
      shape[0] = 1
    }
    second?.expect(expected, shape, allowed: row.allowed)
    var divergence = GraphComparison.Divergence(row: row, judgement: GraphRuns.judgement(row), slice: second)
    if let first, let second {
      divergence.causes = CauseSearch(a: first, b: second, target: reference)?.causes() ?? []
    }
    return divergence
  }

  /// The index of axis 0 with the largest difference.
  private func worstItem(_ slice: GraphSlice, _ expected: [Float], _ shape: [Int]) -> Int? {
    guard let items = shape.first, items > 1, let found = try? slice.output(threads: options.threads),
      found.count == expected.count
    else { return nil }
    var worst = 0
    var largest: Float = -1
    for index in found.indices {
      let difference = (found[index] - expected[index]).magnitude
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
    if meaning > OperatorTolerance.meaning {
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

  /// Records what the output should have been, unless that is large.
  mutating func expect(_ values: [Float], _ shape: [Int], allowed: Double) {
    guard let graph = model.graph, let output = graph.outputs.first else { return }
    let bytes = inputs.reduce(4 * values.count) { $0 + 4 * $1.values.count }
    guard bytes <= GraphSlice.goldenBytes else { return }
    func golden(_ name: String, _ shape: [Int], _ values: [Float]) -> Golden.Values {
      Golden.Values(name, .f32, shape, values.withUnsafeBytes { [UInt8]($0) })
    }
    var expected = Golden()
    expected.name = "A's result"
    expected.inputs = inputs.map { golden($0.name, $0.shape, $0.values) }
    expected.outputs = [golden(graph.values[output].name, shape, values)]
    expected.tolerance = allowed
    model.goldens = [expected]
  }
}

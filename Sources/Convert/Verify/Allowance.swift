import ERIFormat

/// What rounding may make of one side's values: since those that a slice starts from, and since the inputs.
struct SideAllowance {
  /// By value: the sum of the operators' shares along the longest way.
  let alone: [Double]
  let whole: [Double]

  /// - Parameter starts: the values that slices start from.
  init(_ side: GraphSide, from starts: Set<Int>) {
    var alone = [Double](repeating: 0, count: side.shapes.count)
    var whole = alone
    for node in side.program.graph.nodes {
      let inputs = node.inputs.map { $0.map { side.shapes[$0] } }
      let known = node.inputs.compactMap { $0 }
      let before = known.map { starts.contains($0) ? 0 : alone[$0] }.max() ?? 0
      let wholeBefore = known.map { whole[$0] }.max() ?? 0
      for output in node.outputs {
        let share = OperatorTolerance.share(node.op, inputs, side.shapes[output], side.dtypes[output])
        alone[output] = before + share
        whole[output] = wholeBefore + share
      }
    }
    self.alone = alone
    self.whole = whole
  }
}

/// What a value of B and its counterpart in A may differ by, as shares of the largest absolute value.
struct Allowance {
  struct Pair {
    let alone: Double
    let whole: Double
  }

  private let a: SideAllowance
  private let b: SideAllowance
  /// By value of B: integers and truth values must be equal.
  private let isExact: [Bool]

  init(_ a: GraphSide, _ b: GraphSide, startsInA: Set<Int>, startsInB: Set<Int>) {
    self.a = SideAllowance(a, from: startsInA)
    self.b = SideAllowance(b, from: startsInB)
    isExact = b.dtypes.map { !$0.isFloat }
  }

  /// The larger of both sides' sums: a step of one may be several of the other.
  func callAsFunction(_ value: Int, _ other: Int) -> Pair {
    if isExact[value] { return Pair(alone: 0, whole: 0) }
    return Pair(alone: max(a.alone[other], b.alone[value]), whole: max(a.whole[other], b.whole[value]))
  }
}

import ERIFormat

/// Which values of two graphs belong together: by name, by a renaming that the tensors show, and by place where the operators are
/// the same in the same order.
struct ValueMatching {
  /// For each value of B, the value of A.
  private(set) var inA: [Int?]
  /// What was matched otherwise than by name, a sentence each.
  private(set) var notes: [String] = []

  init(_ a: Program, _ b: Program, _ names: NameMatching) {
    inA = [Int?](repeating: nil, count: b.graph.values.count)
    var indexInA: [String: Int] = [:]
    for (index, value) in a.graph.values.enumerated() { indexInA[value.name] = index }
    for (index, value) in b.graph.values.enumerated() {
      let found = indexInA[value.name] ?? names.nameInA(value.name).flatMap { indexInA[$0] }
      if let found, ValueMatching.isSameKind(a.graph.values[found], value) { inA[index] = found }
    }
    matchInputs(a, b)
    matchNodes(a, b)
    matchOutputs(a, b)
  }

  private static func isSameKind(_ a: Value, _ b: Value) -> Bool {
    switch (a.source, b.source) {
    case (.input, .input), (.tensor, .tensor), (.node, .node): true
    case (.input, _), (.tensor, _), (.node, _): false
    }
  }

  /// Inputs left over are matched in their order, where both sides have as many of the same types.
  private mutating func matchInputs(_ a: Program, _ b: Program) {
    let taken = Set(inA.compactMap { $0 })
    let left = a.inputs.filter { !taken.contains($0) }
    let open = b.inputs.filter { inA[$0] == nil }
    func agree(_ x: Int, _ y: Int) -> Bool {
      a.types[x].shape.count == b.types[y].shape.count && (left.count == 1 || a.types[x].dtype == b.types[y].dtype)
    }
    if left.count == open.count, zip(left, open).allSatisfy(agree) {
      for (x, y) in zip(left, open) {
        inA[y] = x
        notes.append("input \"\(b.graph.values[y].name)\" of B was given what \"\(a.graph.values[x].name)\" of A was")
      }
    }
  }

  private mutating func matchNodes(_ a: Program, _ b: Program) {
    let labels = [a, b].map { $0.graph.nodes.map { $0.op.label } }
    guard labels[0] == labels[1] else { return }
    var count = 0
    var taken = Set(inA.compactMap { $0 })
    for (first, second) in zip(a.graph.nodes, b.graph.nodes) {
      for (x, y) in zip(first.outputs, second.outputs) where inA[y] == nil && taken.insert(x).inserted {
        inA[y] = x
        count += 1
      }
    }
    if count > 0 {
      notes.append("\(counted(count, "value")) matched by place, since the operators are the same in the same order")
    }
  }

  private mutating func matchOutputs(_ a: Program, _ b: Program) {
    let taken = Set(inA.compactMap { $0 })
    let left = a.graph.outputs.filter { !taken.contains($0) }
    let open = b.graph.outputs.filter { inA[$0] == nil }
    guard left.count == open.count else { return }
    for (x, y) in zip(left, open) {
      inA[y] = x
      notes.append(
        "output \"\(b.graph.values[y].name)\" of B was compared with \"\(a.graph.values[x].name)\" of A")
    }
  }
}

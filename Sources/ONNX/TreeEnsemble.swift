import ERIFormat

/// TreeEnsemble: decision trees whose leaves are gathered by target.
extension ONNXNode {
  func treeEnsembleKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard x.shape.count == 2 else { throw contractError("expected x of 2 dimensions, found \(shapeText(x.shape))") }
    let trees = try Trees(self, features: x.shape[1])
    return try realKernel(
      x, "x",
      TreeEnsemble(
        trees: trees, rows: x.shape[0], features: x.shape[1], type: try BoundType(x.dtype, [x.shape[0], trees.targets]))
    )
  }
}

private struct Trees {
  struct Node {
    let mode: Int
    let split: Double
    let feature: Int
    let missingIsTrue: Bool
    /// Indices of a node, or of a leaf where it is one.
    let branches: (yes: Int, no: Int)
    let leaves: (yes: Bool, no: Bool)
    /// Where its set lies among the members.
    let members: Range<Int>
  }

  var nodes: [Node] = []
  var members: [Double] = []
  var roots: [Int] = []
  /// By leaf.
  var leafTargets: [Int] = []
  var leafWeights: [Double] = []
  let targets: Int
  /// 0 average, 1 sum, 2 least, 3 greatest.
  let aggregate: Int
  /// 0 none, 1 softmax, 2 logistic, 3 softmax that leaves zeros.
  let transform: Int

  init(_ node: ONNXNode, features: Int) throws(FormatError) {
    targets = try node.integer("n_targets", default: 0)
    aggregate = try node.integer("aggregate_function", default: 1)
    transform = try node.integer("post_transform", default: 0)
    guard targets >= 0, (0...3).contains(aggregate), (0...3).contains(transform) else {
      throw FormatError(
        .unsupported, at: "",
        "expected aggregate_function and post_transform from 0 to 3, found \(aggregate) and \(transform)")
    }
    func list(_ name: String, _ count: Int? = nil, below limit: Int? = nil) throws(FormatError) -> [Int] {
      guard let values = try node.integers(name) else {
        throw contractError("expected attribute \"\(name)\", found none")
      }
      guard count == nil || values.count == count else {
        throw contractError("expected \(count ?? 0) elements of \(name), found \(values.count)")
      }
      if let limit, let wrong = values.first(where: { $0 < 0 || $0 >= limit }) {
        throw contractError("expected \(name) from 0 to \(limit - 1), found \(wrong)")
      }
      return values
    }
    func values(_ name: String) throws(FormatError) -> [Double] {
      guard let tensor = try node.tensor(name) else { return [] }
      let count = tensor.bytes.count / tensor.dtype.byteCount
      var values = [Double](repeating: 0, count: count)
      tensor.bytes.withUnsafeBytes { bytes in
        values.withUnsafeMutableBytes { values in
          guard let from = bytes.baseAddress, let to = values.baseAddress else { return }
          ElementConversion(source: tensor.dtype, target: .f64).run(from, to, count)
        }
      }
      return values
    }
    leafTargets = try list("leaf_targetids", below: targets)
    leafWeights = try values("leaf_weights")
    let featureIndices = try list("nodes_featureids", below: features)
    let count = featureIndices.count
    let (modes, splits) = (try values("nodes_modes"), try values("nodes_splits"))
    guard leafWeights.count == leafTargets.count, modes.count == count, splits.count == count else {
      throw contractError("expected attributes of nodes and of leaves of one length each, found others")
    }
    roots = try list("tree_roots", below: count)
    let yes = (try list("nodes_truenodeids", count), try list("nodes_trueleafs", count))
    let no = (try list("nodes_falsenodeids", count), try list("nodes_falseleafs", count))
    for (ids, leaves) in [yes, no] {
      for (id, leaf) in zip(ids, leaves) {
        let limit = leaf == 0 ? count : leafTargets.count
        guard id >= 0, id < limit else {
          throw contractError("expected branches from 0 to \(limit - 1), found \(id)")
        }
      }
    }
    let missing =
      try node.integers("nodes_missing_value_tracks_true") == nil
      ? [Int](repeating: 0, count: count) : try list("nodes_missing_value_tracks_true", count)
    members = try values("membership_values")
    var next = 0
    for index in 0..<count {
      let mode = modes[index]
      guard mode >= 0, mode <= 6 else {
        throw contractError("expected nodes_modes from 0 to 6, found \(Int(clamping: Int64(narrowing: mode)))")
      }
      let start = next
      if mode == 6 {
        while next < members.count && !members[next].isNaN { next += 1 }
      }
      nodes.append(
        Node(
          mode: Int(mode), split: splits[index], feature: featureIndices[index], missingIsTrue: missing[index] != 0,
          branches: (yes.0[index], no.0[index]), leaves: (yes.1[index] != 0, no.1[index] != 0), members: start..<next))
      if mode == 6 { next += 1 }
    }
  }

  /// The leaf that a row comes to; nil where the nodes lead in a circle.
  func leaf<Element: ONNXReal>(_ root: Int, _ x: UnsafePointer<Element>) -> Int? {
    var index = root
    for _ in nodes.indices {
      let value = x[nodes[index].feature].wide
      let yes = holds(nodes[index], value)
      let next = yes ? nodes[index].branches.yes : nodes[index].branches.no
      if yes ? nodes[index].leaves.yes : nodes[index].leaves.no { return next }
      index = next
    }
    return nil
  }

  private func holds(_ node: Node, _ value: Double) -> Bool {
    if value.isNaN && node.missingIsTrue { return true }
    switch node.mode {
    case 0: return value <= node.split
    case 1: return value < node.split
    case 2: return value >= node.split
    case 3: return value > node.split
    case 4: return value == node.split
    case 5: return value != node.split
    default:
      for index in node.members where members[index] == value { return true }
      return false
    }
  }
}

private struct TreeEnsemble: RealKernel {
  let trees: Trees
  let rows: Int
  let features: Int
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let targets = trees.targets
    return ONNXKernel([type], scratchBytes: 8 * targets) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let totals: UnsafeMutablePointer<Double> = memory.scratch()
      for row in 0..<work.rows {
        guard work.gather(x + row * work.features, totals) else {
          return .value("trees, found nodes that lead in a circle")
        }
        work.finish(totals)
        for target in 0..<targets { y[row * targets + target] = Element(narrowing: totals[target]) }
      }
      return nil
    }
  }

  private func gather<Element: ONNXReal>(_ x: UnsafePointer<Element>, _ totals: UnsafeMutablePointer<Double>) -> Bool {
    // The least and the greatest start from no number, which gives way to any.
    totals.update(repeating: trees.aggregate > 1 ? Double.nan : 0, count: trees.targets)
    for root in trees.roots {
      guard let leaf = trees.leaf(root, x) else { return false }
      let (target, weight) = (trees.leafTargets[leaf], trees.leafWeights[leaf])
      switch trees.aggregate {
      case 2: totals[target] = totals[target] < weight ? totals[target] : weight
      case 3: totals[target] = totals[target] > weight ? totals[target] : weight
      case 0: totals[target] += weight / Double(trees.roots.count)
      default: totals[target] += weight
      }
    }
    // A target without leaves is 0.
    for target in 0..<trees.targets where totals[target].isNaN { totals[target] = 0 }
    return true
  }

  private func finish(_ totals: UnsafeMutablePointer<Double>) {
    let count = trees.targets
    switch trees.transform {
    case 1: softmax(UnsafePointer(totals), totals, count, 1)
    case 2: mapElements(UnsafePointer(totals), totals, count) { sigmoid($0) }
    case 3:
      var (greatest, sum) = (-Double.infinity, 0.0)
      for index in 0..<count { greatest = max(greatest, totals[index]) }
      for index in 0..<count where totals[index] != 0 {
        totals[index] = Double.exponential(totals[index] - greatest)
        sum += totals[index]
      }
      for index in 0..<count where totals[index] != 0 { totals[index] /= sum }
    default: break
    }
  }
}

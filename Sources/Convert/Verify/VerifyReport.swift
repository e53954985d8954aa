package import ERIFormat

/// What `eri verify A B` found.
package struct VerifyReport: Sendable {
  /// One of the two files.
  package struct Side: Sendable {
    package let path: String
    package let container: Container
    package let tensors: Int
    package let hasGraph: Bool
    package let weights: SHA256Digest
  }

  package let a: Side
  package let b: Side
  package let policy: VerifyPolicy
  package let weights: WeightComparison
  /// Nil where a side has no graph, or the policy asks for weights alone.
  package let graph: GraphComparison?
  /// Nil unless both are .eri files with a graph.
  package let dropIn: DropIn?
  /// What was not compared and why, a sentence each.
  package let notes: [String]

  /// Whether the policy takes the two for the same.
  package var isSame: Bool { differences.isEmpty }

  /// Why the policy takes the two for different, a clause each; empty: it takes them for the same.
  package var differences: [String] {
    // What 8-bit integers cost shows in the results, where there are any.
    if policy == .int8, let graph { return graph.differences }
    return weightDifferences + (graph?.differences ?? [])
  }

  private var weightDifferences: [String] {
    var reasons: [String] = []
    if !weights.onlyA.isEmpty { reasons.append("\(counted(weights.onlyA.count, "tensor")) only in A") }
    if !weights.onlyB.isEmpty { reasons.append("\(counted(weights.onlyB.count, "tensor")) only in B") }
    let renamed = weights.renamed.reduce(0) { $0 + $1.count }
    if renamed > 0 { reasons.append("\(counted(renamed, "tensor")) under another name") }
    let different = weights.pairs.filter { !$0.isSame(under: policy) }.count
    if different > 0 { reasons.append("\(counted(different, "tensor")) with other values") }
    if reasons.isEmpty && !weights.isSame(under: policy) { reasons.append("another weights digest") }
    return reasons
  }

  /// Compares two files.
  /// - Parameter mapping: gives A's tensors the names that they are compared under.
  /// - Throws: `FormatError` if one cannot be read.
  package init(
    _ a: VerifySide, _ b: VerifySide, policy: VerifyPolicy,
    options: GraphComparison.Options = GraphComparison.Options(),
    mapping: WeightComparison.Mapping = { (side) throws(FormatError) in side }
  ) throws(FormatError) {
    self.policy = policy
    let other = b.checkpoint
    var weights = try WeightComparison(try mapping(a.checkpoint), other) { (side) throws(FormatError) in
      // A .npy file's array has no name of its own.
      guard side.container == .npy, other.entries.count == 1 else { return side }
      var side = side
      side.entries[0].tensor.name = other.entries[0].tensor.name
      return side
    }
    if a.model != nil, b.model != nil { weights.leaveOutConstants() }
    self.weights = weights
    var notes = weights.notes + a.notes + b.notes
    if a.model != nil, b.model != nil, policy != .sameWeights {
      graph = try GraphComparison(a, b, weights.matching, policy: policy, options)
    } else {
      graph = nil
      if a.model != nil, b.model != nil {
        notes.append("what the graphs compute was not compared under same-weights")
      } else if a.model != nil || b.model != nil {
        notes.append("only \(a.model == nil ? "B" : "A") has a graph, so what it computes was not compared")
      }
    }
    self.a = Side(a, weights: weights.digestA)
    self.b = Side(b, weights: weights.digestB)
    self.notes = notes
    if let first = a.model, let second = b.model, first.file != nil, second.file != nil {
      dropIn = try DropIn(from: first, a.path, to: second, b.path)
    } else {
      dropIn = nil
    }
  }
}

/// A file to verify, read.
package struct VerifySide: Sendable {
  package let path: String
  package let checkpoint: Checkpoint
  /// The model, where the container carries a graph.
  package let model: Model?
  /// Why a graph is left out that the container carries.
  package let notes: [String]

  /// - Throws: `FormatError` with the path as the outermost place.
  package init(reading path: String, allowInert: Bool = false) throws(FormatError) {
    self.path = path
    checkpoint = try Checkpoint(reading: path, allowInert: allowInert)
    var notes: [String] = []
    switch checkpoint.container {
    case .eri, .onnx:
      var model: Model?
      do throws(FormatError) { model = try Conversion(reading: path, allowInert: allowInert).model } catch {
        // The weights of a graph that cannot be computed here can be compared all the same.
        guard error.kind == .unsupported else { throw error }
        notes.append("the graph was left out: \(error.description)")
      }
      self.model = model?.graph == nil ? nil : model
    case .torchZip, .torchLegacy, .torchScript, .mindSporeCheckpoint, .safetensors, .npz, .npy:
      model = nil
    }
    self.notes = notes
  }
}

extension VerifyReport.Side {
  fileprivate init(_ side: VerifySide, weights: SHA256Digest) {
    path = side.path
    container = side.checkpoint.container
    tensors = side.checkpoint.entries.count
    hasGraph = side.model != nil
    self.weights = weights
  }
}

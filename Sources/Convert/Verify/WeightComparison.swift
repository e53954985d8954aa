package import ERIFormat

/// The tensors of two sides, compared by name, type, shape and value, one pair in memory at a time.
package struct WeightComparison: Sendable {
  package typealias Side = ValueExplanation.Side

  /// A tensor of A and its counterpart in B.
  package struct Pair: Sendable {
    package enum Verdict: String, Sendable {
      /// Type, shape and every bit.
      case bitEqual = "bit-equal"
      /// The same numbers in another type.
      case sameNumbers = "same numbers"
      case different
    }

    package let a: Checkpoint.Entry
    package let b: Checkpoint.Entry
    package let verdict: Verdict
    /// Nil where the shapes differ.
    package let difference: ValueDifference?
    package let explanation: ValueExplanation?
    /// Whether every element is within half a step of 8-bit integers.
    package let isWithinInt8: Bool
  }

  /// A group of tensors under another name.
  package struct Renamed: Sendable {
    package let a: String
    package let b: String
    package let count: Int
    package let bitEqual: Int
  }

  package private(set) var pairs: [Pair] = []
  package private(set) var renamed: [Renamed] = []
  package private(set) var onlyA: [Checkpoint.Entry] = []
  package private(set) var onlyB: [Checkpoint.Entry] = []
  /// Weights digests of the two sides.
  package private(set) var digestA: SHA256Digest
  package private(set) var digestB: SHA256Digest
  /// What was not compared, a sentence each.
  package private(set) var notes: [String] = []
  /// How names of B's values are told by A's.
  let matching: NameMatching

  /// Gives the entries of A the names that they are compared under; maps of names hook in here.
  package typealias Mapping = (Checkpoint) throws(FormatError) -> Checkpoint

  /// Compares all tensors but optimiser state.
  /// - Parameter mapping: applied to A before anything is compared.
  /// - Throws: `FormatError` if a tensor cannot be read.
  package init(
    _ first: Checkpoint, _ second: Checkpoint, mapping: Mapping = { (side) throws(FormatError) in side }
  ) throws(FormatError) {
    let sides = [try mapping(first), second]
    var entries: [[Checkpoint.Entry]] = []
    for (side, name) in zip(sides, ["A", "B"]) {
      let kept = side.entries.filter { $0.tensor.role != .optimizerState }
      if kept.count < side.entries.count {
        notes.append("\(counted(side.entries.count - kept.count, "tensor")) of optimiser state of \(name) not compared")
      }
      entries.append(kept)
    }
    var digests: [[SHA256Digest?]] = entries.map { [SHA256Digest?](repeating: nil, count: $0.count) }
    let paths = sides.map { $0.path }
    func digest(_ side: Int, _ index: Int) throws(FormatError) -> SHA256Digest {
      if let known = digests[side][index] { return known }
      let digest: SHA256Digest
      do throws(FormatError) { digest = try entries[side][index].tensor.digest() } catch {
        throw placed(error, entries[side][index], paths[side])
      }
      digests[side][index] = digest
      return digest
    }
    matching = try NameMatching(
      entries[0].map { $0.tensor.name }, entries[1].map { $0.tensor.name }
    ) { (side, index) throws(FormatError) in
      let place = side == .a ? 0 : 1
      let tensor = entries[place][index].tensor
      let content = "\(tensor.dtype.rawValue) \(shapeText(tensor.shape)) \(try digest(place, index).text)"
      return NameMatching.Key(name: tensor.name, shape: tensor.shape, content: content)
    }
    // In A's order, so that reports follow the network.
    let all = (matching.pairs + matching.renamings.flatMap { $0.pairs }).sorted { $0.a < $1.a }
    var equal: Set<Int> = []
    for (a, b) in all {
      let pair = try Pair(entries[0][a], entries[1][b], paths) { (x, y) in
        digests[0][a] = x
        digests[1][b] = y
      }
      if pair.verdict == .bitEqual { equal.insert(a) }
      pairs.append(pair)
    }
    for renaming in matching.renamings {
      renamed.append(
        Renamed(
          a: renaming.a, b: renaming.b, count: renaming.pairs.count,
          bitEqual: renaming.pairs.filter { equal.contains($0.a) }.count))
    }
    onlyA = matching.onlyA.map { entries[0][$0] }
    onlyB = matching.onlyB.map { entries[1][$0] }
    var values: [[SHA256Digest]] = [[], []]
    for side in 0...1 {
      for index in entries[side].indices { values[side].append(try digest(side, index)) }
    }
    digestA = WeightsDigest.of(entries[0].map { $0.tensor }, values[0])
    digestB = WeightsDigest.of(entries[1].map { $0.tensor }, values[1])
  }

  /// Leaves out the constants that only one side has: they are a part of the graph as attributes are, and a container may keep them
  /// among its nodes, so that the graph's results tell about them.
  mutating func leaveOutConstants() {
    func isConstant(_ entry: Checkpoint.Entry) -> Bool { entry.tensor.role == .constant }
    for (name, entries) in [("A", onlyA), ("B", onlyB)] {
      let count = entries.filter(isConstant).count
      if count > 0 {
        notes.append("\(counted(count, "constant")) of the graph only in \(name), not compared as weights")
      }
    }
    onlyA.removeAll(where: isConstant)
    onlyB.removeAll(where: isConstant)
  }

  /// Whether the policy takes the two sides' tensors for the same.
  package func isSame(under policy: VerifyPolicy) -> Bool {
    guard onlyA.isEmpty, onlyB.isEmpty, renamed.isEmpty else { return false }
    return pairs.allSatisfy { $0.isSame(under: policy) } && (policy != .sameWeights || digestA == digestB)
  }
}

extension WeightComparison.Pair {
  /// Whether the policy takes the two tensors' values for the same.
  package func isSame(under policy: VerifyPolicy) -> Bool {
    switch policy {
    case .sameWeights: verdict == .bitEqual
    case .fp32: verdict != .different
    case .int8: verdict != .different || isWithinInt8
    }
  }

  /// Compares two tensors, both in memory until it returns.
  fileprivate init(
    _ a: Checkpoint.Entry, _ b: Checkpoint.Entry, _ paths: [String],
    digests: (SHA256Digest, SHA256Digest) -> Void
  ) throws(FormatError) {
    self.a = a
    self.b = b
    let first: TensorBlock
    let second: TensorBlock
    do throws(FormatError) { first = try TensorBlock(a.tensor) } catch { throw placed(error, a, paths[0]) }
    do throws(FormatError) { second = try TensorBlock(b.tensor) } catch { throw placed(error, b, paths[1]) }
    defer { withExtendedLifetime((first, second)) {} }
    let digestOfA = SHA256.digest(of: first.bytes)
    let digestOfB = SHA256.digest(of: second.bytes)
    digests(digestOfA, digestOfB)
    let hasSameShape = a.tensor.shape == b.tensor.shape
    if hasSameShape, a.tensor.dtype == b.tensor.dtype, a.tensor.quantization == b.tensor.quantization,
      digestOfA == digestOfB
    {
      verdict = .bitEqual
      difference = nil
      explanation = nil
      isWithinInt8 = true
      return
    }
    let views = (ElementView(a.tensor, first.bytes), ElementView(b.tensor, second.bytes))
    let difference = hasSameShape ? ValueDifference(views.0, views.1) : nil
    self.difference = difference
    explanation = ValueExplainer(a: views.0, b: views.1, difference: difference).explanation()
    verdict = difference?.differing == 0 ? .sameNumbers : .different
    // Symmetric 8-bit integers have 127 steps up to the largest value.
    isWithinInt8 = difference.map { $0.largestAbsolute <= 0.51 * $0.magnitude / 127 } ?? false
  }
}

/// An error at a tensor of a file.
private func placed(_ error: FormatError, _ entry: Checkpoint.Entry, _ path: String) -> FormatError {
  error.place.hasPrefix(path) ? error : error.inside("tensor \"\(entry.tensor.name)\"").inside(path)
}

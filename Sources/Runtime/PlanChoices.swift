package import ERIFormat

/// What a plan may decide one way or another, beside its rules.
package struct PlanChoices: Equatable, Sendable {
  /// Nodes of convolutions that are computed directly, whatever the rule says; ascending.
  package var direct: [Int] = []
  /// Items that one thread takes through the deep layers at once: enough to read their weights seldom.
  package var outerItems = 16
  /// Bytes of activations that should stay in a core's second-level cache.
  package var cacheBytes = 256 << 10

  /// What the rules say.
  package init() {}
}

/// Choices that were measured for a model, each for its instruction set, number of threads and inputs, as a file beside the model
/// remembers them.
package struct TunedPlans: Equatable, Sendable {
  /// What a choice holds for.
  package struct Key: Equatable, Sendable {
    package let instructionSet: String
    package let threads: Int
    /// SHA-256 over the inputs' names and extents.
    package let inputs: String

    package init(instructionSet: String, threads: Int, inputs: [Session.InputShape]) {
      self.instructionSet = instructionSet
      self.threads = threads
      var digest = SHA256()
      for input in inputs.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
        digest.update(Array("\(input.name)\u{0}\(shapeText(input.shape))\u{0}".utf8))
      }
      self.inputs = digest.finished().text
    }

    init(instructionSet: String, threads: Int, inputsDigest: String) {
      self.instructionSet = instructionSet
      self.threads = threads
      inputs = inputsDigest
    }
  }

  /// Digest of the model's meaning.
  package let model: String
  package private(set) var plans: [(key: Key, choices: PlanChoices)] = []

  /// The most bytes of a file.
  package static let largestFile = 1 << 20
  private static let largestCache = 1 << 30

  /// No plan yet.
  package init(model: String) { self.model = model }

  package static func == (a: TunedPlans, b: TunedPlans) -> Bool {
    a.model == b.model && a.plans.map { $0.key } == b.plans.map { $0.key }
      && a.plans.map { $0.choices } == b.plans.map { $0.choices }
  }

  package subscript(_ key: Key) -> PlanChoices? {
    get { plans.first { $0.key == key }?.choices }
    set {
      plans.removeAll { $0.key == key }
      if let newValue { plans.append((key, newValue)) }
    }
  }

  /// The file's text, which `init(parsing:)` reads.
  package var text: String {
    var lines = ["eri-plan 1", "release \(ERIVersion)", "model \(model)"]
    for (key, choices) in plans {
      lines.append("plan \(key.instructionSet) \(key.threads) \(key.inputs)")
      lines.append("chunks \(choices.outerItems) \(choices.cacheBytes)")
      lines.append(joined(["direct"] + choices.direct.map { "\($0)" }, separator: " "))
    }
    return joined(lines, separator: "\n") + "\n"
  }

  /// Reads a file's text.
  /// - Throws: `FormatError` `.invalid` with the line's number, or `.unsupported` for another version or release.
  package init(parsing text: [UInt8]) throws(FormatError) {
    var lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
      line.split(separator: 0x20, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
    guard lines.popLast() == [""], !lines.isEmpty else {
      throw FormatError(.invalid, at: "", "expected a last line that ends, found none")
    }
    guard lines.first == ["eri-plan", "1"] else {
      throw FormatError(.unsupported, at: "line 1", "expected \"eri-plan 1\", found another")
    }
    guard lines.count >= 3, lines[1].count == 2, lines[1][0] == "release", lines[2].count == 2, lines[2][0] == "model"
    else {
      throw FormatError(.invalid, at: "line 2", "expected a release and a model, found others")
    }
    guard lines[1][1] == ERIVersion else {
      throw FormatError(.unsupported, at: "line 2", "expected release \(ERIVersion), found another")
    }
    model = lines[2][1]
    guard lines.count % 3 == 0 else {
      throw FormatError(.invalid, at: "line \(lines.count)", "expected three lines for each plan, found others")
    }
    for first in stride(from: 3, to: lines.count, by: 3) {
      let (plan, chunks, direct) = (lines[first], lines[first + 1], lines[first + 2])
      guard plan.count == 4, plan[0] == "plan", let threads = TunedPlans.integer(plan[2], 1...1024) else {
        throw FormatError(
          .invalid, at: "line \(first + 1)", "expected a plan's instruction set, threads and inputs, found others")
      }
      var choices = PlanChoices()
      guard chunks.count == 3, chunks[0] == "chunks", let items = TunedPlans.integer(chunks[1], 1...Limits.elements),
        let bytes = TunedPlans.integer(chunks[2], 1...TunedPlans.largestCache)
      else {
        throw FormatError(.invalid, at: "line \(first + 2)", "expected the sizes of chunks, found others")
      }
      (choices.outerItems, choices.cacheBytes) = (items, bytes)
      guard direct.first == "direct" else {
        throw FormatError(.invalid, at: "line \(first + 3)", "expected nodes computed directly, found others")
      }
      for word in direct.dropFirst() {
        guard let node = TunedPlans.integer(word, 0...Limits.nodes), node > choices.direct.last ?? -1 else {
          throw FormatError(.invalid, at: "line \(first + 3)", "expected nodes in ascending order, found others")
        }
        choices.direct.append(node)
      }
      let key = Key(instructionSet: plan[1], threads: threads, inputsDigest: plan[3])
      guard self[key] == nil else {
        throw FormatError(.invalid, at: "line \(first + 1)", "expected each plan once, found it twice")
      }
      self[key] = choices
    }
  }

  private static func integer(_ word: String, _ range: ClosedRange<Int>) -> Int? {
    guard let value = Int(word), range.contains(value), "\(value)" == word else { return nil }
    return value
  }
}

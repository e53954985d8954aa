import ERIFormat

/// What would explain the tensors that a candidate leaves over: likely causes in words, and the lines of a map.
struct MapProposal {
  /// Half a sentence each, the likeliest first.
  private(set) var causes: [String] = []
  /// Of single tensors, which stand before those of blocks: the first rule that fits a name decides.
  private var lines: [String] = []
  private var blockLines: [String] = []
  private var comments: [String] = []

  private let candidate: Candidate
  private let sources: [Tensor]
  private let targets: FittingTargets
  private var missing: [Int]
  private var unexpected: [Int]

  init(_ candidate: Candidate, _ sources: [Tensor], _ targets: FittingTargets) {
    self.candidate = candidate
    self.sources = sources
    self.targets = targets
    missing = candidate.missing
    unexpected = candidate.unexpected
    if let guess = candidate.guess { causes.append("every name begins with \"\(brief(guess))\"") }
    findCounters()
    findNorms()
    findTransposed()
    findBlocks()
    findLonely()
    findChoices()
    for index in unexpected {
      add("drop", index, nil)
      comments.append("no tensor of the network is like \(brief(name(index))) \(shapeText(sources[index].shape))")
    }
    for target in missing {
      let tensor = targets.tensors[target]
      comments.append("nothing found for \(tensor.name) \(shapeText(tensor.shape))")
    }
  }

  /// The candidate's map with the lines that would explain what it leaves over.
  var text: String {
    var text = "# Proposed by eri convert from map \(candidate.map.name); look it through before using it.\n"
    for comment in comments { text += "# \(comment)\n" }
    text += "map \(candidate.map.name)-proposed\n"
    if let guess = candidate.guess { text += "strip \(guess)\n" }
    // The map's own lines about what is left out still come before a block's, which would take it for the block's.
    let leading = candidate.map.lines.prefix { line in
      ["under ", "note ", "strip ", "drop "].contains { line.hasPrefix($0) }
    }
    for line in lines + leading + blockLines + candidate.map.lines[leading.endIndex...] { text += line + "\n" }
    return text
  }

  // MARK: Causes

  /// PyTorch counts a batch norm's batches.
  private mutating func findCounters() {
    let ending = ".num_batches_tracked"
    let counters = Set(unexpected.filter { name($0).hasSuffix(ending) })
    guard !counters.isEmpty else { return }
    unexpected.removeAll { counters.contains($0) }
    causes.append("\(counted(counters.count, "counter")) of batches, which the network does without")
    blockLines.append("drop {p**}\(ending)")
  }

  /// MindSpore's and Keras's names of a norm's tensors.
  private static let norms = [
    ("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var"),
  ]

  private mutating func findNorms() {
    var count = 0
    for index in unexpected {
      let name = name(index)
      for (foreign, own) in MapProposal.norms {
        let ending = ".\(foreign)"
        guard name.hasSuffix(ending) else { continue }
        let mapped = self.mapped(String(name.dropLast(foreign.count)) + own)
        guard let target = missing.first(where: { Array(targets.tensors[$0].name.utf8) == mapped }),
          targets.tensors[target].shape == sources[index].shape
        else { continue }
        take(index, target)
        count += 1
      }
    }
    if count > 0 {
      causes.append("\(counted(count, "tensor")) of norms named gamma, beta, moving_mean or moving_variance")
    }
  }

  private mutating func findTransposed() {
    var firsts: [String] = []
    var widths = 0
    for (assignment, target) in candidate.misfits {
      let given = candidate.mapping.assignments[assignment]
      let (source, wanted) = (sources[given.sources[0]], targets.tensors[target])
      guard given.part == .whole else { continue }
      var axes: [Int]?
      if source.shape.count == 2, source.shape.reversed() == wanted.shape { axes = [1, 0] }
      // From height, width, in, out.
      let ohwi = [3, 2, 0, 1]
      if source.shape.count == 4, ohwi.map({ source.shape[$0] }) == wanted.shape { axes = ohwi }
      guard let axes else {
        widths += 1
        continue
      }
      firsts.append("\"\(brief(source.name))\" \(shapeText(source.shape)) is transposed")
      let word = axes.count == 2 ? "transpose" : "transpose \(joined(axes.map { "\($0)" }, separator: ","))"
      add(word, given.sources[0], target)
    }
    if let first = firsts.first {
      causes.append(firsts.count == 1 ? first : "\(first), as \(counted(firsts.count - 1, "other")) would be")
    }
    if widths > 0 { findWidths(widths) }
  }

  private mutating func findWidths(_ count: Int) {
    for (assignment, target) in candidate.misfits {
      let source = sources[candidate.mapping.assignments[assignment].sources[0]]
      let wanted = targets.tensors[target]
      if wanted.name == "conv1.weight" || wanted.name.hasSuffix("backbone.conv1.weight"), source.shape.count == 4,
        source.shape.dropFirst() == wanted.shape.dropFirst()
      {
        causes.append("another width, --set spatial.base_width=\(source.shape[0])")
        return
      }
    }
    causes.append("other widths, which --set gives")
  }

  /// Blocks under another name: a beginning that, replaced, gives the most missing names of the same shapes.
  private mutating func findBlocks() {
    guard unexpected.count <= MapProposal.blockLimit, missing.count <= MapProposal.blockLimit else { return }
    while let block = largestBlock() {
      for (index, target) in block.pairs { consume(index, target) }
      causes.append(
        "\"\(brief(block.from))\" is named \"\(block.to)\" in the network (\(counted(block.pairs.count, "tensor")))")
      blockLines.append("rename \(block.from){rest**} -> \(relative(block.to)){rest}")
    }
  }

  /// Tensors left over, of which every pair is looked at.
  private static let blockLimit = 1_000

  private struct Block {
    var from: String
    var to: String
    var pairs: [(Int, Int)]
  }

  private func largestBlock() -> Block? {
    var targetsByName: [String: Int] = [:]
    for target in missing where targets.tensors[target].name.hasPrefix(candidate.place) {
      targetsByName[targets.tensors[target].name] = target
    }
    var best: Block?
    var seen: Set<[String]> = []
    for index in unexpected where isWritable(name(index)) {
      for (wanted, target) in targetsByName.sorted(by: { $0.key < $1.key })
      where targets.tensors[target].shape == sources[index].shape {
        guard let (from, to) = MapProposal.beginnings(name(index), wanted), to.hasPrefix(candidate.place),
          seen.insert([from, to]).inserted
        else { continue }
        let pairs = unexpected.compactMap { index -> (Int, Int)? in
          guard name(index).hasPrefix(from), let target = targetsByName[to + name(index).dropFirst(from.count)],
            targets.tensors[target].shape == sources[index].shape
          else { return nil }
          return (index, target)
        }
        if pairs.count > max(1, best?.pairs.count ?? 0) { best = Block(from: from, to: to, pairs: pairs) }
      }
    }
    return best
  }

  /// What two names begin with before the longest common ending of whole parts, dots included.
  private static func beginnings(_ a: String, _ b: String) -> (String, String)? {
    var (x, y) = (a.split(separator: ".").map { String($0) }, b.split(separator: ".").map { String($0) })
    let count = x.count
    while let last = x.last, last == y.last {
      x.removeLast()
      y.removeLast()
    }
    guard !x.isEmpty, !y.isEmpty, x.count < count else { return nil }
    return (joined(x, separator: ".") + ".", joined(y, separator: ".") + ".")
  }

  /// Tensors that have one possible place.
  private mutating func findLonely() {
    for target in missing {
      let shape = targets.tensors[target].shape
      let alike = unexpected.filter { sources[$0].shape == shape && isWritable(name($0)) }
      guard alike.count == 1, missing.filter({ targets.tensors[$0].shape == shape }).count == 1,
        targets.tensors[target].name.hasPrefix(candidate.place)
      else { continue }
      causes.append(
        "\"\(brief(name(alike[0])))\" is the only tensor left of \(shapeText(shape)), as "
          + "\"\(targets.tensors[target].name)\" is")
      take(alike[0], target)
    }
  }

  /// What a parameter of the network would do.
  private mutating func findChoices() {
    let biases = missing.filter { target in
      [".attn.q.bias", ".attn.k.bias", ".attn.v.bias"].contains { targets.tensors[target].name.hasSuffix($0) }
    }
    guard !biases.isEmpty else { return }
    causes.append("an attention without biases, --set spatial.attention_bias=false")
  }

  // MARK: Bookkeeping

  private func name(_ index: Int) -> String { String(decoding: candidate.names[index], as: UTF8.self) }

  /// What the candidate's map makes of a name.
  private func mapped(_ name: String) -> [UInt8]? {
    NameMapping(candidate.map, to: [Array(name.utf8)], place: candidate.place).assignments.first?.target
  }

  private mutating func take(_ index: Int, _ target: Int) {
    add("rename", index, target)
    consume(index, target)
  }

  private mutating func consume(_ index: Int, _ target: Int) {
    unexpected.removeAll { $0 == index }
    missing.removeAll { $0 == target }
  }

  private mutating func add(_ word: String, _ index: Int, _ target: Int?) {
    let name = name(index)
    guard isWritable(name) else {
      comments.append("no rule can be written for the name \(brief(name))")
      return
    }
    lines.append(target.map { "\(word) \(name) -> \(relative(targets.tensors[$0].name))" } ?? "\(word) \(name)")
  }

  /// A target's name below the candidate's place.
  private func relative(_ name: String) -> String { String(name.dropFirst(candidate.place.count)) }

  /// Whether a map can say the name: words end at spaces, commas and braces.
  private func isWritable(_ name: String) -> Bool {
    name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2C && $0 != 0x7B && $0 != 0x7D }
  }
}

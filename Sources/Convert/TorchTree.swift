import ERIFormat

/// Walks a pickle's tree and names the tensors by their way from the root.
struct TorchTree {
  /// A tensor of the tree.
  struct Found {
    var name: String
    var tensor: TorchTensor
    var role: Tensor.Role
  }

  /// What a tensor that is the whole file is called.
  static let lonelyName = "tensor"
  private static let mentions = 8

  private(set) var found: [Found] = []
  private(set) var notes: [String] = []

  private let tree: PickleTree
  private var visits = 0
  private var dropped: [String] = []
  private var droppedCount = 0
  private var attributes: [String] = []
  private var names: Set<String> = []

  /// - Throws: `FormatError` `.invalid` if two tensors have one name or a dictionary's key is none; `.limitExceeded` for
  ///   a tree too deep, too wide or with too many tensors, as one that holds itself is.
  init(_ tree: PickleTree) throws(FormatError) {
    self.tree = tree
    try visit(tree.root, Place())
    if found.count == 1 && found[0].name.isEmpty {
      found[0].name = TorchTree.lonelyName
      notes.append("the file is one tensor without a name; it is called \"\(TorchTree.lonelyName)\"")
    }
    if droppedCount > 0 {
      let more = droppedCount > dropped.count ? " and \(droppedCount - dropped.count) more" : ""
      let noun = droppedCount == 1 ? "1 value that is no tensor was" : "\(droppedCount) values that are no tensors were"
      notes.append("\(noun) left out: \(joined(dropped, separator: ", "))\(more)")
    }
    for name in attributes { notes.append("the attribute \"\(name)\" of a dictionary was left out") }
    for name in tree.requestedCode {
      notes.append("the code of \"\(name)\", which the file asks for, was not run; what it would have made is left out")
    }
    try noteShared()
  }

  /// Where a value is.
  private struct Place {
    var name = ""
    var depth = 0
    var isOptimizer = false
    var isAttribute = false
  }

  private mutating func visit(_ value: PickleValue, _ place: Place) throws(FormatError) {
    visits += 1
    guard visits <= Limits.pickleVisits, place.depth <= Limits.pickleNesting else {
      throw FormatError(
        .limitExceeded, at: "",
        "expected at most \(Limits.pickleNesting) containers in each other and \(Limits.pickleVisits) values, found more"
      )
    }
    guard let node = tree.node(value) else { return drop(value, place) }
    for name in node.attributes where !attributes.contains(name) && attributes.count < TorchTree.mentions {
      attributes.append(name)
    }
    switch node.kind {
    case .tensor(let tensor): try add(tensor, place)
    case .dictionary: try visitDictionary(node.items, place)
    case .list, .tuple, .set:
      if node.items.isEmpty { drop(value, place) }
      for (index, item) in node.items.enumerated() { try visit(item, below(place, "\(index)", "/")) }
    case .module:
      for state in node.items { try visitState(state, place) }
    case .placeholder:
      drop(value, place)
      for state in node.items { try visitState(state, place) }
    case .global, .storage, .opaque: drop(value, place)
    }
  }

  private func below(_ place: Place, _ key: String, _ separator: String) -> Place {
    var inner = place
    inner.name = place.name.isEmpty ? key : place.name + separator + key
    inner.depth += 1
    inner.isAttribute = separator == "."
    return inner
  }

  private func key(_ value: PickleValue) throws(FormatError) -> String {
    switch value {
    case .text(let text): return text
    case .integer(let number): return "\(number)"
    case .boolean(let flag): return flag ? "True" : "False"
    case .float(let number): return "\(number)"
    case .bytes(let bytes):
      if let text = String(validating: bytes, as: UTF8.self) { return text }
    case .none: return "None"
    case .wideInteger: break
    case .node:
      // A tuple of plain keys is one, as Python writes it.
      if let node = tree.node(value), case .tuple = node.kind, node.items.count <= Limits.rank {
        var parts: [String] = []
        for item in node.items {
          if case .node = item { break }
          parts.append(try key(item))
        }
        if parts.count == node.items.count { return "(" + joined(parts, separator: ", ") + ")" }
      }
    }
    throw FormatError(
      .invalid, at: "", "expected a string or number for a dictionary's key, found \(tree.kind(value))")
  }

  private mutating func visitDictionary(_ items: [PickleValue], _ place: Place) throws(FormatError) {
    if items.isEmpty { return }
    var inner = place
    inner.isOptimizer = place.isOptimizer || isOptimizerState(items)
    for position in stride(from: 0, to: items.count - 1, by: 2) {
      let name = try key(items[position])
      var next = below(inner, name, "/")
      // A tensor's own key says nothing of an optimizer: "optimizer.weight" may be a model's.
      if tree.node(items[position + 1]).map({ if case .tensor = $0.kind { false } else { true } }) ?? false {
        next.isOptimizer = next.isOptimizer || TorchTree.namesOptimizer(name)
      }
      try visit(items[position + 1], next)
    }
  }

  /// The state of a module or of an object left inert: attributes are joined by dots, and an nn.Module's own books
  /// (`_parameters`, `_buffers`, `_modules`) are passed through, so that names are those of its state dictionary.
  private mutating func visitState(_ state: PickleValue, _ place: Place) throws(FormatError) {
    guard let node = tree.node(state), case .dictionary = node.kind else { return try visit(state, place) }
    var inner = place
    inner.depth += 1
    for position in stride(from: 0, to: node.items.count - 1, by: 2) {
      let name = try key(node.items[position])
      let value = node.items[position + 1]
      if let book = tree.node(value), case .dictionary = book.kind, TorchTree.books.contains(name) {
        try visitState(value, inner)
      } else {
        try visit(value, below(inner, name, "."))
      }
    }
  }

  private static let books: Set<String> = ["_parameters", "_buffers", "_modules"]

  /// Whether a dictionary is what `Optimizer.state_dict()` gives.
  private func isOptimizerState(_ items: [PickleValue]) -> Bool {
    var keys: Set<String> = []
    for position in stride(from: 0, to: items.count - 1, by: 2) {
      if case .text(let name) = items[position] { keys.insert(name) }
    }
    return keys.contains("state") && keys.contains("param_groups")
  }

  private static func namesOptimizer(_ key: String) -> Bool {
    let name = key.lowercased()
    return name.hasPrefix("optim") || name == "opt" || name.hasSuffix("_optimizer") || name.hasSuffix("_optim")
  }

  private mutating func add(_ tensor: TorchTensor, _ place: Place) throws(FormatError) {
    guard found.count < Limits.tensors else {
      throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.tensors) tensors, found more")
    }
    guard place.name.utf8.count <= Limits.nameBytes else {
      throw FormatError(
        .limitExceeded, at: "", "expected names of at most \(Limits.nameBytes) bytes, found \(place.name.utf8.count)")
    }
    guard names.insert(place.name).inserted else {
      throw FormatError(.invalid, at: "", "expected each name once, found two tensors called \"\(place.name)\"")
    }
    found.append(Found(name: place.name, tensor: tensor, role: place.isOptimizer ? .optimizerState : .weight))
  }

  private mutating func drop(_ value: PickleValue, _ place: Place) {
    droppedCount += 1
    guard dropped.count < TorchTree.mentions else { return }
    let name = place.name.isEmpty ? "the whole file" : "\"\(brief(place.name))\""
    dropped.append("\(name) (\(tree.kind(value)))")
  }

  /// A storage may serve several tensors; written elsewhere, each has its own values.
  private mutating func noteShared() throws(FormatError) {
    var users: [String: Int] = [:]
    for item in found { users[item.tensor.storage.key, default: 0] += 1 }
    let sharing = found.filter { users[$0.tensor.storage.key, default: 0] > 1 }
    guard !sharing.isEmpty else { return }
    let shown = joined(sharing.prefix(TorchTree.mentions).map { "\"\(brief($0.name))\"" }, separator: ", ")
    let more = sharing.count > TorchTree.mentions ? " and \(sharing.count - TorchTree.mentions) more" : ""
    notes.append("\(sharing.count) tensors share storages, each is read as values of its own: \(shown)\(more)")
  }
}

import ERIFormat

/// What a graph holds that is not computed here, so that one sentence can name all of it.
struct ONNXRefusals {
  private var items: [(text: String, isNode: Bool, reason: String?, count: Int)] = []

  var isEmpty: Bool { items.isEmpty }

  /// - Parameter reason: what of the node is not computed; nil: none of its kind is.
  mutating func add(node name: String, _ reason: String?) {
    add(brief(name), isNode: true, reason)
  }

  mutating func add(value name: String, _ what: String, _ kind: String) {
    add("\(what) \"\(brief(name))\"", isNode: false, kind)
  }

  private mutating func add(_ text: String, isNode: Bool, _ reason: String?) {
    if let index = items.firstIndex(where: { $0.text == text && $0.reason == reason }) {
      items[index].count += 1
    } else {
      items.append((text, isNode, reason, 1))
    }
  }

  func check() throws(FormatError) {
    guard !items.isEmpty else { return }
    var parts: [String] = []
    for item in items {
      // A hostile file has as many names as it has nodes.
      if parts.count == 64 {
        parts.append("and \(items.count - 64) more")
        break
      }
      let count = item.isNode ? counted(item.count, "node") : nil
      let details = joined([count, item.reason.map { brief($0) }].compactMap { $0 }, separator: ", ")
      parts.append("\(item.text) (\(details))")
    }
    throw FormatError(
      .unsupported, at: "",
      "expected operators and types of ONNX that are computed here, found \(joined(parts, separator: ", ")); "
        + "--weights-only converts the initialisers alone")
  }
}

extension ONNXNodeMessage {
  /// "then_branch holds a graph", of the first attribute that no .eri has.
  var foreignAttribute: String? {
    for attribute in attributes {
      if case .foreign(let kind) = attribute.value { return "\(attribute.name) holds \(kind)" }
    }
    return nil
  }
}

import ERIFormat

/// An operator's attributes by name, for comparing two of them.
enum OperatorAttributes {
  /// "epsilon 1e-05 in A, 0.001 in B", for each attribute that differs.
  static func differences(_ a: Operator, _ b: Operator) -> [String] {
    guard a != b else { return [] }
    guard a.label == b.label else { return ["\(a.label) in A, \(b.label) in B"] }
    if case .onnx(let first) = a, case .onnx(let second) = b { return differences(first, second) }
    return zip(list(a), list(b)).filter { $0.value != $1.value }.map { "\($0.name) \($0.value) in A, \($1.value) in B" }
  }

  private static func differences(_ a: ONNXOperator, _ b: ONNXOperator) -> [String] {
    var clauses: [String] = []
    if a.opset != b.opset { clauses.append("operator set \(a.opset) in A, \(b.opset) in B") }
    let added = b.attributes.filter { a.attribute($0.name) == nil }
    for name in (a.attributes + added).map({ $0.name }).sorted()
    where a.attribute(name) != b.attribute(name) {
      clauses.append("\(name) \(text(a.attribute(name))) in A, \(text(b.attribute(name))) in B")
    }
    return clauses
  }

  private static func text(_ content: ONNXAttribute.Content?) -> String {
    switch content {
    case .integer(let value): "\(value)"
    case .number(let value): decimal(value)
    case .text(let value): brief(value)
    case .integers(let values): "[" + joined(values.map { "\($0)" }, separator: ", ") + "]"
    case .numbers(let values): "[" + joined(values.map { decimal($0) }, separator: ", ") + "]"
    case .texts(let values): "[" + joined(values.map { brief($0) }, separator: ", ") + "]"
    case .tensor(let values): "a \(values.dtype.name) tensor \(shapeText(values.shape))"
    case nil: "absent"
    }
  }

  /// Names and values, in the order of their declaration.
  static func list(_ op: Operator) -> [(name: String, value: String)] {
    // The contracts are plain structures: their members are their attributes.
    guard let payload = Mirror(reflecting: op).children.first?.value else { return [] }
    return members(payload)
  }

  /// The members of a plain structure.
  static func members(_ value: Any) -> [(name: String, value: String)] {
    Mirror(reflecting: value).children.map { child in (words(child.label ?? "attribute"), text(child.value)) }
  }

  /// "padsBegin" as "pads begin".
  private static func words(_ name: String) -> String {
    var words = ""
    for scalar in name.unicodeScalars {
      if ("A"..."Z").contains(scalar) {
        words += " " + String(scalar).lowercased()
      } else {
        words.unicodeScalars.append(scalar)
      }
    }
    return words
  }

  private static func text(_ value: Any) -> String {
    switch value {
    case let number as Float: decimal(number)
    case let numbers as [Float]: "[" + joined(numbers.map { decimal($0) }, separator: ", ") + "]"
    case let shape as [Dimension]: "[" + joined(shape.map { $0.text([]) }, separator: ", ") + "]"
    case let band as Attention.Band?: band.map { "\($0.before) before, \($0.after) after" } ?? "none"
    case let function as Unary.Function: function.name
    case let function as Binary.Function: function.name
    default: "\(value)"
    }
  }
}

extension Operator {
  /// Whether it is one of ONNX.
  var isONNX: Bool { if case .onnx = self { true } else { false } }
}

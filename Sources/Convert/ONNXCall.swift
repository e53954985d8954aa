import ERIFormat

/// A call of a model's own function: what the names in its body stand for.
struct ONNXCall {
  private let node: ONNXNodeMessage
  private let function: ONNXFunctionMessage
  /// By the name in the body; empty: left out by the caller.
  private var names: [[UInt8]: String] = [:]

  init(_ function: ONNXFunctionMessage, _ node: ONNXNodeMessage) throws(FormatError) {
    guard node.inputs.count <= function.inputs.count, node.outputs.count <= function.outputs.count else {
      throw contractError(
        "expected at most \(counted(function.inputs.count, "input")) and \(counted(function.outputs.count, "output")) "
          + "of function \"\(brief(function.name))\", found \(node.inputs.count) and \(node.outputs.count)")
    }
    self.node = node
    self.function = function
    for (index, formal) in function.inputs.enumerated() {
      names[Array(formal.utf8)] = index < node.inputs.count ? node.inputs[index] : ""
    }
    for (formal, actual) in zip(function.outputs, node.outputs) where !actual.isEmpty && !isNamed(formal) {
      names[Array(formal.utf8)] = actual
    }
  }

  func isNamed(_ name: String) -> Bool { names[Array(name.utf8)] != nil }

  mutating func rename(_ name: String, to actual: String) { names[Array(name.utf8)] = actual }

  /// What a name of the body stands for outside of it.
  func actual(_ name: String) -> String? { names[Array(name.utf8)] }

  /// A node of the body as the caller sees it.
  func resolved(_ inner: ONNXNodeMessage) throws(FormatError) -> ONNXNodeMessage {
    var resolved = inner
    for (index, name) in inner.inputs.enumerated() where !name.isEmpty {
      guard let actual = actual(name) else {
        throw contractError("expected inputs computed by earlier nodes, found \"\(brief(name))\" that nothing computes")
      }
      resolved.inputs[index] = actual
    }
    for (index, name) in inner.outputs.enumerated() where !name.isEmpty {
      resolved.outputs[index] = actual(name) ?? ""
    }
    resolved.attributes = []
    for attribute in inner.attributes {
      guard case .reference(let name) = attribute.value else {
        resolved.attributes.append(attribute)
        continue
      }
      let given =
        node.attribute(name) ?? function.defaults.first { $0.name.utf8.elementsEqual(name.utf8) }
      // One that neither gives is left out, and has the operator's own default.
      if let given { resolved.attributes.append(ONNXAttributeMessage(attribute.name, given.value)) }
    }
    return resolved
  }
}

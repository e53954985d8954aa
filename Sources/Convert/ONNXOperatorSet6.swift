import ERIFormat

/// What operator set 7 changed: broadcasting became NumPy's, and layers of training lost their switch.
enum ONNXOperatorSet6 {
  /// A node of operator set 6 as nodes of set 7.
  /// - Parameters:
  ///   - rank: how many dimensions a value has, as far as that is known.
  ///   - name: makes a value's name from a stem.
  static func raised(
    _ node: ONNXNodeMessage, rank: (String) -> Int?, name: (String) -> String
  ) throws(FormatError) -> (nodes: [ONNXNodeMessage], isChanged: Bool) {
    switch node.type {
    case "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Less", "Greater":
      guard node.integer("broadcast") == 1 else { return without(["axis", "broadcast"], node) }
      return try aligned(node, at: node.integer("axis"), rank: rank, name: name)
    case "PRelu":
      // A slope for each channel: the second axis.
      guard node.inputs.count == 2, let slope = rank(node.inputs[1]) else { throw unknown(node) }
      guard slope == 1, let x = rank(node.inputs[0]), x > 2 else { return ([node], false) }
      return try aligned(node, at: 1, rank: rank, name: name)
    case "Gemm": return without(["broadcast"], node)
    case "BatchNormalization", "Dropout":
      guard let isTest = node.integer("is_test"), isTest != 0 else {
        throw FormatError(
          .unsupported, at: "", "expected \(node.type) of a model that is not trained (is_test 1), found is_test 0")
      }
      return without(["is_test", "consumed_inputs"], node)
    case "Upsample", "RNN", "GRU", "LSTM":
      throw FormatError(
        .unsupported, at: "",
        "expected \(node.type) of operator set 7 or later, found it of 6; raise it with onnx.version_converter")
    default: return ([node], false)
    }
  }

  private static func without(_ names: [String], _ node: ONNXNodeMessage) -> ([ONNXNodeMessage], isChanged: Bool) {
    var changed = node
    changed.attributes.removeAll { names.contains($0.name) }
    return ([changed], changed.attributes.count != node.attributes.count)
  }

  /// The second input's axes lie at `axis` of the first's; nil: at its end, as NumPy has it.
  private static func aligned(
    _ node: ONNXNodeMessage, at axis: Int64?, rank: (String) -> Int?, name: (String) -> String
  ) throws(FormatError) -> ([ONNXNodeMessage], isChanged: Bool) {
    var (nodes, _) = without(["axis", "broadcast"], node)
    guard let axis else { return (nodes, true) }
    guard node.inputs.count == 2, let a = rank(node.inputs[0]), let b = rank(node.inputs[1]) else {
      throw unknown(node)
    }
    let behind = Int64(a) - (axis < 0 ? axis + Int64(a) : axis) - Int64(b)
    guard (0...Int64(a)).contains(behind) else {
      throw contractError("expected an axis where \(b) of \(counted(a, "dimension")) begin, found \(axis)")
    }
    guard behind > 0, b > 0 else { return (nodes, true) }
    let widened = name("\(node.inputs[1]).\(node.outputs.first ?? "")")
    let axes = (0..<behind).map { Int64(b) + $0 }
    nodes[0].inputs[1] = widened
    let unsqueeze = ONNXNodeMessage(
      "Unsqueeze", inputs: [node.inputs[1]], outputs: [widened],
      attributes: [ONNXAttributeMessage("axes", .content(.integers(axes)))])
    return ([unsqueeze] + nodes, true)
  }

  private static func unknown(_ node: ONNXNodeMessage) -> FormatError {
    FormatError(
      .unsupported, at: "",
      "expected inputs of known rank, found others in a \(node.type) of operator set 6; raise it with onnx.version_converter"
    )
  }
}

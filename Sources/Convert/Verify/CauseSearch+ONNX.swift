import ERIFormat

/// Simple changes of operators of ONNX.
extension CauseSearch {
  func causes(_ index: Int, _ op: ONNXOperator) -> [Cause] {
    epsilonCauses(index, op) + geluCauses(index, op) + paddingCauses(index, op) + transposeCauses(index, op)
  }

  private func epsilonCauses(_ index: Int, _ op: ONNXOperator) -> [Cause] {
    let normalizations = [
      "BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization",
    ]
    guard normalizations.contains(op.qualifiedName) else { return [] }
    return epsilonCauses(index, CauseSearch.epsilon(op)) { .onnx(op.replacing("epsilon", .number($0))) }
  }

  /// The attribute, whose default all of these operators share.
  static func epsilon(_ op: ONNXOperator) -> Float { op.number("epsilon") ?? 1e-5 }

  private func geluCauses(_ index: Int, _ op: ONNXOperator) -> [Cause] {
    guard op.qualifiedName == "Gelu" else { return [] }
    let isTanh = op.attribute("approximate") == .text("tanh")
    let other = isTanh ? "none" : "tanh"
    guard vanishes(replacing(index, .onnx(op.replacing("approximate", .text(other))))) else { return [] }
    return [
      Cause(
        kind: .gelu,
        sentence: "B computes GELU in the form approximate=\(isTanh ? "tanh" : "none"), A in approximate=\(other)")
    ]
  }

  private func paddingCauses(_ index: Int, _ op: ONNXOperator) -> [Cause] {
    if case .integers(let pads)? = op.attribute("pads") {
      let swapped = CauseSearch.swapped(pads)
      guard let begin = CauseSearch.half(pads), let end = CauseSearch.half(swapped) else { return [] }
      return paddingCauses(index, begin, end, .onnx(op.replacing("pads", .integers(swapped))))
    }
    if op.qualifiedName == "Pad", let node = b.model.graph?.nodes[index], let pads = operand(node, 1, b),
      let values = pads.integers
    {
      let swapped = CauseSearch.swapped(values)
      guard let begin = CauseSearch.half(values), let end = CauseSearch.half(swapped), begin != end else { return [] }
      let bytes = swapped.withUnsafeBytes { [UInt8]($0) }
      return vanishes(replacing(pads, bytes)) ? [CauseSearch.paddingCause(begin, end)] : []
    }
    let sides = ["SAME_UPPER", "SAME_LOWER"]
    guard let side = op.text("auto_pad"), sides.contains(side),
      let other = sides.first(where: { $0 != side }),
      vanishes(replacing(index, .onnx(op.replacing("auto_pad", .text(other)))))
    else { return [] }
    return [Cause(kind: .padding, sentence: "the padding is on the other side: \(side) in B, \(other) in A")]
  }

  /// The pads of all ends before those of all beginnings.
  private static func swapped(_ pads: [Int64]) -> [Int64] {
    [Int64](pads.suffix(pads.count / 2) + pads.dropLast(pads.count / 2))
  }

  private static func half(_ pads: [Int64]) -> [Int]? {
    let half = pads.prefix(pads.count / 2).compactMap { Int(exactly: $0) }
    return pads.count % 2 == 0 && half.count == pads.count / 2 ? half : nil
  }

  private func transposeCauses(_ index: Int, _ op: ONNXOperator) -> [Cause] {
    guard op.qualifiedName == "Gemm" else { return [] }
    for name in ["transB", "transA"] {
      let found = op.integer(name) ?? 0
      let other: Int64 = found == 0 ? 1 : 0
      guard vanishes(replacing(index, .onnx(op.replacing(name, .integer(other))))) else { continue }
      return [Cause(kind: .transposed, sentence: "\(name) is \(found) in B, \(other) in A")]
    }
    return []
  }
}

extension ONNXOperator {
  /// Whether its second operand is a weight that its first is multiplied by.
  var hasWeight: Bool {
    ["Conv", "ConvTranspose", "MatMul", "Gemm"].contains(qualifiedName)
  }

  /// The operator with one attribute set.
  func replacing(_ name: String, _ content: ONNXAttribute.Content) -> ONNXOperator {
    ONNXOperator(
      self.name, domain: domain, opset: opset,
      attributes: attributes.filter { !$0.name.utf8.elementsEqual(name.utf8) } + [ONNXAttribute(name, content)])
  }
}

import ERIFormat

/// Quantised tensors and values as ONNX's QuantizeLinear and DequantizeLinear.
extension ONNXExport {
  /// Requires codes of the whole range of an 8-bit type, with which these operators compute.
  func requireExpressibleCodes() throws(FormatError) {
    for tensor in model.tensors {
      guard let codes = tensor.quantization else { continue }
      guard [.i8, .u8, .i32].contains(codes.stored), codes.block == 0 else {
        throw FormatError(
          .unsupported, at: "tensor \"\(tensor.name)\"",
          "expected int8, uint8 or int32 without blocks for an .onnx file, found \(codes.stored.name)\(codes.block == 0 ? "" : " in blocks")"
        )
      }
    }
    for value in program.graph.values {
      guard let codes = value.quantization else { continue }
      let isWhole =
        codes.stored == .u8 && codes.minimum == 0 && codes.maximum == 255
        || codes.stored == .i8 && codes.minimum == -128 && codes.maximum == 127
      guard isWhole, codes.block == 0 else {
        throw FormatError(
          .unsupported, at: "value \"\(value.name)\"",
          "expected all of int8 or uint8 without blocks for an .onnx file, found \(codes.stored.name) from \(codes.minimum) to \(codes.maximum)"
        )
      }
    }
  }

  /// Adds what reads quantised tensors and inputs, before any node.
  mutating func quantizeSources() throws(FormatError) {
    let version = quantizingVersion
    var read: [Int: String] = [:]
    for (index, value) in program.graph.values.enumerated() {
      guard case .tensor(let tensor) = value.source, let codes = model.tensors[tensor].quantization else { continue }
      if let name = read[tensor] {
        nameRaw(index, names[index], name)
        continue
      }
      let stored = names[index]
      let held = unique("\(stored)/DequantizeLinear")
      try require("", version)
      try append("DequantizeLinear", [stored] + operands(codes, of: stored), [held], axis(codes))
      nameRaw(index, stored, held)
      read[tensor] = held
    }
    for (index, value) in program.graph.values.enumerated() where value.quantization != nil {
      let name = names[index]
      if program.graph.outputs.contains(index), case .node = value.source {
        nameRaw(index, unique("\(name)/exact"), name)
      } else {
        nameRaw(index, name, unique("\(name)/DequantizeLinear"))
      }
    }
    for input in program.inputs { try quantize(input) }
  }

  /// Adds what rounds a value, if it is quantised.
  mutating func quantize(_ value: Int) throws(FormatError) {
    guard let codes = program.graph.values[value].quantization, let raw = rawNames[value] else { return }
    try require("", quantizingVersion)
    let held = names[value]
    let operands = try operands(codes, of: held)
    let stored = unique("\(raw)/QuantizeLinear")
    try append("QuantizeLinear", [raw] + operands, [stored], axis(codes))
    try append("DequantizeLinear", [stored] + operands, [held], axis(codes))
  }

  /// The graph's own operator set, or that of our operators.
  private var quantizingVersion: Int {
    for case .onnx(let op) in program.graph.nodes.lazy.map({ $0.op }) where op.domain.isEmpty { return op.opset }
    return ONNXExport.operatorSet
  }

  private func axis(_ codes: Quantization) -> [ONNXAttribute] {
    codes.scales.count > 1 ? [ONNXAttribute("axis", .integer(Int64(codes.axis)))] : []
  }

  /// Names of scale and zero point, which says the type too.
  private mutating func operands(_ codes: Quantization, of name: String) throws(FormatError) -> [String] {
    let shape = codes.scales.count > 1 ? [codes.scales.count] : []
    var scales: [UInt8] = []
    for scale in codes.scales { scales.appendLittleEndian(scale.bitPattern) }
    var points: [UInt8] = []
    for place in codes.scales.indices {
      let point = codes.zeroPoint(place)
      if codes.stored == .i32 {
        points.appendLittleEndian(UInt32(bitPattern: point))
      } else {
        points.append(UInt8(truncatingIfNeeded: point))
      }
    }
    return [try constant(.f32, shape, scales, of: name), try constant(codes.stored, shape, points, of: name)]
  }
}

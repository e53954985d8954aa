import ERIFormat

/// Our own operators as nodes of ONNX's operator set 20.
extension ONNXExport {
  /// - Throws: `FormatError` `.unsupported` for what no nodes of ONNX can say.
  mutating func express(_ node: Node) throws(FormatError) {
    guard let output = node.outputs.first else { throw contractError("expected 1 output, found none") }
    let inputs = node.inputs.map { $0.map { names[$0] } ?? "" }
    let types = node.inputs.map { $0.map { program.types[$0] } }
    let out = rawNames[output] ?? names[output]
    switch node.op {
    case .conv(let op):
      try append(
        "Conv", inputs, [out],
        window(op.strides, op.dilations, op.padsBegin, op.padsEnd) + [
          ONNXAttribute("group", .integer(Int64(op.groups)))
        ])
    case .batchNorm(let op):
      try append("BatchNormalization", inputs, [out], [ONNXAttribute("epsilon", .number(op.epsilon))])
    case .weightNorm: try expressWeightNorm(inputs, try rank(types, 0), out)
    case .linear: try expressLinear(inputs, try rank(types, 0), out)
    case .maxPool(let op):
      var attributes = window(op.strides, op.dilations, op.padsBegin, op.padsEnd)
      attributes.append(ONNXAttribute("kernel_shape", integers(op.kernel)))
      if op.ceilMode { attributes.append(ONNXAttribute("ceil_mode", .integer(1))) }
      try append("MaxPool", inputs, [out], attributes)
    case .layerNorm(let op): try expressLayerNorm(op, inputs, types, out)
    case .attention(let op): try expressAttention(op, inputs, out)
    case .attentionPool: try expressAttentionPool(inputs, out)
    case .unary(let op): try expressUnary(op.function, inputs, out)
    case .binary(let op):
      let type =
        switch op.function {
        case .add: "Add"
        case .subtract: "Sub"
        case .multiply: "Mul"
        case .divide: "Div"
        }
      try append(type, inputs, [out], [])
    case .concat(let op):
      try append("Concat", inputs, [out], [ONNXAttribute("axis", .integer(Int64(op.axis)))])
    case .reshape(let op): try expressReshape(op, inputs, out)
    case .transpose(let op):
      try append("Transpose", inputs, [out], [ONNXAttribute("perm", integers(op.permutation))])
    case .gate(let op): try expressGate(op, inputs, try rank(types, 0), out)
    case .prelu: try expressPReLU(inputs, try rank(types, 0), out)
    case .softmax(let op):
      try append("Softmax", inputs, [out], [ONNXAttribute("axis", .integer(Int64(op.axis)))])
    case .onnx: break
    }
  }

  // MARK: Parts

  /// Adds a node with one output, whose name is made up where none is given.
  @discardableResult
  mutating func apply(
    _ type: String, _ inputs: [String], _ attributes: [ONNXAttribute] = [], of out: String, to name: String? = nil
  ) throws(FormatError) -> String {
    let output = name ?? unique("\(out)/\(type)")
    try append(type, inputs, [output], attributes)
    return output
  }

  /// Adds an int64 Constant: a scalar for a single value, if that is asked for.
  mutating func constant(_ values: [Int], of out: String, isScalar: Bool = false) throws(FormatError) -> String {
    var bytes: [UInt8] = []
    for value in values { bytes.appendLittleEndian(Int64(value)) }
    return try constant(.i64, isScalar ? [] : [values.count], bytes, of: out)
  }

  /// Adds a float32 Constant of no dimensions.
  mutating func constant(_ value: Float, of out: String) throws(FormatError) -> String {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(value.bitPattern)
    return try constant(.f32, [], bytes, of: out)
  }

  mutating func constant(
    _ dtype: DType, _ shape: [Int], _ bytes: [UInt8], of out: String
  ) throws(FormatError) -> String {
    let name = unique("\(out)/Constant")
    try append("Constant", [], [name], [ONNXAttribute("value", .tensor(Golden.Values("", dtype, shape, bytes)))])
    return name
  }

  func integers(_ values: [Int]) -> ONNXAttribute.Content { .integers(values.map { Int64($0) }) }

  /// The number of an input's dimensions, which its nodes depend on.
  private func rank(_ types: [ValueType?], _ index: Int) throws(FormatError) -> Int {
    guard index < types.count, let type = types[index], type.isRanked else {
      throw FormatError(
        .unsupported, at: "", "expected an input of known rank to express in ONNX, found one that only binding decides")
    }
    return type.shape.count
  }

  private func window(
    _ strides: [Int], _ dilations: [Int], _ padsBegin: [Int], _ padsEnd: [Int]
  ) -> [ONNXAttribute] {
    [
      ONNXAttribute("strides", integers(strides)), ONNXAttribute("dilations", integers(dilations)),
      ONNXAttribute("pads", integers(padsBegin + padsEnd)),
    ]
  }

  // MARK: Operators

  private mutating func expressUnary(
    _ function: Unary.Function, _ inputs: [String], _ out: String
  ) throws(FormatError) {
    switch function {
    case .relu: try append("Relu", inputs, [out], [])
    case .sigmoid: try append("Sigmoid", inputs, [out], [])
    case .tanh: try append("Tanh", inputs, [out], [])
    case .exp: try append("Exp", inputs, [out], [])
    case .gelu: try append("Gelu", inputs, [out], [ONNXAttribute("approximate", .text("none"))])
    case .geluTanh: try append("Gelu", inputs, [out], [ONNXAttribute("approximate", .text("tanh"))])
    }
  }

  /// v · (g / ‖v‖).
  private mutating func expressWeightNorm(_ inputs: [String], _ rank: Int, _ out: String) throws(FormatError) {
    let axes = try constant(Array(1..<rank), of: out)
    let norm = try apply("ReduceL2", [inputs[0], axes], of: out)
    let factor = try apply("Div", [inputs[1], norm], of: out)
    try apply("Mul", [inputs[0], factor], of: out, to: out)
  }

  private mutating func expressLinear(_ inputs: [String], _ rank: Int, _ out: String) throws(FormatError) {
    if rank == 2 {
      return try append("Gemm", inputs, [out], [ONNXAttribute("transB", .integer(1))])
    }
    let weight = try apply("Transpose", [inputs[1]], [ONNXAttribute("perm", integers([1, 0]))], of: out)
    let hasBias = inputs.count > 2 && !inputs[2].isEmpty
    let product = try apply("MatMul", [inputs[0], weight], of: out, to: hasBias ? nil : out)
    if hasBias { try apply("Add", [product, inputs[2]], of: out, to: out) }
  }

  private mutating func expressLayerNorm(
    _ op: LayerNorm, _ inputs: [String], _ types: [ValueType?], _ out: String
  ) throws(FormatError) {
    let epsilon = ONNXAttribute("epsilon", .number(op.epsilon))
    if op.form == .standard {
      return try append("LayerNormalization", inputs, [out], [ONNXAttribute("axis", .integer(-1)), epsilon])
    }
    guard let width = types[0]?.shape.last?.constant else {
      throw FormatError(
        .unsupported, at: "",
        "expected a known last extent for a layer norm by the unbiased deviation, found one that only binding decides")
    }
    let axes = try constant([-1], of: out)
    let mean = try apply("ReduceMean", [inputs[0], axes], of: out)
    let centred = try apply("Sub", [inputs[0], mean], of: out)
    let square = try apply("Mul", [centred, centred], of: out)
    let sum = try apply("ReduceSum", [square, axes], of: out)
    let variance = try apply("Div", [sum, try constant(Float(width - 1), of: out)], of: out)
    let deviation = try apply("Sqrt", [variance], of: out)
    let divisor = try apply("Add", [deviation, try constant(op.epsilon, of: out)], of: out)
    let normed = try apply("Div", [centred, divisor], of: out)
    let scaled = try apply("Mul", [normed, inputs[1]], of: out)
    try apply("Add", [scaled, inputs[2]], of: out, to: out)
  }

  private mutating func expressAttention(_ op: Attention, _ inputs: [String], _ out: String) throws(FormatError) {
    // 0 keeps an extent, -1 is what is left.
    let split = try constant([0, 0, op.heads, -1], of: out)
    var parts: [String] = []
    for (input, permutation) in zip(inputs, [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]]) {
      let heads = try apply("Reshape", [input, split], of: out)
      parts.append(try apply("Transpose", [heads], [ONNXAttribute("perm", integers(permutation))], of: out))
    }
    let products = try apply("MatMul", [parts[0], parts[1]], of: out)
    var scores = try apply("Mul", [products, try constant(op.scale, of: out)], of: out)
    if let band = op.band {
      let mask = try expressBand(band, length: inputs[0], out)
      scores = try apply("Where", [mask, scores, try constant(-Float.infinity, of: out)], of: out)
    }
    let weights = try apply("Softmax", [scores], [ONNXAttribute("axis", .integer(-1))], of: out)
    let context = try apply("MatMul", [weights, parts[2]], of: out)
    let rows = try apply("Transpose", [context], [ONNXAttribute("perm", integers([0, 2, 1, 3]))], of: out)
    try apply("Reshape", [rows, try constant([0, 0, -1], of: out)], of: out, to: out)
  }

  /// Whether query i sees key j: [S, S] over the second extent of a value.
  private mutating func expressBand(
    _ band: Attention.Band, length: String, _ out: String
  ) throws(FormatError) -> String {
    let extent = try expressExtent(of: length, axis: 1, out)
    let zero = try constant([0], of: out)
    let count = try apply("Squeeze", [extent, zero], of: out)
    let steps = try apply(
      "Range",
      [try constant([0], of: out, isScalar: true), count, try constant([1], of: out, isScalar: true)], of: out)
    let queries = try apply("Unsqueeze", [steps, try constant([1], of: out)], of: out)
    let distance = try apply("Sub", [steps, queries], of: out)
    let first = try constant([-band.before], of: out, isScalar: true)
    let last = try constant([band.after], of: out, isScalar: true)
    let from = try apply("GreaterOrEqual", [distance, first], of: out)
    let to = try apply("LessOrEqual", [distance, last], of: out)
    return try apply("And", [from, to], of: out)
  }

  /// An extent of a value, as an int64 vector of one element.
  private mutating func expressExtent(of value: String, axis: Int, _ out: String) throws(FormatError) -> String {
    try apply(
      "Shape", [value],
      [ONNXAttribute("start", .integer(Int64(axis))), ONNXAttribute("end", .integer(Int64(axis + 1)))], of: out)
  }

  private mutating func expressAttentionPool(_ inputs: [String], _ out: String) throws(FormatError) {
    let swap = ONNXAttribute("perm", integers([1, 0]))
    let weight = try apply("Transpose", [inputs[1]], [swap], of: out)
    let product = try apply("MatMul", [inputs[0], weight], of: out)
    let scores = try apply("Add", [product, inputs[2]], of: out)
    let weights = try apply("Softmax", [scores], [ONNXAttribute("axis", .integer(1))], of: out)
    let rows = try apply("Transpose", [weights], [ONNXAttribute("perm", integers([0, 2, 1]))], of: out)
    let mean = try apply("MatMul", [rows, inputs[0]], of: out)
    try apply("Squeeze", [mean, try constant([1], of: out)], of: out, to: out)
  }

  private mutating func expressReshape(_ op: Reshape, _ inputs: [String], _ out: String) throws(FormatError) {
    let open = op.shape.filter { $0.constant == nil }
    let hasZero = op.shape.contains { $0.constant == 0 }
    if open.isEmpty || open.count == 1 && !hasZero {
      let shape = try constant(op.shape.map { $0.constant ?? -1 }, of: out)
      return try append(
        "Reshape", [inputs[0], shape], [out], hasZero ? [ONNXAttribute("allowzero", .integer(1))] : [])
    }
    var extents: [String] = []
    for dimension in op.shape {
      guard dimension.constant == nil else {
        extents.append(try constant([dimension.coefficient], of: out))
        continue
      }
      var product = dimension.coefficient == 1 ? nil : try constant([dimension.coefficient], of: out)
      for symbol in dimension.symbols {
        let extent = try expressSymbol(symbol, out)
        product =
          try product.map { product throws(FormatError) in try apply("Mul", [product, extent], of: out) } ?? extent
      }
      extents.append(product ?? "")
    }
    let shape = try apply("Concat", extents, [ONNXAttribute("axis", .integer(0))], of: out)
    try append("Reshape", [inputs[0], shape], [out], [ONNXAttribute("allowzero", .integer(1))])
  }

  /// The size of a symbol, from an input that has it as an extent.
  private mutating func expressSymbol(_ symbol: Int, _ out: String) throws(FormatError) -> String {
    for input in program.inputs {
      if let axis = program.types[input].shape.firstIndex(of: Dimension(symbol: symbol)) {
        return try expressExtent(of: names[input], axis: axis, out)
      }
    }
    throw FormatError(
      .unsupported, at: "",
      "expected an input with the extent \(program.graph.symbols[symbol]) alone, found none; ONNX takes sizes from inputs"
    )
  }

  /// Exactly 0 where present is, whatever x holds.
  private mutating func expressGate(
    _ op: Gate, _ inputs: [String], _ rank: Int, _ out: String
  ) throws(FormatError) {
    let index = try constant([op.index], of: out, isScalar: true)
    var column = try apply("Gather", [inputs[1], index], [ONNXAttribute("axis", .integer(1))], of: out)
    if rank > 1 { column = try apply("Unsqueeze", [column, try constant(Array(1..<rank), of: out)], of: out) }
    let zero = try constant(Float(0), of: out)
    let isAbsent = try apply("Equal", [column, zero], of: out)
    let product = try apply("Mul", [inputs[0], column], of: out)
    try apply("Where", [isAbsent, zero, product], of: out, to: out)
  }

  private mutating func expressPReLU(_ inputs: [String], _ rank: Int, _ out: String) throws(FormatError) {
    var slope = inputs[1]
    if rank > 2 { slope = try apply("Unsqueeze", [slope, try constant(Array(1..<(rank - 1)), of: out)], of: out) }
    try apply("PRelu", [inputs[0], slope], of: out, to: out)
  }
}

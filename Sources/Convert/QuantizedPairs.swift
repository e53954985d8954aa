import ERIFormat

/// Turns ONNX's QuantizeLinear and DequantizeLinear into what a file of ours says of tensors and values.
///
/// A DequantizeLinear of a tensor makes it a quantised tensor. A QuantizeLinear whose readers are all DequantizeLinear of the same scale and
/// zero point makes a quantised value. What is anything else stays the operators that it is.
struct QuantizedPairs {
  private var editable: EditableGraph
  /// Nodes by the value they read; an output of the graph counts as -1.
  private var readers: [[Int]]
  /// Values that nothing needs any more.
  private var consumed: Set<Int> = []
  private var tensorCount = 0
  private var valueCount = 0

  /// - Returns: graph, tensors and what was done.
  static func recognised(
    _ graph: Graph, _ tensors: [Tensor]
  ) throws(FormatError) -> (graph: Graph, tensors: [Tensor], notes: [String]) {
    let isOperator = { (node: Node) -> Bool in
      if case .onnx(let op) = node.op { op.isQuantizing || op.isDequantizing } else { false }
    }
    guard graph.nodes.contains(where: isOperator) else { return (graph, tensors, []) }
    var pairs = QuantizedPairs(editable: EditableGraph(graph, tensors))
    try pairs.recogniseTensors()
    try pairs.recogniseValues()
    let result = pairs.editable.compacted(removing: pairs.consumed)
    var notes: [String] = []
    if pairs.tensorCount + pairs.valueCount > 0 {
      notes.append(
        "\(counted(pairs.tensorCount, "tensor")) and \(counted(pairs.valueCount, "value")) between QuantizeLinear and DequantizeLinear became quantized ones, scales and zero points theirs; these operators are no nodes any more"
      )
    }
    let left = result.graph.nodes.count(where: isOperator)
    if left > 0 {
      notes.append(
        "\(counted(left, "node")) of QuantizeLinear and DequantizeLinear stay operators of ONNX: no pair of one constant scale, or no tensor before them"
      )
    }
    return (result.graph, result.tensors, notes)
  }

  private init(editable: EditableGraph) {
    self.editable = editable
    readers = [[Int]](repeating: [], count: editable.values.count)
    for (index, node) in editable.nodes.enumerated() {
      for case let input? in node?.inputs ?? [] { readers[input].append(index) }
    }
    for output in editable.outputs { readers[output].append(-1) }
  }

  /// Lets every reader of a value read another instead.
  private mutating func replace(_ value: Int, by other: Int) {
    for reader in readers[value] {
      for position in editable.nodes[reader]?.inputs.indices ?? 0..<0
      where editable.nodes[reader]?.inputs[position] == value {
        editable.nodes[reader]?.inputs[position] = other
      }
    }
    readers[other] += readers[value]
    readers[value] = []
  }

  // MARK: Tensors

  private mutating func recogniseTensors() throws(FormatError) {
    for index in editable.nodes.indices {
      guard let node = editable.nodes[index], case .onnx(let op) = node.op, op.isDequantizing,
        let stored = node.inputs[0], case .tensor(let tensor) = editable.values[stored].source,
        readers[stored] == [index], let output = node.outputs.first,
        let quantization = try quantization(op, node, of: editable.tensors[tensor])
      else { continue }
      editable.tensors[tensor].quantization = quantization
      editable.values[output].source = .tensor(tensor)
      editable.values[output].declared = nil
      editable.nodes[index] = nil
      consumed.formUnion(node.inputs.compactMap { $0 })
      tensorCount += 1
    }
  }

  private func quantization(
    _ op: ONNXOperator, _ node: Node, of tensor: Tensor
  ) throws(FormatError) -> Quantization? {
    guard [.i8, .u8, .i32].contains(tensor.dtype), tensor.quantization == nil,
      var codes = try codes(op, node, stored: tensor.dtype)
    else { return nil }
    if codes.scales.count > 1 {
      let axis = op.integer("axis") ?? 1
      codes.axis = axis < 0 ? axis + tensor.shape.count : axis
      guard tensor.shape.indices.contains(codes.axis), tensor.shape[codes.axis] == codes.scales.count else {
        return nil
      }
    }
    if tensor.dtype == .i8, !(try tensor.elements(zero: Int8(0)).contains(-128)) { codes.minimum = -127 }
    return codes
  }

  /// Scale and zero point of a node, if they are constant: codes of the whole range of the type.
  private func codes(_ op: ONNXOperator, _ node: Node, stored: DType) throws(FormatError) -> Quantization? {
    guard node.inputs.count > 1, let scale = editable.floatTensor(of: node.inputs[1]),
      op.integer("block_size") ?? 0 == 0
    else { return nil }
    let scales = try editable.floats(scale)
    guard editable.tensors[scale].shape.count <= 1, !scales.isEmpty, scales.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      return nil
    }
    var zeroPoints: [Int32] = []
    if node.inputs.count > 2, let zero = node.inputs[2] {
      guard case .tensor(let tensor) = editable.values[zero].source, editable.tensors[tensor].dtype == stored,
        editable.tensors[tensor].elementCount == scales.count
      else { return nil }
      let block = try TensorBlock(editable.tensors[tensor])
      guard let bytes = block.bytes.baseAddress else { return nil }
      zeroPoints = scales.indices.map { Int32(stored.number(at: $0, of: bytes)) }
      if zeroPoints.allSatisfy({ $0 == 0 }) { zeroPoints = [] }
    }
    let range: (Int32, Int32) =
      switch stored {
      case .i8: (-128, 127)
      case .u8: (0, 255)
      default: (Int32.min, Int32.max)
      }
    return Quantization(
      stored: stored, scales: scales, zeroPoints: zeroPoints, minimum: range.0, maximum: range.1)
  }

  // MARK: Values

  private mutating func recogniseValues() throws(FormatError) {
    for index in editable.nodes.indices {
      guard let node = editable.nodes[index], case .onnx(let op) = node.op, op.isQuantizing, let x = node.inputs[0],
        let stored = node.outputs.first, let codes = try valueCodes(op, node)
      else { continue }
      let pairs = readers[stored]
      var isPair = !pairs.isEmpty
      for reader in pairs where isPair { isPair = try isDequantizing(reader, codes) }
      guard isPair else { continue }
      let isOwn = readers[x] == [index] && editable.values[x].quantization == nil && !isTensor(x)
      for reader in pairs {
        guard let pair = editable.nodes[reader], let y = pair.outputs.first else { continue }
        consumed.formUnion(pair.inputs.compactMap { $0 })
        if isOwn && !editable.outputs.contains(y) {
          replace(y, by: x)
          consumed.insert(y)
          editable.nodes[reader] = nil
        } else {
          // The number before it has other readers too.
          editable.nodes[reader] = Node(
            .onnx(ONNXOperator("Identity", domain: "", opset: op.opset)), inputs: [x], outputs: [y])
          editable.values[y].quantization = codes
        }
      }
      if isOwn, pairs.contains(where: { editable.nodes[$0] == nil }) { editable.values[x].quantization = codes }
      editable.nodes[index] = nil
      consumed.formUnion(node.inputs.compactMap { $0 }.filter { $0 != x })
      consumed.insert(stored)
      valueCount += 1
    }
  }

  private func isTensor(_ value: Int) -> Bool {
    if case .tensor = editable.values[value].source { true } else { false }
  }

  /// One scale for all, of a zero point's type.
  private func valueCodes(_ op: ONNXOperator, _ node: Node) throws(FormatError) -> Quantization? {
    var stored = DType.u8
    if node.inputs.count > 2, let zero = node.inputs[2], case .tensor(let tensor) = editable.values[zero].source {
      stored = editable.tensors[tensor].dtype
    }
    guard [.i8, .u8].contains(stored), let codes = try codes(op, node, stored: stored), codes.scales.count == 1 else {
      return nil
    }
    return codes
  }

  private func isDequantizing(_ index: Int, _ wanted: Quantization) throws(FormatError) -> Bool {
    guard index >= 0, let node = editable.nodes[index], case .onnx(let op) = node.op, op.isDequantizing else {
      return false
    }
    return try valueCodes(op, node) == wanted
  }
}

extension ONNXOperator {
  var isQuantizing: Bool { domain.isEmpty && name == "QuantizeLinear" }
  var isDequantizing: Bool { domain.isEmpty && name == "DequantizeLinear" }
}

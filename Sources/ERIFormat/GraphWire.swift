import CERISchema

// The graph's wire form, both ways. References count from 1 there; 0 means no value.

extension DirectoryWriter {
  func graph(_ graph: Graph) throws(FormatError) -> UnsafeMutablePointer<Eri__Graph> {
    let wire = try arena.message(eri__graph__init)
    (wire.pointee.n_symbols, wire.pointee.symbols) = (graph.symbols.count, try arena.strings(graph.symbols))
    (wire.pointee.n_values, wire.pointee.values) = (graph.values.count, try arena.messages(graph.values, value))
    (wire.pointee.n_nodes, wire.pointee.nodes) = (graph.nodes.count, try arena.messages(graph.nodes, node))
    (wire.pointee.n_outputs, wire.pointee.outputs) = (
      graph.outputs.count, try arena.copy(try references(graph.outputs.map { $0 }))
    )
    return wire
  }

  func quantization(_ quantization: Quantization) throws(FormatError) -> UnsafeMutablePointer<Eri__Quantization> {
    let wire = try arena.message(eri__quantization__init)
    wire.pointee.scheme = ERI__QUANTIZATION_SCHEME__QUANTIZATION_SCHEME_LINEAR
    wire.pointee.stored = Eri__DType(quantization.stored)
    (wire.pointee.n_scales, wire.pointee.scales) = (quantization.scales.count, try arena.copy(quantization.scales))
    (wire.pointee.n_zero_points, wire.pointee.zero_points) = (
      quantization.zeroPoints.count, try arena.copy(quantization.zeroPoints)
    )
    wire.pointee.axis = Int32(bitPattern: try wire32(quantization.axis))
    wire.pointee.block = try wire32(quantization.block)
    wire.pointee.minimum = quantization.minimum
    wire.pointee.maximum = quantization.maximum
    return wire
  }

  private func value(_ value: Value) throws(FormatError) -> UnsafeMutablePointer<Eri__Value> {
    let wire = try arena.message(eri__value__init)
    wire.pointee.name = try arena.string(value.name)
    switch value.source {
    case .input(let input):
      wire.pointee.source_case = ERI__VALUE__SOURCE_INPUT
      wire.pointee.input = try self.input(input)
    case .tensor(let index):
      wire.pointee.source_case = ERI__VALUE__SOURCE_TENSOR
      wire.pointee.tensor = try wire32(index)
    case .node:
      break
    }
    if let quantization = value.quantization { wire.pointee.quantization = try self.quantization(quantization) }
    if let type = value.declared { wire.pointee.declared = try declared(type) }
    return wire
  }

  private func declared(_ type: ValueType) throws(FormatError) -> UnsafeMutablePointer<Eri__Declared> {
    let wire = try arena.message(eri__declared__init)
    wire.pointee.dtype = Eri__DType(type.dtype)
    (wire.pointee.n_shape, wire.pointee.shape) = (type.shape.count, try wireDimensions(type.shape, in: arena))
    wire.pointee.ranked = type.isRanked ? 1 : 0
    return wire
  }

  private func input(_ input: Input) throws(FormatError) -> UnsafeMutablePointer<Eri__Input> {
    let wire = try arena.message(eri__input__init)
    wire.pointee.dtype = Eri__DType(input.type.dtype)
    (wire.pointee.n_shape, wire.pointee.shape) = (
      input.type.shape.count, try wireDimensions(input.type.shape, in: arena)
    )
    switch input.omission {
    case .required:
      wire.pointee.omission = ERI__OMISSION__OMISSION_REQUIRED
    case .filled(let fill):
      wire.pointee.omission = ERI__OMISSION__OMISSION_FILLED
      wire.pointee.fill = fill
    case .gated:
      wire.pointee.omission = ERI__OMISSION__OMISSION_GATED
    }
    return wire
  }

  private func node(_ node: Node) throws(FormatError) -> UnsafeMutablePointer<Eri__Node> {
    let wire = try arena.message(eri__node__init)
    (wire.pointee.n_inputs, wire.pointee.inputs) = (node.inputs.count, try arena.copy(try references(node.inputs)))
    (wire.pointee.n_outputs, wire.pointee.outputs) = (
      node.outputs.count, try arena.copy(try references(node.outputs.map { $0 }))
    )
    wire.pointee.version = node.op.identity.version
    try node.op.write(to: wire, in: arena)
    return wire
  }

  private func references(_ indices: [Int?]) throws(FormatError) -> [UInt32] {
    var references: [UInt32] = []
    for index in indices {
      guard let index else {
        references.append(0)
        continue
      }
      let (reference, overflow) = try wire32(index).addingReportingOverflow(1)
      guard !overflow else { throw contractError("expected a value's index, found \(index)") }
      references.append(reference)
    }
    return references
  }
}

extension DirectoryReader {
  func graph(_ wire: Eri__Graph) throws(FormatError) -> Graph {
    var graph = Graph()
    graph.symbols = try elements(wire.symbols, wire.n_symbols, limit: Limits.symbols, "symbols") {
      name throws(FormatError) in
      try text(name, limit: Limits.nameBytes, "a symbol's name")
    }
    graph.values = try messages(
      wire.values, wire.n_values, limit: Limits.values, "values", each: "value", from: 1, value)
    graph.nodes = try messages(wire.nodes, wire.n_nodes, limit: Limits.nodes, "nodes", each: "node", node)
    graph.outputs = try definite(wire.outputs, wire.n_outputs, "outputs of the graph")
    return graph
  }

  func quantization(_ wire: UnsafeMutablePointer<Eri__Quantization>?) throws(FormatError) -> Quantization? {
    guard let wire = wire?.pointee else { return nil }
    guard wire.scheme == ERI__QUANTIZATION_SCHEME__QUANTIZATION_SCHEME_LINEAR else {
      throw contractError("expected a quantization scheme, found none")
    }
    return Quantization(
      stored: try DType(wire: wire.stored),
      scales: try elements(wire.scales, wire.n_scales, limit: Limits.scales, "scales") { scale throws(FormatError) in
        scale
      },
      zeroPoints: try elements(wire.zero_points, wire.n_zero_points, limit: Limits.scales, "zero points") {
        point throws(FormatError) in point
      },
      axis: try integer(wire.axis, 0...Limits.rank, "an axis"),
      block: try integer(wire.block, 0...Limits.elements, "a block"),
      minimum: wire.minimum, maximum: wire.maximum)
  }

  private func value(_ wire: Eri__Value) throws(FormatError) -> Value {
    let source: Value.Source
    switch wire.source_case {
    case ERI__VALUE__SOURCE_INPUT: source = .input(try input(wire.input))
    case ERI__VALUE__SOURCE_TENSOR: source = .tensor(try integer(wire.tensor, 0...Limits.tensors, "a tensor's index"))
    default: source = .node
    }
    return Value(
      try text(wire.name, limit: Limits.nameBytes, "a name"), source, quantization: try quantization(wire.quantization),
      declared: try declared(wire.declared))
  }

  private func declared(_ wire: UnsafeMutablePointer<Eri__Declared>?) throws(FormatError) -> ValueType? {
    guard let wire = wire?.pointee else { return nil }
    let shape = try dimensions(wire.shape, wire.n_shape)
    guard wire.ranked != 0 || shape.isEmpty else {
      throw contractError("expected no declared shape where none is known, found \(counted(shape.count, "dimension"))")
    }
    return ValueType(declared: try DType(wire: wire.dtype), wire.ranked != 0 ? shape : nil)
  }

  private func input(_ wire: UnsafeMutablePointer<Eri__Input>?) throws(FormatError) -> Input {
    guard let wire = wire?.pointee else { throw contractError("expected an input, found none") }
    let type = ValueType(try DType(wire: wire.dtype), try dimensions(wire.shape, wire.n_shape))
    guard wire.omission == ERI__OMISSION__OMISSION_FILLED || wire.fill == 0 else {
      throw contractError("expected a fill value only for an input that may be left out and filled, found \(wire.fill)")
    }
    switch wire.omission {
    case ERI__OMISSION__OMISSION_FILLED: return Input(type, omission: .filled(wire.fill))
    case ERI__OMISSION__OMISSION_GATED: return Input(type, omission: .gated)
    default: return Input(type)
    }
  }

  private func node(_ wire: Eri__Node) throws(FormatError) -> Node {
    try checkOperator(wire)
    let op = try Operator(wire: wire)
    let known = op.identity
    guard wire.version >= 1, wire.version <= known.version else {
      guard wire.version > known.version else { throw contractError("expected a version of \(known.name), found 0") }
      throw FormatError(
        .unsupported, at: "",
        "expected \(known.name) of version \(known.version) at most, found \(wire.version)\(since(known.number)); "
          + "read it with a newer release")
    }
    let inputs = try integers(wire.inputs, wire.n_inputs, limit: Limits.arity, "inputs of a node")
    return Node(
      op, inputs: inputs.map { $0 == 0 ? nil : $0 - 1 },
      outputs: try definite(wire.outputs, wire.n_outputs, "outputs of a node"))
  }

  /// Refuses an operator, or a field of a node, that the schema does not know, by the name that the file gives it.
  private func checkOperator(_ wire: Eri__Node) throws(FormatError) {
    var wire = wire
    let unknown = withUnsafePointer(to: &wire) { node in
      let message = WireMessage(node)
      return message.unknownFieldCount > 0 ? message.unknownField(0) : nil
    }
    guard let unknown else {
      guard wire.operator_case != ERI__NODE__OPERATOR__NOT_SET else {
        throw contractError("expected an operator, found none")
      }
      return
    }
    guard unknown >= Conv.number else {
      throw FormatError(
        .unsupported, at: "",
        "expected the fields of Node that this reader knows, found number \(unknown); read it with a newer release")
    }
    let name =
      operators.first { $0.number == unknown }.map { "\"\($0.name)\" (number \(unknown))" } ?? "number \(unknown)"
    throw FormatError(
      .unsupported, at: "",
      "expected an operator that this reader knows, found \(name)\(since(unknown)); read it with a newer release")
  }

  /// ", which format 1.3 brought", as far as the file says it.
  private func since(_ number: UInt32) -> String {
    operators.first { $0.number == number }.map { ", which format \($0.major).\($0.minor) brought" } ?? ""
  }

  /// References that must not be 0, as indices.
  private func definite(
    _ pointer: UnsafeMutablePointer<UInt32>?, _ count: Int, _ what: String
  ) throws(FormatError) -> [Int] {
    let references = try integers(pointer, count, limit: Limits.arity, what)
    for reference in references where reference == 0 { throw contractError("expected \(what) counted from 1, found 0") }
    return references.map { $0 - 1 }
  }
}

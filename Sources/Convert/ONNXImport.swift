import ERIFormat
import ERIONNX

/// Makes a model with its graph of an ONNX file whose initialisers are read already.
struct ONNXImport {
  private let tensors: ONNXTensorReader
  private var graph = Graph()
  private var entries: [Tensor]
  private(set) var notes: [String] = []
  /// Values by name; names are told apart by their bytes.
  private var values: [[UInt8]: Int] = [:]
  /// Every name that the file gives, so that none is made up twice.
  private var taken: Set<[UInt8]> = []
  private var declared: [[UInt8]: ONNXValueInfo] = [:]
  private var graphOutputs: Set<[UInt8]> = []
  private var symbols = ONNXSymbols()
  private var functions: [[UInt8]: ONNXFunctionMessage] = [:]
  private var calls = 0
  private var raisedNodes = 0
  private var refusals = ONNXRefusals()

  private init(_ initialisers: [Tensor], _ tensors: ONNXTensorReader) {
    entries = initialisers
    self.tensors = tensors
  }

  /// - Parameter checkpoint: the same file's initialisers.
  /// - Throws: `FormatError` `.unsupported` naming all that is not computed here, `.invalid` for what ONNX forbids.
  static func model(of checkpoint: Checkpoint) throws(FormatError) -> (model: Model, notes: [String]) {
    let file = try FileHandle(path: checkpoint.path)
    let message = try ONNXModelMessage(file)
    let tensors = ONNXTensorReader(file, path: checkpoint.path)
    var model = Model()
    var reader = ONNXImport(checkpoint.entries.map { $0.tensor }, tensors)
    do throws(FormatError) {
      let body = try ONNXGraphMessage(message.graph, tensors)
      try reader.readFunctions(message)
      try reader.read(body, message.summary.opset)
      model.lineage.append(
        LineageStep(
          action: "convert", detail: try ONNXImport.detail(message, body), source: fileName(of: checkpoint.path)))
    } catch {
      throw error.inside("graph")
    }
    if message.hasTraining { reader.notes.append("what the model says of its training was left out") }
    let recognised = try QuantizedPairs.recognised(reader.graph, reader.entries)
    reader.notes += recognised.notes
    model.graph = recognised.graph
    model.tensors = recognised.tensors
    try TensorRules.check(model.tensors)
    _ = try Program(validating: model)
    return (model, reader.notes)
  }

  private static func detail(_ message: ONNXModelMessage, _ graph: ONNXGraphMessage) throws(FormatError) -> String {
    let summary = message.summary
    var detail = "onnx, IR \(summary.irVersion)"
    for set in summary.opset {
      detail += ", operator set \(set.version)" + (set.domain.isEmpty ? "" : " of \(brief(set.domain))")
    }
    let producer = brief(summary.producerName) + (summary.producerVersion.isEmpty ? "" : " ")
    detail += producer.isEmpty ? "" : ", made by \(producer)\(brief(summary.producerVersion))"
    if !graph.name.isEmpty { detail += ", graph \(brief(graph.name))" }
    if let text = try message.briefDocumentation() { detail += ", documentation: \(text)" }
    for (key, value) in try message.metadata() {
      // What the format's limit of a text leaves room for.
      guard detail.utf8.count < 32_768 else { break }
      detail += ", metadata \(brief(key)): \(brief(value))"
    }
    return detail
  }

  // MARK: The graph

  private mutating func readFunctions(_ message: ONNXModelMessage) throws(FormatError) {
    var nodeCount = 0
    for (index, reader) in message.functions.enumerated() {
      do throws(FormatError) {
        let function = try ONNXFunctionMessage(reader, tensors)
        nodeCount += function.nodes.count
        guard nodeCount <= Limits.nodes else {
          throw FormatError(
            .limitExceeded, at: "", "expected at most \(Limits.nodes) nodes of all functions, found more")
        }
        guard functions.updateValue(function, forKey: function.key) == nil else {
          throw contractError("expected a name of its own, found \"\(brief(function.name))\" a second time")
        }
      } catch {
        throw error.inside("function \(index)")
      }
    }
  }

  private mutating func read(_ body: ONNXGraphMessage, _ sets: [ONNXModelMessage.OperatorSet]) throws(FormatError) {
    for tensor in entries { taken.insert(Array(tensor.name.utf8)) }
    for input in body.inputs { taken.insert(Array(input.name.utf8)) }
    for node in body.nodes { for name in node.outputs { taken.insert(Array(name.utf8)) } }
    for value in body.values + body.outputs { declared[Array(value.name.utf8)] = value }
    graphOutputs = Set(body.outputs.map { Array($0.name.utf8) })
    symbols.reserve(body.inputs + body.outputs)
    let initialised = Set(entries.map { Array($0.name.utf8) })
    try addInputs(body.inputs, except: initialised)
    for (index, tensor) in entries.enumerated() { try add(Value(tensor.name, .tensor(index))) }
    for (index, node) in body.nodes.enumerated() {
      do throws(FormatError) { try add(node, sets, depth: 0) } catch {
        throw error.inside(ONNXImport.place(index, node))
      }
    }
    for output in body.outputs {
      guard let value = values[Array(output.name.utf8)] else {
        if refusals.isEmpty {
          throw contractError("expected outputs that a node computes, found \"\(brief(output.name))\"")
        }
        continue
      }
      if case .other(let kind) = output.declared { refusals.add(value: output.name, "output", kind) }
      graph.outputs.append(value)
    }
    graph.symbols = symbols.names
    try refusals.check()
    if body.quantizationAnnotations > 0 {
      notes.append("\(counted(body.quantizationAnnotations, "quantization annotation")) left out")
    }
    if raisedNodes > 0 {
      notes.append("operator set 6 became 7, for which \(counted(raisedNodes, "node")) changed")
    }
    if calls > 0 { notes.append("\(counted(calls, "call")) of the model's own functions became the functions' nodes") }
  }

  static func place(_ index: Int, _ node: ONNXNodeMessage) -> String {
    let output = node.outputs.first { !$0.isEmpty } ?? ""
    return "node \(index) (\(brief(node.qualifiedName))\(output.isEmpty ? "" : " ")\(brief(output)))"
  }

  private mutating func addInputs(_ inputs: [ONNXValueInfo], except initialised: Set<[UInt8]>) throws(FormatError) {
    var defaults = 0
    for input in inputs {
      if initialised.contains(Array(input.name.utf8)) {
        defaults += 1
        continue
      }
      switch input.declared {
      case .tensor(let number, let extents):
        guard let dtype = ONNXType.dtype(number) else {
          refusals.add(value: input.name, "input", ONNXType.name(number))
          continue
        }
        guard let extents else {
          refusals.add(value: input.name, "input", "no shape")
          continue
        }
        let shape: [Dimension]
        do throws(FormatError) { shape = try symbols.shape(extents, of: input.name) } catch {
          throw error.inside("input \"\(brief(input.name))\"")
        }
        try add(Value(input.name, .input(Input(ValueType(dtype, shape)))))
      case .other(let kind): refusals.add(value: input.name, "input", kind)
      case .none: refusals.add(value: input.name, "input", "no type")
      }
    }
    if defaults > 0 {
      notes.append(
        "\(counted(defaults, "input")) to which the model gives \(defaults == 1 ? "a value" : "values") became weights")
    }
  }

  @discardableResult
  private mutating func add(_ value: Value) throws(FormatError) -> Int {
    guard graph.values.count < Limits.values else {
      throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.values) values, found more")
    }
    guard values.updateValue(graph.values.count, forKey: Array(value.name.utf8)) == nil else {
      throw contractError("expected a value's name of its own, found \"\(brief(value.name))\" a second time")
    }
    graph.values.append(value)
    return graph.values.count - 1
  }

  /// A name that no value has: `stem`, or that with a number.
  private mutating func unique(_ stem: String) -> String {
    // Room for a number within the limit of a name.
    var name = stem.utf8.count <= Limits.nameBytes - 16 ? stem : "value"
    let base = name
    var number = 1
    while !taken.insert(Array(name.utf8)).inserted {
      name = "\(base).\(number)"
      number += 1
    }
    return name
  }

  // MARK: Nodes

  private mutating func add(
    _ node: ONNXNodeMessage, _ sets: [ONNXModelMessage.OperatorSet], depth: Int
  ) throws(FormatError) {
    if let function = functions[ONNXFunctionMessage.key(node.domain, node.type, node.overload)] {
      return try call(function, node, sets, depth: depth)
    }
    guard let set = sets.last(where: { ONNXNodeMessage.domain($0.domain) == node.domain }) else {
      throw contractError(
        "expected an operator set of domain \"\(brief(node.domain))\" in the model, found none")
    }
    guard node.domain.isEmpty else { return try append(node, set.version) }
    if set.version == 6 {
      let raised = try ONNXOperatorSet6.raised(node, rank: { rank(of: $0) }, name: { unique($0) })
      guard raised.isChanged else { return try append(node, 7) }
      raisedNodes += 1
      for node in raised.nodes { try append(node, 7) }
      return
    }
    guard set.version >= 7 else {
      throw FormatError(
        .unsupported, at: "",
        "expected ONNX's operator set 6 or later, found \(set.version); raise it with onnx.version_converter")
    }
    try append(node, set.version)
  }

  /// The number of a value's dimensions as far as the file says it.
  private func rank(of name: String) -> Int? {
    guard let index = values[Array(name.utf8)] else { return nil }
    switch graph.values[index].source {
    case .input(let input): return input.type.shape.count
    case .tensor(let tensor): return entries[tensor].shape.count
    case .node:
      guard let type = graph.values[index].declared, type.isRanked else { return nil }
      return type.shape.count
    }
  }

  private mutating func append(_ node: ONNXNodeMessage, _ version: UInt64) throws(FormatError) {
    guard version <= UInt64(Limits.opset), version > 0 else {
      throw FormatError(
        .limitExceeded, at: "", "expected an operator set from 1 to \(Limits.opset), found \(version)")
    }
    if node.domain.isEmpty && node.type == "Constant" { return try constant(node) }
    var op = ONNXOperator(node.type, domain: node.domain, opset: Int(version))
    var isComputed = op.isSupported
    if !isComputed { refusals.add(node: node.qualifiedName, node.foreignAttribute) }
    var attributes: [ONNXAttribute] = []
    for attribute in node.attributes {
      switch attribute.value {
      case .content(let content): attributes.append(ONNXAttribute(attribute.name, content))
      case .tensor(let reader):
        guard isComputed else { continue }
        let number = try tensors.elementType(reader)
        if ONNXType.dtype(number) == nil {
          refusals.add(node: node.qualifiedName, "\(attribute.name) of \(ONNXType.name(number))")
          isComputed = false
        } else {
          attributes.append(ONNXAttribute(attribute.name, .tensor(try tensor(reader, of: attribute.name))))
        }
      case .foreign(let kind):
        if isComputed { refusals.add(node: node.qualifiedName, "\(attribute.name) holds \(kind)") }
        isComputed = false
      // Only a function's nodes have one, and a call replaces it.
      case .reference(let name):
        throw contractError(
          "expected a value of attribute \"\(attribute.name)\", found a reference to \"\(brief(name))\"")
      }
    }
    op = ONNXOperator(node.type, domain: node.domain, opset: Int(version), attributes: attributes)
    try append(node, op)
  }

  private mutating func append(_ node: ONNXNodeMessage, _ op: ONNXOperator) throws(FormatError) {
    var inputs: [Int?] = []
    for name in node.inputs.dropLastEmpty() { inputs.append(try name.isEmpty ? nil : operand(name)) }
    var outputs: [Int] = []
    let names = node.outputs.dropLastEmpty()
    guard !node.outputs.isEmpty else { throw contractError("expected at least 1 output, found none") }
    for (position, name) in (names.isEmpty ? [""] : names).enumerated() {
      let name = name.isEmpty ? unique("\(node.type).\(graph.nodes.count).\(position)") : name
      let key = Array(name.utf8)
      let type = symbols.declared(declared[key], isOutput: graphOutputs.contains(key))
      outputs.append(try add(Value(name, .node, declared: type)))
    }
    guard graph.nodes.count < Limits.nodes else {
      throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.nodes) nodes, found more")
    }
    graph.nodes.append(Node(.onnx(op), inputs: inputs, outputs: outputs))
  }

  private mutating func operand(_ name: String) throws(FormatError) -> Int? {
    if let value = values[Array(name.utf8)] { return value }
    // What a refused input or node would have given.
    if !refusals.isEmpty { return nil }
    let found = taken.contains(Array(name.utf8)) ? "computed later" : "that nothing computes"
    throw contractError("expected inputs computed by earlier nodes, found \"\(brief(name))\" \(found)")
  }

  /// An attribute's tensor, in memory.
  private func tensor(_ reader: ProtobufReader, of name: String) throws(FormatError) -> Golden.Values {
    let tensor = try tensors.tensor(reader, named: name, "attribute")
    do throws(FormatError) {
      guard let count = tensor.elementCount, count <= Limits.attributeElements else {
        throw FormatError(
          .limitExceeded, at: "",
          "expected at most \(Limits.attributeElements) elements, found \(shapeText(tensor.shape))")
      }
      // The attribute bears the name.
      return Golden.Values("", tensor.dtype, tensor.shape, try tensor.bytes())
    } catch {
      throw error.inside("attribute \"\(brief(name))\"")
    }
  }

  /// A Constant's value becomes a tensor.
  private mutating func constant(_ node: ONNXNodeMessage) throws(FormatError) {
    guard node.outputs.count == 1, let name = node.outputs.first, !name.isEmpty else {
      throw contractError("expected 1 output, found \(node.outputs.count)")
    }
    guard node.attributes.count == 1, let attribute = node.attributes.first else {
      throw contractError("expected one attribute that holds the value, found \(node.attributes.count)")
    }
    let tensor: Tensor
    switch attribute.value {
    case .tensor(let reader):
      let number = try tensors.elementType(reader)
      guard ONNXType.dtype(number) != nil else { return refusals.add(node: "Constant", ONNXType.name(number)) }
      tensor = try tensors.tensor(reader, named: name, "constant")
    case .content(.integer(let value)): tensor = Tensor(name, .i64, [], values: .bytes(littleEndian([value])))
    case .content(.integers(let values)):
      tensor = Tensor(name, .i64, [values.count], values: .bytes(littleEndian(values)))
    case .content(.number(let value)): tensor = Tensor(name, [], floats: [value])
    case .content(.numbers(let values)): tensor = Tensor(name, [values.count], floats: values)
    case .content(.text), .content(.texts): return refusals.add(node: "Constant", "STRING")
    case .content(.tensor): throw contractError("expected a tensor in the file, found another")
    case .foreign(let kind): return refusals.add(node: "Constant", kind)
    case .reference(let name):
      throw contractError("expected a value, found a reference to \"\(brief(name))\"")
    }
    entries.append(tensor)
    entries[entries.count - 1].role = .constant
    try add(Value(name, .tensor(entries.count - 1)))
  }

  private func littleEndian(_ values: [Int64]) -> [UInt8] {
    var bytes: [UInt8] = []
    for value in values { bytes.appendLittleEndian(value) }
    return bytes
  }

  // MARK: Functions

  /// Adds a function's nodes in place of a call, under names of their own.
  private mutating func call(
    _ function: ONNXFunctionMessage, _ node: ONNXNodeMessage, _ sets: [ONNXModelMessage.OperatorSet], depth: Int
  ) throws(FormatError) {
    guard depth < Limits.functionNesting else {
      throw FormatError(
        .limitExceeded, at: "", "expected functions at most \(Limits.functionNesting) deep in one another, found more")
    }
    calls += 1
    // Functions that call others twice each would otherwise take as long as 2 to their depth.
    guard calls <= Limits.nodes else {
      throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.nodes) calls of functions, found more")
    }
    var body = try ONNXCall(function, node)
    let prefix = unique("\(function.name).\(calls)")
    for inner in function.nodes {
      for name in inner.outputs where !name.isEmpty && !body.isNamed(name) {
        body.rename(name, to: unique("\(prefix)/\(name)"))
      }
    }
    for (index, inner) in function.nodes.enumerated() {
      do throws(FormatError) {
        try add(
          try body.resolved(inner), function.operatorSets.isEmpty ? sets : function.operatorSets, depth: depth + 1)
      } catch {
        throw error.inside(ONNXImport.place(index, inner))
      }
    }
    // An output that is one of the inputs.
    for (formal, actual) in zip(function.outputs, node.outputs) where !actual.isEmpty {
      guard values[Array(actual.utf8)] == nil, refusals.isEmpty else { continue }
      guard let source = body.actual(formal), !source.isEmpty, values[Array(source.utf8)] != nil else {
        throw contractError("expected a function that computes \"\(brief(formal))\", found none of its nodes does")
      }
      let own = sets.last { ONNXNodeMessage.domain($0.domain).isEmpty }
      try append(ONNXNodeMessage("Identity", inputs: [source], outputs: [actual]), own?.version ?? 13)
    }
  }
}

extension [String] {
  /// Without the empty names at the end, which mean the same as none.
  fileprivate func dropLastEmpty() -> ArraySlice<String> {
    prefix(through: lastIndex { !$0.isEmpty } ?? -1)
  }
}

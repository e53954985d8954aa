import ERIFormat

/// Writes a model with its graph as an ONNX file: nodes of ONNX as they are, our own operators as nodes of operator set 20.
struct ONNXExport {
  /// What protobuf can address.
  private static let byteLimit: UInt64 = (1 << 31) - 1
  /// The operator set that our own operators are expressed in, which has Gelu.
  static let operatorSet = 20

  let program: Program
  let model: Model
  /// Names of the values as the file has them where they are read.
  private(set) var names: [String] = []
  /// Names under which quantised values are computed, before they are rounded, by value.
  private(set) var rawNames: [Int: String] = [:]
  private var taken: Set<[UInt8]> = []
  private var nodes = ProtobufWriter()
  private var nodeCount = 0
  private(set) var operatorSets: [(domain: String, version: Int)] = []
  private var isNative = false
  private(set) var notes: [String] = []

  /// Writes the file.
  /// - Returns: what ONNX has no place for, a sentence each.
  /// - Throws: `FormatError` `.unsupported` for a model without a graph, or a graph that ONNX cannot express.
  static func write(_ model: Model, to path: String) throws(FormatError) -> [String] {
    guard model.graph != nil else {
      throw FormatError(
        .unsupported, at: "",
        "expected a model with a graph for an .onnx file, found tensors alone; give it one with `eri convert --network`"
      )
    }
    var export = try ONNXExport(model)
    let message = try export.message()
    guard message.byteCount <= byteLimit else {
      throw FormatError(
        .unsupported, at: "",
        "expected an ONNX model of at most \(byteLimit) bytes, found \(message.byteCount); store the weights as f16, or keep it as .eri"
      )
    }
    try message.write(to: path)
    return export.notes
  }

  private init(_ model: Model) throws(FormatError) {
    self.model = model
    program = try Program(validating: model)
    try nameValues()
  }

  /// Gives a value that is quantised a name of its own before it is rounded; an output of the graph keeps its name for what it holds.
  mutating func nameRaw(_ value: Int, _ raw: String, _ held: String) {
    rawNames[value] = raw
    names[value] = held
  }

  /// A tensor's value bears the tensor's name, so that digests agree; any other keeps its own where it can.
  private mutating func nameValues() throws(FormatError) {
    let graph = program.graph
    names = graph.values.map { $0.name }
    for tensor in model.tensors where tensor.role != .optimizerState { taken.insert(Array(tensor.name.utf8)) }
    for (index, value) in graph.values.enumerated() {
      if case .tensor(let tensor) = value.source { names[index] = model.tensors[tensor].name }
    }
    for (index, value) in graph.values.enumerated() {
      if case .tensor = value.source { continue }
      guard !taken.insert(Array(value.name.utf8)).inserted else { continue }
      names[index] = unique(value.name)
      notes.append("the value \"\(brief(value.name))\" became \"\(brief(names[index]))\", since a tensor has its name")
    }
  }

  /// A name that nothing else has.
  mutating func unique(_ stem: String) -> String {
    let base = stem.utf8.count <= Limits.nameBytes - 16 ? stem : "value"
    var name = base
    var number = 1
    while !taken.insert(Array(name.utf8)).inserted {
      name = "\(base).\(number)"
      number += 1
    }
    return name
  }

  // MARK: The message

  private mutating func message() throws(FormatError) -> ProtobufWriter {
    try requireExpressibleCodes()
    try quantizeSources()
    for (index, node) in program.graph.nodes.enumerated() {
      do throws(FormatError) { try add(node) } catch { throw error.inside(program.place(ofNode: index)) }
      for output in node.outputs { try quantize(output) }
    }
    // A model of inputs alone needs one all the same.
    if operatorSets.isEmpty { operatorSets.append(("", ONNXExport.operatorSet)) }
    let graph = try graphMessage()
    var message = ProtobufWriter()
    message.number(1, Int64(irVersion))
    message.text(2, "eri")
    message.text(3, ERIVersion)
    message.message(7, graph)
    for (domain, version) in operatorSets {
      try message.message(8) { set throws(FormatError) in
        if !domain.isEmpty { set.text(1, domain) }
        set.number(2, Int64(version))
      }
    }
    if !model.labels.isEmpty {
      var labels = JSONWriter()
      labels.strings(model.labels)
      try property("labels", labels.text, in: &message)
    }
    if model.preprocessing != Preprocessing() {
      var preprocessing = JSONWriter()
      preprocessing.put(model.preprocessing)
      try property("preprocessing", preprocessing.text, in: &message)
    }
    if !model.licence.isEmpty { try property("licence", model.licence, in: &message) }
    note()
    return message
  }

  private func property(_ key: String, _ value: String, in message: inout ProtobufWriter) throws(FormatError) {
    try message.message(14) { pair throws(FormatError) in
      pair.text(1, key)
      pair.text(2, value)
    }
  }

  /// The oldest version that has all types and operator sets.
  private var irVersion: Int {
    let core = operatorSets.first { $0.domain.isEmpty }?.version ?? 0
    let own =
      switch core {
      case ..<19: 8
      case ..<21: 9
      case ..<23: 10
      case 23: 11
      case 24: 12
      default: 13
      }
    let types = program.types.map { $0.dtype } + model.tensors.map { $0.dtype }
    return types.reduce(own) { max($0, ONNXType.irVersion($1)) }
  }

  private mutating func note() {
    for input in program.inputs {
      guard case .input(let declaration) = program.graph.values[input].source else { continue }
      let name = brief(names[input])
      switch declaration.omission {
      case .required: break
      case .filled(let fill):
        notes.append(
          "the input \"\(name)\" is required there: ONNX has no value for one that is left out (here \(decimal(fill))) but a weight"
        )
      case .gated:
        notes.append("the input \"\(name)\" is required there: ONNX cannot leave out what depends on an input")
      }
    }
    let states = model.tensors.filter { $0.role == .optimizerState }.count
    if states > 0 { notes.append("\(counted(states, "tensor")) of optimiser state left out") }
    if !model.goldens.isEmpty || model.provenance != nil {
      notes.append("goldens, provenance and lineage were left out")
    }
  }

  private mutating func graphMessage() throws(FormatError) -> ProtobufWriter {
    let graph = program.graph
    var message = ProtobufWriter()
    // Constants first: nodes may use them, and a file must define what it uses before it does.
    for tensor in model.tensors where tensor.role == .constant {
      try message.message(1) { node throws(FormatError) in
        node.text(2, tensor.name)
        node.text(4, "Constant")
        try node.message(5) { attribute throws(FormatError) in
          attribute.text(1, "value")
          attribute.message(5, try ONNXExport.tensor(tensor, named: nil))
          attribute.number(20, 4)
        }
      }
    }
    message.append(nodes)
    message.text(2, "eri")
    for tensor in model.tensors where tensor.role == .weight {
      message.message(5, try ONNXExport.tensor(tensor, named: tensor.name))
    }
    for input in program.inputs { message.message(11, try valueInfo(input, named: rawNames[input])) }
    for output in graph.outputs { message.message(12, try valueInfo(output)) }
    for (index, value) in graph.values.enumerated() where value.source == .node && !graph.outputs.contains(index) {
      let type = program.types[index]
      guard type.isDecided || value.declared != nil else { continue }
      message.message(13, try valueInfo(index))
    }
    return message
  }

  /// TensorProto.
  static func tensor(_ tensor: Tensor, named name: String?) throws(FormatError) -> ProtobufWriter {
    guard let elements = tensor.elementCount, let byteCount = tensor.byteCount else {
      throw FormatError(
        .limitExceeded, at: "tensor \"\(tensor.name)\"",
        "expected at most \(Limits.elements) elements, found \(shapeText(tensor.shape))")
    }
    var message = ProtobufWriter()
    for extent in tensor.shape { message.number(1, Int64(extent)) }
    message.number(2, ONNXType.number(tensor.dtype))
    if let name { message.text(8, name) }
    message.values(9, tensor, count: ONNXType.isHalved(tensor.dtype) ? elements / 2 + elements % 2 : byteCount)
    return message
  }

  /// ValueInfoProto; an extent that is a product has no name there.
  private func valueInfo(_ index: Int, named name: String? = nil) throws(FormatError) -> ProtobufWriter {
    let type = program.types[index]
    let symbols = program.graph.symbols
    var message = ProtobufWriter()
    message.text(1, name ?? names[index])
    try message.message(2) { wrapper throws(FormatError) in
      try wrapper.message(1) { tensor throws(FormatError) in
        tensor.number(1, ONNXType.number(type.dtype))
        guard type.isRanked else { return }
        try tensor.message(2) { shape throws(FormatError) in
          for dimension in type.shape {
            try shape.message(1) { extent throws(FormatError) in
              if let constant = dimension.constant {
                extent.number(1, Int64(constant))
              } else if dimension.coefficient == 1, dimension.symbols.count == 1, dimension.symbols[0] < symbols.count {
                extent.text(2, symbols[dimension.symbols[0]])
              }
            }
          }
        }
      }
    }
    return message
  }

  // MARK: Nodes

  private mutating func add(_ node: Node) throws(FormatError) {
    if case .onnx(let op) = node.op {
      try require(op.domain, op.opset)
      var message = ProtobufWriter()
      for input in node.inputs { message.text(1, input.map { names[$0] } ?? "") }
      for output in node.outputs { message.text(2, rawNames[output] ?? names[output]) }
      message.text(4, op.name)
      if !op.domain.isEmpty { message.text(7, op.domain) }
      for attribute in op.attributes { message.message(5, try ONNXExport.attribute(attribute)) }
      nodes.message(1, message)
    } else {
      isNative = true
      try require("", ONNXExport.operatorSet)
      try express(node)
    }
  }

  /// Adds a node of ONNX's own domain.
  mutating func append(
    _ type: String, _ inputs: [String], _ outputs: [String], _ attributes: [ONNXAttribute]
  ) throws(FormatError) {
    var message = ProtobufWriter()
    for input in inputs { message.text(1, input) }
    for output in outputs { message.text(2, output) }
    message.text(4, type)
    for attribute in attributes { message.message(5, try ONNXExport.attribute(attribute)) }
    nodes.message(1, message)
  }

  /// Adds a domain's operator set, of which a model has one version.
  mutating func require(_ domain: String, _ version: Int) throws(FormatError) {
    guard let index = operatorSets.firstIndex(where: { $0.domain.utf8.elementsEqual(domain.utf8) }) else {
      operatorSets.append((domain, version))
      return
    }
    let found = operatorSets[index].version
    guard found == version else {
      let domain = domain.isEmpty ? "ONNX's own domain" : "domain \"\(brief(domain))\""
      throw FormatError(
        .unsupported, at: "",
        "expected one operator set of \(domain) in a graph for an .onnx file, found \(found) and \(version)"
          + (isNative ? " (operators of .eri are expressed in \(ONNXExport.operatorSet))" : ""))
    }
  }

  static func attribute(_ attribute: ONNXAttribute) throws(FormatError) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.text(1, attribute.name)
    switch attribute.content {
    case .number(let value):
      message.float(2, value)
      message.number(20, 1)
    case .integer(let value):
      message.number(3, value)
      message.number(20, 2)
    case .text(let value):
      message.text(4, value)
      message.number(20, 3)
    case .tensor(let values):
      let tensor = Tensor(attribute.name, values.dtype, values.shape, values: .bytes(values.bytes))
      message.message(5, try self.tensor(tensor, named: values.name.isEmpty ? nil : values.name))
      message.number(20, 4)
    case .numbers(let values):
      message.floats(7, values)
      message.number(20, 6)
    case .integers(let values):
      message.numbers(8, values)
      message.number(20, 7)
    case .texts(let values):
      for value in values { message.text(9, value) }
      message.number(20, 8)
    }
    return message
  }
}

import ERIFormat

/// A ModelProto as it stands in the file; what its graph and its functions hold is not read yet.
struct ONNXModelMessage {
  typealias OperatorSet = (domain: String, version: UInt64)

  var summary = ONNXSummary()
  let graph: ProtobufReader
  private(set) var functions: [ProtobufReader] = []
  private(set) var hasTraining = false
  /// Texts that only a conversion asks for.
  private var documentation: ProtobufReader?
  private var properties: [ProtobufReader] = []

  init(_ file: FileHandle) throws(FormatError) {
    var message = ProtobufReader(FileWindow(file), from: 0, to: file.byteCount)
    var graph: ProtobufReader?
    while let field = try message.next() {
      switch field.number {
      case 1: summary.irVersion = try message.integer(field, "an IR version")
      case 2: summary.producerName = try message.text(field, limit: Limits.nameBytes, "a producer's name")
      case 3: summary.producerVersion = try message.text(field, limit: Limits.nameBytes, "a producer's version")
      case 6: documentation = try message.message(field, "a text")
      case 7:
        guard graph == nil else {
          throw FormatError(.invalid, at: "byte \(field.offset)", "expected one graph, found a second")
        }
        graph = try message.message(field, "a graph")
      case 8:
        guard summary.opset.count < Limits.arity else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.arity) operator sets, found more")
        }
        summary.opset.append(try ONNXModelMessage.operatorSet(try message.message(field, "an operator set")))
      case 14: if properties.count < Limits.metadata { properties.append(try message.message(field, "a property")) }
      case 20: hasTraining = true
      case 25:
        guard functions.count < Limits.functions else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.functions) functions, found more")
        }
        functions.append(try message.message(field, "a function"))
      default: break
      }
    }
    guard let graph else {
      throw FormatError(.invalid, at: "", "expected an ONNX model with a graph, found none; is it a single tensor?")
    }
    self.graph = graph
  }

  static func operatorSet(_ message: ProtobufReader) throws(FormatError) -> OperatorSet {
    var message = message
    var set = (domain: "", version: UInt64(0))
    while let field = try message.next() {
      switch field.number {
      case 1: set.domain = try message.text(field, limit: Limits.nameBytes, "a domain")
      case 2: set.version = try message.integer(field, "a version")
      default: break
      }
    }
    return set
  }

  /// The model's documentation, cut to what a line can bear; nil: it has none in UTF-8.
  func briefDocumentation() throws(FormatError) -> String? {
    guard let documentation, documentation.position < documentation.end else { return nil }
    let count = min(documentation.end - documentation.position, 4_096)
    let bytes = try documentation.window.file.bytes(Int(count), at: documentation.position)
    return String(validating: bytes, as: UTF8.self).map { brief($0) }
  }

  /// The model's own key and value pairs, StringStringEntryProto: key 1, value 2.
  func metadata() throws(FormatError) -> [(key: String, value: String)] {
    var pairs: [(key: String, value: String)] = []
    for message in properties {
      var message = message
      var pair = (key: "", value: "")
      while let field = try message.next() {
        switch field.number {
        case 1: pair.key = try message.text(field, limit: Limits.textBytes, "a key")
        case 2: pair.value = try message.text(field, limit: Limits.textBytes, "a value")
        default: break
        }
      }
      pairs.append(pair)
    }
    return pairs
  }
}

/// A GraphProto as it stands in the file, without its initialisers.
struct ONNXGraphMessage {
  var name = ""
  var nodes: [ONNXNodeMessage] = []
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []
  var values: [ONNXValueInfo] = []
  var quantizationAnnotations = 0

  init(_ message: ProtobufReader, _ tensors: ONNXTensorReader) throws(FormatError) {
    var message = message
    while let field = try message.next() {
      switch field.number {
      case 1: nodes.append(try ONNXGraphMessage.node(field, message, nodes.count, tensors))
      case 2: name = try message.text(field, limit: Limits.nameBytes, "a graph's name")
      case 11: try ONNXGraphMessage.append(field, message, to: &inputs, "input")
      case 12: try ONNXGraphMessage.append(field, message, to: &outputs, "output")
      case 13: try ONNXGraphMessage.append(field, message, to: &values, "value")
      case 14: quantizationAnnotations += 1
      default: break
      }
    }
  }

  /// Reads node `index` of a graph or a function.
  static func node(
    _ field: ProtobufReader.Field, _ message: ProtobufReader, _ index: Int, _ tensors: ONNXTensorReader
  ) throws(FormatError) -> ONNXNodeMessage {
    guard index < Limits.nodes else {
      throw FormatError(
        .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.nodes) nodes, found more")
    }
    do throws(FormatError) { return try ONNXNodeMessage(try message.message(field, "a node"), tensors) } catch {
      throw error.inside("node \(index)")
    }
  }

  private static func append(
    _ field: ProtobufReader.Field, _ message: ProtobufReader, to values: inout [ONNXValueInfo], _ what: String
  ) throws(FormatError) {
    guard values.count < Limits.values else {
      throw FormatError(
        .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.values) \(what)s, found more")
    }
    values.append(try ONNXValueInfo(try message.message(field, "a value"), what))
  }
}

/// A FunctionProto as it stands in the file.
struct ONNXFunctionMessage {
  var name = ""
  var domain = ""
  var overload = ""
  var inputs: [String] = []
  var outputs: [String] = []
  /// What a node that leaves an attribute out gets.
  var defaults: [ONNXAttributeMessage] = []
  var nodes: [ONNXNodeMessage] = []
  var operatorSets: [ONNXModelMessage.OperatorSet] = []

  init(_ message: ProtobufReader, _ tensors: ONNXTensorReader) throws(FormatError) {
    var message = message
    while let field = try message.next() {
      switch field.number {
      case 1: name = try message.text(field, limit: Limits.nameBytes, "a function's name")
      case 4: try ONNXNodeMessage.append(field, message, to: &inputs, "inputs")
      case 5: try ONNXNodeMessage.append(field, message, to: &outputs, "outputs")
      case 7: nodes.append(try ONNXGraphMessage.node(field, message, nodes.count, tensors))
      case 9:
        guard operatorSets.count < Limits.arity else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.arity) operator sets, found more")
        }
        operatorSets.append(try ONNXModelMessage.operatorSet(try message.message(field, "an operator set")))
      case 10: domain = ONNXNodeMessage.domain(try message.text(field, limit: Limits.nameBytes, "a domain"))
      case 11:
        guard defaults.count < Limits.attributes else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.attributes) attributes, found more")
        }
        defaults.append(try ONNXAttributeMessage(try message.message(field, "an attribute"), tensors))
      case 13: overload = try message.text(field, limit: Limits.nameBytes, "an overload")
      default: break
      }
    }
  }

  /// What a node calls it by.
  var key: [UInt8] { ONNXFunctionMessage.key(domain, name, overload) }

  static func key(_ domain: String, _ name: String, _ overload: String) -> [UInt8] {
    // No name holds this byte in UTF-8.
    Array(domain.utf8) + [0xFF] + Array(name.utf8) + [0xFF] + Array(overload.utf8)
  }
}

import ERIFormat

/// A NodeProto as it stands in the file.
struct ONNXNodeMessage {
  /// Empty: left out.
  var inputs: [String] = []
  var outputs: [String] = []
  var type = ""
  /// Empty for ONNX's own.
  var domain = ""
  /// Tells functions of one name apart.
  var overload = ""
  var attributes: [ONNXAttributeMessage] = []

  /// "Resize", or "ai.onnx.ml.Binarizer" of another domain.
  var qualifiedName: String { domain.isEmpty ? type : "\(domain).\(type)" }

  init(_ type: String, inputs: [String], outputs: [String], attributes: [ONNXAttributeMessage] = []) {
    self.type = type
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }

  init(_ message: ProtobufReader, _ tensors: ONNXTensorReader) throws(FormatError) {
    var message = message
    while let field = try message.next() {
      switch field.number {
      case 1: try ONNXNodeMessage.append(field, message, to: &inputs, "inputs")
      case 2: try ONNXNodeMessage.append(field, message, to: &outputs, "outputs")
      case 4: type = try message.text(field, limit: Limits.nameBytes, "an operator's type")
      case 5:
        guard attributes.count < Limits.attributes else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.attributes) attributes, found more")
        }
        attributes.append(try ONNXAttributeMessage(try message.message(field, "an attribute"), tensors))
      case 7: domain = ONNXNodeMessage.domain(try message.text(field, limit: Limits.nameBytes, "a domain"))
      case 8: overload = try message.text(field, limit: Limits.nameBytes, "an overload")
      default: break
      }
    }
    guard !type.isEmpty else { throw FormatError(.invalid, at: "", "expected an operator's type, found none") }
  }

  /// ONNX's own domain has two names.
  static func domain(_ name: String) -> String { name == "ai.onnx" ? "" : name }

  static func append(
    _ field: ProtobufReader.Field, _ message: ProtobufReader, to names: inout [String], _ what: String
  ) throws(FormatError) {
    guard names.count < Limits.arity else {
      throw FormatError(
        .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.arity) \(what), found more")
    }
    names.append(try message.text(field, limit: Limits.nameBytes, "a value's name"))
  }

  func attribute(_ name: String) -> ONNXAttributeMessage? {
    attributes.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// An integer attribute.
  func integer(_ name: String) -> Int64? {
    if case .content(.integer(let value)) = attribute(name)?.value { value } else { nil }
  }
}

/// An AttributeProto as it stands in the file.
struct ONNXAttributeMessage {
  enum Value {
    case content(ONNXAttribute.Content)
    /// A tensor, whose values stay in the file.
    case tensor(ProtobufReader)
    /// The attribute of this name of the function that the node is part of.
    case reference(String)
    /// What .eri has no attribute for: "a graph".
    case foreign(String)
  }

  var name = ""
  var value = Value.foreign("nothing")

  init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  /// Every kind of value is a field of its own; `type` tells which one counts, and older files leave it out.
  private struct Fields {
    var type: UInt64?
    var float: Float?
    var integer: Int64?
    var text: String?
    var tensor: ProtobufReader?
    var floats: [Float] = []
    var integers: [Int64] = []
    var texts: [String] = []
    var foreign: String?
    var reference = ""
  }

  init(_ message: ProtobufReader, _ tensors: ONNXTensorReader) throws(FormatError) {
    var message = message
    var fields = Fields()
    while let field = try message.next() {
      if field.number == 1 {
        name = try message.text(field, limit: Limits.nameBytes, "an attribute's name")
      } else {
        do throws(FormatError) { try ONNXAttributeMessage.read(field, message, &fields) } catch {
          throw name.isEmpty ? error : error.inside("attribute \"\(brief(name))\"")
        }
      }
    }
    guard let value = ONNXAttributeMessage.value(fields) else {
      throw FormatError(.invalid, at: "attribute \"\(brief(name))\"", "expected a value, found none")
    }
    self.value = value
  }

  private static func read(
    _ field: ProtobufReader.Field, _ message: ProtobufReader, _ fields: inout Fields
  ) throws(FormatError) {
    let limit = Limits.attributeElements
    switch field.number {
    case 2: fields.float = try message.float(field, "a number")
    case 3: fields.integer = Int64(bitPattern: try message.integer(field, "an integer"))
    case 4: fields.text = try message.text(field, limit: Limits.textBytes, "a text")
    case 5: fields.tensor = try message.message(field, "a tensor")
    case 6, 11: fields.foreign = "a graph"
    case 7: try message.appendFloats(field, to: &fields.floats, limit: limit, "numbers")
    case 8: try message.appendIntegers(field, to: &fields.integers, limit: limit, "integers")
    case 9:
      guard fields.texts.count < limit else {
        throw FormatError(.limitExceeded, at: "byte \(field.offset)", "expected at most \(limit) texts, found more")
      }
      fields.texts.append(try message.text(field, limit: Limits.textBytes, "a text"))
    case 10: fields.foreign = "a list of tensors"
    case 14, 15: fields.foreign = "a type"
    case 20: fields.type = try message.integer(field, "an attribute's type")
    case 21: fields.reference = try message.text(field, limit: Limits.nameBytes, "an attribute's name")
    case 22, 23: fields.foreign = "a sparse tensor"
    default: break
    }
  }

  private static func value(_ fields: Fields) -> Value? {
    if !fields.reference.isEmpty { return .reference(fields.reference) }
    if let foreign = fields.foreign { return .foreign(foreign) }
    switch fields.type {
    case 1: return .content(.number(fields.float ?? 0))
    case 2: return .content(.integer(fields.integer ?? 0))
    case 3: return .content(.text(fields.text ?? ""))
    case 4: return fields.tensor.map { .tensor($0) }
    case 6: return .content(.numbers(fields.floats))
    case 7: return .content(.integers(fields.integers))
    case 8: return .content(.texts(fields.texts))
    case nil, 0: break
    case let type?: return .foreign("a value of type \(type)")
    }
    if let float = fields.float { return .content(.number(float)) }
    if let integer = fields.integer { return .content(.integer(integer)) }
    if let text = fields.text { return .content(.text(text)) }
    if let tensor = fields.tensor { return .tensor(tensor) }
    if !fields.floats.isEmpty { return .content(.numbers(fields.floats)) }
    if !fields.integers.isEmpty { return .content(.integers(fields.integers)) }
    if !fields.texts.isEmpty { return .content(.texts(fields.texts)) }
    return nil
  }
}

import CERISchema

/// An operator of ONNX, with the meaning that an operator set of its domain gives it.
///
/// Shapes there depend on values as often as on shapes, so its outputs' types are decided only when the graph is bound.
package struct ONNXOperator: OperatorContract {
  package static let name = "onnx"
  package static let number: UInt32 = 30
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  /// Empty for ONNX's own.
  package var domain: String
  package var name: String
  /// The version of the domain's operator set.
  package var opset: Int
  /// Ascending by the bytes of their names.
  package private(set) var attributes: [ONNXAttribute]

  package init(_ name: String, domain: String = "", opset: Int, attributes: [ONNXAttribute] = []) {
    self.name = name
    self.domain = domain
    self.opset = opset
    self.attributes = attributes.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// "Resize", or "ai.onnx.ml.Binarizer" of another domain.
  package var qualifiedName: String { domain.isEmpty ? name : "\(domain).\(name)" }

  /// The attribute of that name.
  package func attribute(_ name: String) -> ONNXAttribute.Content? {
    attributes.first { $0.name.utf8.elementsEqual(name.utf8) }?.content
  }

  /// The integer of an attribute; nil: it is not there, or of another kind.
  package func integer(_ name: String) -> Int? {
    if case .integer(let value)? = attribute(name) { Int(clamping: value) } else { nil }
  }

  /// The same of a number.
  package func number(_ name: String) -> Float? {
    if case .number(let value)? = attribute(name) { value } else { nil }
  }

  /// The same of a text.
  package func text(_ name: String) -> String? {
    if case .text(let value)? = attribute(name) { value } else { nil }
  }

  /// The same of a list of integers.
  package func integers(_ name: String) -> [Int]? {
    if case .integers(let values)? = attribute(name) { values.map { Int(clamping: $0) } } else { nil }
  }

  /// One undecided type; a node tells how many outputs it has.
  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try check()
    return [.undecided]
  }

  /// Requires what holds whatever the operator is.
  private func check() throws(FormatError) {
    guard !name.isEmpty, name.utf8.count <= Limits.nameBytes, domain.utf8.count <= Limits.nameBytes else {
      throw contractError(
        "expected an operator's name and domain of at most \(Limits.nameBytes) bytes, found \(name.utf8.count) and \(domain.utf8.count)"
      )
    }
    guard (1...Limits.opset).contains(opset) else {
      throw contractError("expected an operator set from 1 to \(Limits.opset), found \(opset)")
    }
    try TensorRules.checkNames(attributes.map { $0.name }, "attribute")
  }
}

/// A named attribute of an operator of ONNX.
package struct ONNXAttribute: Equatable, Sendable {
  package enum Content: Equatable, Sendable {
    case integer(Int64)
    case number(Float)
    case text(String)
    case integers([Int64])
    case numbers([Float])
    case texts([String])
    case tensor(Golden.Values)
  }

  package var name: String
  package var content: Content

  package init(_ name: String, _ content: Content) {
    self.name = name
    self.content = content
  }
}

extension ONNXOperator {
  init(wire: Eri__Onnx) throws(FormatError) {
    domain = try ERIFormat.text(wire.domain, limit: Limits.nameBytes, "a domain")
    name = try ERIFormat.text(wire.name, limit: Limits.nameBytes, "an operator's name")
    opset = try ERIFormat.integer(wire.opset, 1...Limits.opset, "an operator set")
    attributes = try messages(
      wire.attributes, wire.n_attributes, limit: Limits.attributes, "attributes", each: "attribute",
      ONNXAttribute.init(wire:))
    // One form per meaning: a file read and written again keeps its logical digest.
    for (first, second) in zip(attributes, attributes.dropFirst())
    where !first.name.utf8.lexicographicallyPrecedes(second.name.utf8) {
      throw contractError("expected attributes ascending by name, found \"\(second.name)\" after \"\(first.name)\"")
    }
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Onnx> {
    let wire = try arena.message(eri__onnx__init)
    wire.pointee.domain = try arena.string(domain)
    wire.pointee.name = try arena.string(name)
    wire.pointee.opset = try wire32(opset)
    (wire.pointee.n_attributes, wire.pointee.attributes) = (
      attributes.count,
      try arena.messages(attributes) { attribute throws(FormatError) in try attribute.wire(in: arena) }
    )
    return wire
  }
}

extension ONNXAttribute {
  init(wire: Eri__OnnxAttribute) throws(FormatError) {
    name = try text(wire.name, limit: Limits.nameBytes, "an attribute's name")
    let limit = Limits.attributeElements
    switch wire.value_case {
    case ERI__ONNX_ATTRIBUTE__VALUE_INTEGER: content = .integer(wire.integer)
    case ERI__ONNX_ATTRIBUTE__VALUE_NUMBER: content = .number(wire.number)
    case ERI__ONNX_ATTRIBUTE__VALUE_TEXT: content = .text(try text(wire.text, limit: Limits.textBytes, "a text"))
    case ERI__ONNX_ATTRIBUTE__VALUE_INTEGERS:
      guard let list = wire.integers?.pointee else { throw contractError("expected integers, found none") }
      content = .integers(try elements(list.values, list.n_values, limit: limit, "integers") { $0 })
    case ERI__ONNX_ATTRIBUTE__VALUE_NUMBERS:
      guard let list = wire.numbers?.pointee else { throw contractError("expected numbers, found none") }
      content = .numbers(try elements(list.values, list.n_values, limit: limit, "numbers") { $0 })
    case ERI__ONNX_ATTRIBUTE__VALUE_TEXTS:
      guard let list = wire.texts?.pointee else { throw contractError("expected texts, found none") }
      content = .texts(
        try elements(list.values, list.n_values, limit: limit, "texts") { pointer throws(FormatError) in
          try text(pointer, limit: Limits.textBytes, "a text")
        })
    case ERI__ONNX_ATTRIBUTE__VALUE_TENSOR:
      guard let tensor = wire.tensor?.pointee, let values = try Golden.Values(wire: tensor) else {
        throw contractError("expected a tensor of a type that this reader knows, found another")
      }
      content = .tensor(values)
    default: throw contractError("expected a value of attribute \"\(name)\", found none")
    }
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__OnnxAttribute> {
    let wire = try arena.message(eri__onnx_attribute__init)
    wire.pointee.name = try arena.string(name)
    switch content {
    case .integer(let value):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_INTEGER
      wire.pointee.integer = value
    case .number(let value):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_NUMBER
      wire.pointee.number = value
    case .text(let value):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_TEXT
      wire.pointee.text = try arena.string(value)
    case .integers(let values):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_INTEGERS
      let list = try arena.message(eri__onnx_integers__init)
      (list.pointee.n_values, list.pointee.values) = (values.count, try arena.copy(values))
      wire.pointee.integers = list
    case .numbers(let values):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_NUMBERS
      let list = try arena.message(eri__onnx_numbers__init)
      (list.pointee.n_values, list.pointee.values) = (values.count, try arena.copy(values))
      wire.pointee.numbers = list
    case .texts(let values):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_TEXTS
      let list = try arena.message(eri__onnx_texts__init)
      (list.pointee.n_values, list.pointee.values) = (values.count, try arena.strings(values))
      wire.pointee.texts = list
    case .tensor(let values):
      wire.pointee.value_case = ERI__ONNX_ATTRIBUTE__VALUE_TENSOR
      wire.pointee.tensor = try values.wire(in: arena)
    }
    return wire
  }
}

import CERISchema
import CProtobufC
import Testing

@testable import ERIFormat

/// Pointers to messages, as protobuf-c has repeated ones.
typealias Messages<Message> = UnsafeMutablePointer<UnsafeMutablePointer<Message>?>

/// Ways to a directory's parts.
extension ForgedFile {
  private func change<Message>(
    _ message: UnsafeMutablePointer<Message>?, _ change: (inout Message) throws -> Void
  ) throws {
    let message = try #require(message)
    try change(&message.pointee)
  }

  private func change<Message>(
    _ list: Messages<Message>?, _ index: Int, _ body: (inout Message) throws -> Void
  ) throws {
    let list = try #require(list)
    try change(list[index], body)
  }

  func frame(_ index: Int, _ body: (inout Eri__Frame) throws -> Void) throws {
    try change(directory.pointee.frames, index, body)
  }

  func tensor(_ index: Int, _ body: (inout Eri__Tensor) throws -> Void) throws {
    try change(directory.pointee.tensors, index, body)
  }

  /// Of the tensor "q".
  func quantization(_ body: (inout Eri__Quantization) throws -> Void) throws {
    try tensor(3) { try change($0.quantization, body) }
  }

  func graph(_ body: (inout Eri__Graph) throws -> Void) throws { try change(directory.pointee.graph, body) }

  func value(_ index: Int, _ body: (inout Eri__Value) throws -> Void) throws {
    try graph { try change($0.values, index, body) }
  }

  /// Of the value "s", which is filled if left out.
  func input(_ body: (inout Eri__Input) throws -> Void) throws {
    try value(1) { try change($0.input, body) }
  }

  /// Extent `index` of the input "s".
  func dimension(_ index: Int, _ body: (inout Eri__Dimension) throws -> Void) throws {
    try input { try change($0.shape, index, body) }
  }

  func node(_ index: Int, _ body: (inout Eri__Node) throws -> Void) throws {
    try graph { try change($0.nodes, index, body) }
  }

  func preprocessing(_ body: (inout Eri__Preprocessing) throws -> Void) throws {
    try change(directory.pointee.preprocessing, body)
  }

  func video(_ body: (inout Eri__VideoPreprocessing) throws -> Void) throws {
    try preprocessing { try change($0.video, body) }
  }

  func audio(_ body: (inout Eri__AudioPreprocessing) throws -> Void) throws {
    try preprocessing { try change($0.audio, body) }
  }

  func provenance(_ body: (inout Eri__Provenance) throws -> Void) throws {
    try change(directory.pointee.provenance, body)
  }

  func parameter(_ body: (inout Eri__Parameter) throws -> Void) throws {
    try provenance { try change($0.parameters, 0, body) }
  }

  func lineage(_ body: (inout Eri__LineageStep) throws -> Void) throws {
    try change(directory.pointee.lineage, 0, body)
  }

  func golden(_ body: (inout Eri__Golden) throws -> Void) throws {
    try change(directory.pointee.goldens, 0, body)
  }

  func binding(_ body: (inout Eri__Binding) throws -> Void) throws {
    try golden { try change($0.bindings, 0, body) }
  }

  func goldenInput(_ body: (inout Eri__GoldenTensor) throws -> Void) throws {
    try golden { try change($0.inputs, 0, body) }
  }

  func budget(_ body: (inout Eri__Budget) throws -> Void) throws { try change(directory.pointee.budget, body) }

  /// The unary operator's (0) or the binary one's (1) entry among the operators used.
  func operatorUse(_ index: Int, _ body: (inout Eri__OperatorUse) throws -> Void) throws {
    try budget { try change($0.operators, index, body) }
  }

  /// Sets the directory's features to one.
  func feature(bit: UInt32, required: Bool, name: UnsafeMutablePointer<CChar>?) throws {
    let feature = try arena.message(eri__feature__init)
    feature.pointee.bit = bit
    feature.pointee.required = required ? 1 : 0
    feature.pointee.name = name
    feature.pointee.since_major = 1
    feature.pointee.since_minor = 3
    (directory.pointee.n_features, directory.pointee.features) = (1, try arena.copy([feature]))
  }

  /// A list of one message over and over.
  func repeated<Message>(_ list: Messages<Message>?, _ count: Int) throws -> Messages<Message>? {
    let list = try #require(list)
    return try arena.copy([UnsafeMutablePointer<Message>?](repeating: list[0], count: count))
  }

  /// A list of one element over and over.
  func repeated<Element>(_ element: Element, _ count: Int) throws -> UnsafeMutablePointer<Element>? {
    try arena.copy([Element](repeating: element, count: count))
  }

  /// A text of so many bytes.
  func text(count: Int) throws -> UnsafeMutablePointer<CChar>? {
    try arena.string(String(repeating: "a", count: count))
  }

  /// A terminated text of any bytes.
  func text(_ bytes: [UInt8]) throws -> UnsafeMutablePointer<CChar>? {
    try arena.copy(bytes.map { CChar(bitPattern: $0) } + [0])
  }

  /// Gives a message a field that the schema does not know.
  func addUnknownField(_ number: UInt32, to message: inout ProtobufCMessage) throws {
    let field = ProtobufCMessageUnknownField(
      tag: number, wire_type: PROTOBUF_C_WIRE_TYPE_VARINT, len: 1, data: try arena.copy([1]))
    message.n_unknown_fields = 1
    message.unknown_fields = try arena.copy([field])
  }
}

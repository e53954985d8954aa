import CERISchema
import CERISystem
import CProtobufC

/// Any wire message, seen through the descriptor that protoc-c generated for it.
struct WireMessage {
  let address: UnsafeRawPointer

  init(_ message: UnsafeRawPointer) { address = message }

  private var base: UnsafePointer<ProtobufCMessage> { address.assumingMemoryBound(to: ProtobufCMessage.self) }
  var descriptor: UnsafePointer<ProtobufCMessageDescriptor> { base.pointee.descriptor }
  var fieldCount: Int { Int(descriptor.pointee.n_fields) }
  /// Number of fields that the schema does not know.
  var unknownFieldCount: Int { Int(base.pointee.n_unknown_fields) }

  /// The number of an unknown field.
  func unknownField(_ index: Int) -> UInt32 { base.pointee.unknown_fields[index].tag }

  /// The message type's name ("Tensor").
  var name: String { String(cString: descriptor.pointee.short_name) }

  /// A field, in ascending order of numbers.
  func field(_ index: Int) -> WireField { WireField(message: address, descriptor: descriptor.pointee.fields + index) }
}

/// One field of a wire message.
struct WireField {
  enum Kind {
    case signed32, unsigned32, bits64, single, double, boolean, enumeration, string, bytes, message
  }

  let message: UnsafeRawPointer
  let descriptor: UnsafePointer<ProtobufCFieldDescriptor>

  var number: UInt32 { descriptor.pointee.id }
  var name: String { String(cString: descriptor.pointee.name) }
  private var offset: Int { Int(descriptor.pointee.offset) }
  private var isRepeated: Bool { descriptor.pointee.label == PROTOBUF_C_LABEL_REPEATED }

  var kind: Kind {
    switch descriptor.pointee.type {
    case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32: .signed32
    case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: .unsigned32
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_UINT64,
      PROTOBUF_C_TYPE_FIXED64:
      .bits64
    case PROTOBUF_C_TYPE_FLOAT: .single
    case PROTOBUF_C_TYPE_DOUBLE: .double
    case PROTOBUF_C_TYPE_BOOL: .boolean
    case PROTOBUF_C_TYPE_ENUM: .enumeration
    case PROTOBUF_C_TYPE_STRING: .string
    case PROTOBUF_C_TYPE_BYTES: .bytes
    default: .message
    }
  }

  private var stride: Int {
    switch kind {
    case .signed32, .unsigned32, .single, .boolean, .enumeration: 4
    case .bits64, .double: 8
    case .string, .message: MemoryLayout<UnsafeRawPointer>.stride
    case .bytes: MemoryLayout<ProtobufCBinaryData>.stride
    }
  }

  /// Number of values: of a repeated field its length, otherwise 1 if it is there and, outside a oneof, not the default.
  var count: Int {
    let quantifier = Int(descriptor.pointee.quantifier_offset)
    if isRepeated { return message.load(fromByteOffset: quantifier, as: Int.self) }
    if descriptor.pointee.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
      return message.load(fromByteOffset: quantifier, as: UInt32.self) == number ? 1 : 0
    }
    let value = message + offset
    let isDefault =
      switch kind {
      case .signed32, .unsigned32, .boolean, .enumeration: value.load(as: UInt32.self) == 0
      case .bits64: value.load(as: UInt64.self) == 0
      case .single: value.load(as: Float.self) == 0
      case .double: value.load(as: Double.self) == 0
      case .string: WireField.stringBytes(value).isEmpty
      case .bytes: value.load(as: ProtobufCBinaryData.self).len == 0
      case .message: value.load(as: UnsafeRawPointer?.self) == nil
      }
    return isDefault ? 0 : 1
  }

  /// The address of a value.
  func value(_ index: Int) -> UnsafeRawPointer? {
    guard isRepeated else { return message + offset }
    return message.load(fromByteOffset: offset, as: UnsafeRawPointer?.self).map { $0 + index * stride }
  }

  /// The message at a value's address.
  static func submessage(_ value: UnsafeRawPointer) -> WireMessage? {
    value.load(as: UnsafeRawPointer?.self).map { WireMessage($0) }
  }

  /// The bytes of the string at a value's address, without the terminator.
  static func stringBytes(_ value: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    guard let text = value.load(as: UnsafeRawPointer?.self) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    var count = 0
    while text.load(fromByteOffset: count, as: UInt8.self) != 0 { count += 1 }
    return UnsafeRawBufferPointer(start: text, count: count)
  }

  /// The bytes at a value's address.
  static func dataBytes(_ value: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    let data = value.load(as: ProtobufCBinaryData.self)
    return UnsafeRawBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len)
  }
}

/// What holds for every wire message, whatever it means.
enum WireRules {
  /// Requires UTF-8 in every string, and in messages that decide what a file means no unknown field and no unknown enum value.
  ///
  /// Metadata of a newer minor version is passed over; a node's unknown fields are its decoder's, which can name the operator.
  static func check(_ directory: UnsafePointer<Eri__Directory>) throws(FormatError) {
    try check(WireMessage(directory))
  }

  private static let metadata: Set<String> = [
    "Directory", "Provenance", "Parameter", "LineageStep", "Golden", "Binding", "GoldenTensor", "Budget", "OperatorUse",
    "Feature",
  ]

  private static func check(_ message: WireMessage) throws(FormatError) {
    let name = message.name
    let isClosed = !metadata.contains(name)
    if isClosed, name != "Node", message.unknownFieldCount > 0 {
      throw FormatError(
        .unsupported, at: "",
        "expected the fields of \(name) that this reader knows, found number \(message.unknownField(0)); "
          + "read it with a newer release")
    }
    for index in 0..<message.fieldCount {
      let field = message.field(index)
      let kind = field.kind
      guard kind == .message || kind == .string || (kind == .enumeration && isClosed) else { continue }
      for element in 0..<field.count {
        guard let value = field.value(element) else { continue }
        do throws(FormatError) {
          try check(value, kind, field)
        } catch {
          throw error.inside(field.count > 1 ? "\(field.name) \(element)" : field.name)
        }
      }
    }
  }

  private static func check(_ value: UnsafeRawPointer, _ kind: WireField.Kind, _ field: WireField) throws(FormatError) {
    switch kind {
    case .message:
      if let message = WireField.submessage(value) { try check(message) }
    case .string:
      guard isUTF8(WireField.stringBytes(value)) else { throw contractError("expected UTF-8 text, found other bytes") }
    case .enumeration:
      let number = value.load(as: Int32.self)
      let known = field.descriptor.pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
      guard protobuf_c_enum_descriptor_get_value(known, number) != nil else {
        throw FormatError(
          .unsupported, at: "",
          "expected a \(String(cString: known.pointee.short_name)) that this reader knows, found number \(number); "
            + "read it with a newer release")
      }
    case .signed32, .unsigned32, .bits64, .single, .double, .boolean, .bytes:
      break
    }
  }

  /// Whether bytes are UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing past U+10FFFF.
  static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
      let first = bytes[index]
      let (length, lowest, highest): (Int, UInt8, UInt8)
      switch first {
      case 0...0x7F: (length, lowest, highest) = (1, 0x80, 0xBF)
      case 0xC2...0xDF: (length, lowest, highest) = (2, 0x80, 0xBF)
      case 0xE0: (length, lowest, highest) = (3, 0xA0, 0xBF)
      case 0xED: (length, lowest, highest) = (3, 0x80, 0x9F)
      case 0xE1...0xEF: (length, lowest, highest) = (3, 0x80, 0xBF)
      case 0xF0: (length, lowest, highest) = (4, 0x90, 0xBF)
      case 0xF1...0xF3: (length, lowest, highest) = (4, 0x80, 0xBF)
      case 0xF4: (length, lowest, highest) = (4, 0x80, 0x8F)
      default: return false
      }
      guard bytes.count - index >= length else { return false }
      for following in 1..<max(1, length) {
        let byte = bytes[index + following]
        let range = following == 1 ? lowest...highest : 0x80...0xBF
        guard range.contains(byte) else { return false }
      }
      index += length
    }
    return true
  }
}

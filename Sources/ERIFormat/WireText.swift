import CERISchema
import CProtobufC

/// Zero bytes in strings: protobuf-c's C strings end there, so that what follows would be lost without a word.
enum WireText {
  /// Whether a string of the message, at any depth, holds a zero byte.
  /// - Parameter bytes: a message that protobuf-c has unpacked; the schema, which has no recursion, bounds the depth.
  static func holdsZero(
    _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) -> Bool {
    var rest = bytes[...]
    while let key = varint(&rest) {
      switch key & 7 {
      case 0:
        guard varint(&rest) != nil else { return false }
      case 1:
        rest = rest.dropFirst(8)
      case 2:
        guard let length = varint(&rest), length <= rest.count else { return false }
        let content = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(length)))
        rest = rest.dropFirst(Int(length))
        guard let number = UInt32(exactly: key >> 3),
          let field = protobuf_c_message_descriptor_get_field(descriptor, number)
        else { continue }
        if field.pointee.type == PROTOBUF_C_TYPE_STRING && content.contains(0) { return true }
        if field.pointee.type == PROTOBUF_C_TYPE_MESSAGE, let inner = field.pointee.descriptor,
          holdsZero(content, inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
        {
          return true
        }
      case 5:
        rest = rest.dropFirst(4)
      default:
        return false
      }
    }
    return false
  }

  /// Takes an integer of 7 bits a byte, lowest first; nil at the end.
  private static func varint(_ bytes: inout Slice<UnsafeRawBufferPointer>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}

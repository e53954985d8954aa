import ERIFormat

/// Builds a message of protobuf's wire format; tensors' values stay where they are until it is written.
struct ProtobufWriter {
  /// Bytes, then a tensor's values: row-major little-endian, 4-bit elements two to a byte.
  private var pieces: [(head: [UInt8], values: Tensor)] = []
  private var tail: [UInt8] = []
  private(set) var byteCount: UInt64 = 0
  /// Bytes of `byteCount` that are tensors' values.
  private var valueBytes: UInt64 = 0

  // MARK: Fields

  mutating func number(_ field: UInt64, _ value: Int64) {
    append(ProtobufWriter.varint(field << 3) + ProtobufWriter.varint(UInt64(bitPattern: value)))
  }

  mutating func float(_ field: UInt64, _ value: Float) {
    var bytes = ProtobufWriter.varint(field << 3 | 5)
    bytes.appendLittleEndian(value.bitPattern)
    append(bytes)
  }

  mutating func bytes(_ field: UInt64, _ content: [UInt8]) {
    append(ProtobufWriter.varint(field << 3 | 2) + ProtobufWriter.varint(UInt64(content.count)) + content)
  }

  mutating func text(_ field: UInt64, _ text: String) { bytes(field, Array(text.utf8)) }

  /// A repeated integer field, packed.
  mutating func numbers(_ field: UInt64, _ values: [Int64]) {
    if values.isEmpty { return }
    bytes(field, values.flatMap { ProtobufWriter.varint(UInt64(bitPattern: $0)) })
  }

  /// A repeated float field, packed.
  mutating func floats(_ field: UInt64, _ values: [Float]) {
    if values.isEmpty { return }
    var content: [UInt8] = []
    for value in values { content.appendLittleEndian(value.bitPattern) }
    bytes(field, content)
  }

  mutating func message(_ field: UInt64, _ build: (inout ProtobufWriter) throws(FormatError) -> Void)
    throws(FormatError)
  {
    var inner = ProtobufWriter()
    try build(&inner)
    message(field, inner)
  }

  mutating func message(_ field: UInt64, _ inner: ProtobufWriter) {
    append(ProtobufWriter.varint(field << 3 | 2) + ProtobufWriter.varint(inner.byteCount))
    append(inner)
  }

  /// The fields of another message behind those of this one.
  mutating func append(_ inner: ProtobufWriter) {
    for (head, values) in inner.pieces {
      append(head)
      hold(values)
    }
    append(inner.tail)
    byteCount += inner.valueBytes
    valueBytes += inner.valueBytes
  }

  /// A tensor's values as one field of bytes.
  /// - Parameter count: how many bytes they take as they are written.
  mutating func values(_ field: UInt64, _ tensor: Tensor, count: Int) {
    append(ProtobufWriter.varint(field << 3 | 2) + ProtobufWriter.varint(UInt64(count)))
    hold(tensor)
    byteCount += UInt64(count)
    valueBytes += UInt64(count)
  }

  private mutating func hold(_ values: Tensor) {
    pieces.append((tail, values))
    tail = []
  }

  private mutating func append(_ bytes: [UInt8]) {
    byteCount += UInt64(bytes.count)
    tail += bytes
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(truncatingIfNeeded: rest)]
  }

  // MARK: The file

  /// Writes the message as a file, which appears whole or not at all.
  func write(to path: String) throws(FormatError) {
    let output = try FileWriter(path: path)
    let reader = try TensorReader()
    for (head, tensor) in pieces {
      try output.append(head)
      do throws(FormatError) {
        let block = try TensorBlock(tensor, with: reader)
        try withExtendedLifetime(block) { () throws(FormatError) in
          if ONNXType.isHalved(tensor.dtype) {
            try output.append(ProtobufWriter.packed(block.bytes))
          } else {
            try output.append(block.bytes)
          }
        }
      } catch {
        throw error.inside("tensor \"\(tensor.name)\"")
      }
    }
    try output.append(tail)
    try output.commit()
  }

  /// Lower halves of bytes, two to a byte, the first in the lower half.
  static func packed(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    stride(from: 0, to: bytes.count, by: 2).map { index in
      bytes[index] & 0xF | (index + 1 < bytes.count ? bytes[index + 1] << 4 : 0)
    }
  }
}

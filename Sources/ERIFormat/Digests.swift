import CERISchema

/// The two digests of a model, which depend on what it means and not on how its bytes are stored; FORMAT.md defines them.
package struct Digests: Equatable, Sendable {
  /// Of graph, tensors but optimiser state, preprocessing and labels.
  package let logical: SHA256Digest
  /// Of names, types, shapes and values of the weights, the same in every container.
  package let weights: SHA256Digest

  init(logical: SHA256Digest, weights: SHA256Digest) {
    self.logical = logical
    self.weights = weights
  }

  /// The digests of a directory, whose tensors' own digests are known.
  init(_ directory: UnsafePointer<Eri__Directory>, _ tensors: [Tensor], _ values: [SHA256Digest]) {
    logical = LogicalDigest.of(directory)
    weights = WeightsDigest.of(tensors, values)
  }
}

extension Tensor {
  /// SHA-256 of the row-major little-endian values.
  package func digest() throws(FormatError) -> SHA256Digest {
    switch values {
    case .bytes(let bytes):
      try checkByteCount(bytes.count)
      return bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    case .file(let file, let index):
      return try file.stored(index).sha256
    case .source:
      let block = try TensorBlock(self)
      return withExtendedLifetime(block) { SHA256.digest(of: block.bytes) }
    }
  }
}

extension Model {
  /// The digests of a model in memory or from a file.
  package func digests() throws(FormatError) -> Digests {
    var values: [SHA256Digest] = []
    values.reserveCapacity(tensors.count)
    for tensor in tensors {
      do throws(FormatError) { values.append(try tensor.digest()) } catch {
        throw error.inside("tensor \"\(tensor.name)\"")
      }
    }
    let arena = WireArena()
    let directory = try DirectoryWriter(arena).directory(
      self, stored: values.map { StoredTensor(firstFrame: 0, frameCount: 0, frameOffset: 0, sha256: $0) }, frames: [])
    return withExtendedLifetime(arena) { Digests(directory, tensors, values) }
  }
}

/// SHA-256 over the weights in ascending order of their names' UTF-8 bytes.
package enum WeightsDigest {
  /// - Parameters:
  ///   - tensors: all tensors; those of another role than weight are passed over.
  ///   - values: the digest of each tensor's values.
  package static func of(_ tensors: [Tensor], _ values: [SHA256Digest]) -> SHA256Digest {
    let weights = tensors.indices.filter { tensors[$0].role == .weight }.sorted {
      tensors[$0].name.utf8.lexicographicallyPrecedes(tensors[$1].name.utf8)
    }
    var digest = SHA256()
    for index in weights {
      let tensor = tensors[index]
      var header: [UInt8] = []
      header.appendLittleEndian(UInt32(tensor.name.utf8.count))
      header += Array(tensor.name.utf8)
      header.append(tensor.dtype.rawValue)
      header.append(UInt8(tensor.shape.count))
      for extent in tensor.shape { header.appendLittleEndian(UInt64(extent)) }
      digest.update(header)
      digest.update(values[index].bytes)
    }
    return digest.finished()
  }
}

/// SHA-256 over the canonical form of the directory's logical fields.
enum LogicalDigest {
  static func of(_ directory: UnsafePointer<Eri__Directory>) -> SHA256Digest {
    var sink = Hashing()
    CanonicalForm.put(WireMessage(directory), into: &sink)
    return sink.finished()
  }

  private struct Hashing: CanonicalSink {
    private var digest = SHA256()
    private var pending: [UInt8] = []

    mutating func put<Integer: FixedWidthInteger>(_ value: Integer) {
      pending.appendLittleEndian(value)
      if pending.count >= 4096 { flush() }
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
      flush()
      digest.update(bytes)
    }

    mutating func finished() -> SHA256Digest {
      flush()
      return digest.finished()
    }

    private mutating func flush() {
      digest.update(pending)
      pending.removeAll(keepingCapacity: true)
    }
  }
}

/// Where the canonical form goes.
protocol CanonicalSink {
  mutating func put<Integer: FixedWidthInteger>(_ value: Integer)
  mutating func put(_ bytes: UnsafeRawBufferPointer)
}

/// One byte form per meaning: protobuf's own may differ from writer to writer.
enum CanonicalForm {
  /// Counts the bytes, since a message's length stands before it.
  private struct Counting: CanonicalSink {
    var count = 0

    mutating func put<Integer: FixedWidthInteger>(_ value: Integer) { count += Integer.bitWidth / 8 }
    mutating func put(_ bytes: UnsafeRawBufferPointer) { count += bytes.count }
  }

  private static let directoryFields: Set<UInt32> = [2, 3, 4, 5]
  private static let tensorFields: Set<UInt32> = [1, 2, 3, 4, 5, 9]

  static func put<Sink: CanonicalSink>(_ message: WireMessage, into sink: inout Sink) {
    let fields: Set<UInt32>? =
      switch message.name {
      case "Directory": directoryFields
      case "Tensor": tensorFields
      default: nil
      }
    for index in 0..<message.fieldCount {
      let field = message.field(index)
      if let fields, !fields.contains(field.number) { continue }
      for element in 0..<field.count {
        guard let value = field.value(element) else { continue }
        put(value, of: field, into: &sink)
      }
    }
  }

  private static func put<Sink: CanonicalSink>(_ value: UnsafeRawPointer, of field: WireField, into sink: inout Sink) {
    switch field.kind {
    case .message:
      guard let message = WireField.submessage(value), !isOptimizerState(message) else { return }
      var counting = Counting()
      put(message, into: &counting)
      sink.put(field.number)
      sink.put(UInt32(truncatingIfNeeded: counting.count))
      put(message, into: &sink)
    case .string, .bytes:
      let bytes = field.kind == .string ? WireField.stringBytes(value) : WireField.dataBytes(value)
      sink.put(field.number)
      sink.put(UInt32(truncatingIfNeeded: bytes.count))
      sink.put(bytes)
    case .signed32, .enumeration:
      sink.put(field.number)
      sink.put(Int64(value.load(as: Int32.self)))
    case .unsigned32, .boolean:
      sink.put(field.number)
      sink.put(Int64(value.load(as: UInt32.self)))
    case .bits64:
      sink.put(field.number)
      sink.put(value.load(as: UInt64.self))
    case .single:
      sink.put(field.number)
      sink.put(value.load(as: UInt32.self))
    case .double:
      sink.put(field.number)
      sink.put(value.load(as: UInt64.self))
    }
  }

  private static func isOptimizerState(_ message: WireMessage) -> Bool {
    guard message.name == "Tensor" else { return false }
    return message.address.assumingMemoryBound(to: Eri__Tensor.self).pointee.role == ERI__ROLE__ROLE_OPTIMIZER_STATE
  }
}

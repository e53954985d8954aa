package import ERIFormat

/// Writes PyTorch's zip archives, which `torch.load(weights_only=True)` reads as an OrderedDict of tensors.
package enum TorchWriter {
  private static let folder = "archive/"
  /// As torch's own: storages can be mapped.
  private static let alignment = 64

  /// Writes a file, tensor by tensor; it appears whole or not at all. Names stay as they are, nested ones too.
  /// - Throws: `FormatError` `.unsupported` for a quantized tensor, whose scales a state dictionary has no place for;
  ///   `.invalid` if two tensors share a name; what reading the values throws; `.inputOutput`.
  package static func write(_ tensors: [Tensor], to path: String) throws(FormatError) {
    var names: Set<String> = []
    for tensor in tensors {
      try requirePlain(tensor, for: "a .pth file")
      _ = try typeName(TorchPickleWriter.typeName(tensor.dtype), of: tensor, in: "a .pth file")
      guard names.insert(tensor.name).inserted else {
        throw FormatError(.invalid, at: path, "expected each name once, found \"\(tensor.name)\" twice")
      }
      guard tensor.byteCount != nil, tensor.shape.count <= Limits.rank else {
        throw FormatError(
          .limitExceeded, at: "tensor \"\(tensor.name)\"",
          "expected at most \(Limits.rank) dimensions and \(Limits.elements) elements, found shape "
            + shapeText(tensor.shape))
      }
    }
    var pickle = TorchPickleWriter()
    let description = pickle.describe(tensors)
    let writer = try ZipWriter(path)
    func add(_ name: String, _ bytes: [UInt8]) throws(FormatError) {
      try writer.add(folder + name, bytes, alignment: alignment)
    }
    try add("data.pkl", description)
    try add(".format_version", Array("1".utf8))
    try add(".storage_alignment", Array("\(alignment)".utf8))
    try add("byteorder", Array("little".utf8))
    for (index, tensor) in tensors.enumerated() {
      try writer.begin("\(folder)data/\(index)", byteCount: tensor.byteCount ?? 0, alignment: alignment)
      do throws(FormatError) { try writer.append(tensor) } catch {
        throw error.place.contains(tensor.name) ? error : error.inside("tensor \"\(tensor.name)\"")
      }
      try writer.end()
    }
    try add("version", Array("3\n".utf8))
    try add(".data/serialization_id", serializationID(description))
    try writer.finish()
  }

  /// Forty digits, as torch writes; they only have to be the same for the same contents.
  private static func serializationID(_ description: [UInt8]) -> [UInt8] {
    let digest = description.withUnsafeBytes { SHA256.digest(of: $0) }.bytes
    var digits: [UInt8] = []
    for half in 0..<2 {
      let number = digest[(8 * half)..<(8 * half + 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let text = Array("\(number)".utf8)
      digits += [UInt8](repeating: 0x30, count: 20 - text.count) + text
    }
    return digits
  }
}

/// Writes the pickle (protocol 2) of an OrderedDict of tensors, each the whole of a storage of its own.
struct TorchPickleWriter {
  private var bytes: [UInt8] = []
  /// What is written more than once, by its place in the memo.
  private var memo: [String: UInt8] = [:]

  mutating func describe(_ tensors: [Tensor]) -> [UInt8] {
    bytes = [0x80, 0x02]
    pushEmptyDictionary()
    // SETITEMS in batches, as Python does, keeps the stack short.
    for start in stride(from: 0, to: tensors.count, by: 1_000) {
      bytes.append(0x28)
      for index in start..<min(start + 1_000, tensors.count) {
        push(text: tensors[index].name)
        push(tensors[index], key: index)
      }
      bytes.append(0x75)
    }
    bytes.append(0x2e)
    return bytes
  }

  private mutating func pushEmptyDictionary() {
    push(global: "collections\nOrderedDict")
    bytes += [0x29, 0x52]
  }

  /// A call of `_rebuild_tensor_v2`, or `_v3` for types that have no storage class.
  private mutating func push(_ tensor: Tensor, key: Int) {
    let storage = TorchPickleWriter.storageClass(tensor.dtype)
    push(global: "torch._utils\n\(storage == nil ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")")
    bytes.append(0x28)
    bytes.append(0x28)
    pushOnce(text: "storage")
    push(global: storage.map { "torch\n\($0)" } ?? "torch.storage\nUntypedStorage")
    push(text: "\(key)")
    pushOnce(text: "cpu")
    let count = tensor.elementCount ?? 0
    push(integer: storage == nil ? count * tensor.dtype.byteCount : count)
    bytes += [0x74, 0x51]
    push(integer: 0)
    push(tuple: tensor.shape)
    push(tuple: rowMajorStrides(tensor.shape))
    bytes.append(0x89)
    pushEmptyDictionary()
    if storage == nil { push(global: "torch\n\(tensor.dtype.name)") }
    bytes += [0x74, 0x52]
  }

  /// PyTorch's name of a type; nil: it has none.
  static func typeName(_ dtype: DType) -> String? {
    switch dtype {
    case .f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
      .f8e5m2fnuz:
      dtype.name
    // Two to a byte there.
    case .i4, .u4: nil
    }
  }

  private static func storageClass(_ dtype: DType) -> String? {
    switch dtype {
    case .f64: "DoubleStorage"
    case .f32: "FloatStorage"
    case .f16: "HalfStorage"
    case .bf16: "BFloat16Storage"
    case .i64: "LongStorage"
    case .i32: "IntStorage"
    case .i16: "ShortStorage"
    case .i8: "CharStorage"
    case .u8: "ByteStorage"
    case .bool: "BoolStorage"
    case .u64, .u32, .u16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4: nil
    }
  }

  private mutating func push(text: String) {
    let utf8 = Array(text.utf8)
    bytes.append(0x58)
    bytes.append(numbers: [.u32(UInt32(truncatingIfNeeded: utf8.count))])
    bytes += utf8
  }

  private mutating func pushOnce(text: String) {
    if recall(text) { return }
    push(text: text)
    remember(text)
  }

  /// A module's name, a line feed and a name.
  private mutating func push(global: String) {
    if recall(global) { return }
    bytes.append(0x63)
    bytes += Array(global.utf8) + [0x0a]
    remember(global)
  }

  private mutating func recall(_ key: String) -> Bool {
    guard let place = memo[key] else { return false }
    bytes += [0x68, place]
    return true
  }

  /// There are far fewer than 256 names and words that repeat.
  private mutating func remember(_ key: String) {
    let place = UInt8(truncatingIfNeeded: memo.count)
    memo[key] = place
    bytes += [0x71, place]
  }

  private mutating func push(tuple: [Int]) {
    bytes.append(0x28)
    for number in tuple { push(integer: number) }
    bytes.append(0x74)
  }

  private mutating func push(integer: Int) {
    if let small = UInt8(exactly: integer) {
      bytes += [0x4b, small]
    } else if let number = Int32(exactly: integer) {
      bytes.append(0x4a)
      bytes.append(numbers: [.u32(UInt32(bitPattern: number))])
    } else {
      bytes += [0x8a, 8]
      bytes.append(numbers: [.u64(UInt64(bitPattern: Int64(integer)))])
    }
  }
}

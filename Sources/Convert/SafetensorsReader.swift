import ERIFormat

/// Reads safetensors: a 64-bit length, a JSON header of that length, the tensors' bytes without hole or overlap.
enum SafetensorsReader {
  /// What the header says of one tensor.
  private struct Description {
    var name: String
    var dtypeName: String
    var dtype: DType
    var shape: [Int]
    /// From the header's end.
    var begin: UInt64
    var end: UInt64
  }

  static func read(_ file: FileHandle, path: String) throws(FormatError) -> Checkpoint {
    let prefix = 8
    guard file.byteCount >= UInt64(prefix) else {
      throw FormatError(.invalid, at: "", "expected the header's length in 8 bytes, found \(file.byteCount)")
    }
    let length = try file.bytes(prefix, at: 0).littleEndian(UInt64.self, at: 0) ?? 0
    guard length <= UInt64(Limits.safetensorsHeaderBytes)
    else {
      throw FormatError(
        .limitExceeded, at: "header", "expected at most \(Limits.safetensorsHeaderBytes) bytes, found \(length)")
    }
    let rest = file.byteCount - UInt64(prefix)
    guard length <= rest else {
      throw FormatError(
        .invalid, at: "header", "expected \(length) bytes, found \(rest) before the end of the file; it is cut short")
    }
    let header: Header
    do throws(FormatError) {
      header = try Header(try file.bytes(Int(length), at: UInt64(prefix)), origin: UInt64(prefix))
    } catch {
      throw error.inside("header")
    }
    try checkCoverage(header.tensors, byteCount: rest - length)
    let roles = try Roles(header.metadata)
    var checkpoint = Checkpoint(.safetensors, path: path)
    for tensor in header.tensors {
      let region = FileRegion(
        file, [FileRegion.Piece(offset: UInt64(prefix) + length + tensor.begin, count: Int(tensor.end - tensor.begin))],
        dtype: tensor.dtype, place: "\(path): tensor \"\(tensor.name)\"")
      checkpoint.entries.append(
        Checkpoint.Entry(
          Tensor(tensor.name, tensor.dtype, tensor.shape, role: roles.role(of: tensor.name), values: .source(region)),
          dtypeName: tensor.dtypeName))
    }
    checkpoint.details = .safetensors(header.metadata)
    for (key, value) in header.metadata ?? [] where key != Roles.key {
      checkpoint.notes.append("metadata \"\(key)\" is \"\(brief(value))\"")
    }
    return checkpoint
  }

  /// The bytes behind the header belong to one tensor each, and all of them do.
  private static func checkCoverage(_ tensors: [Description], byteCount: UInt64) throws(FormatError) {
    var end: UInt64 = 0
    var previous = "the header"
    for tensor in tensors.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard tensor.begin == end else {
        throw FormatError(
          .invalid, at: "tensor \"\(tensor.name)\"",
          "expected its bytes from offset \(end), where \(previous) ends, found \(tensor.begin); "
            + (tensor.begin < end ? "two tensors overlap" : "bytes between them belong to none"))
      }
      end = tensor.end
      previous = "tensor \"\(tensor.name)\""
    }
    guard end == byteCount else {
      throw FormatError(
        .invalid, at: "",
        "expected \(end) bytes behind the header, found \(byteCount); "
          + (byteCount < end ? "the file is cut short" : "something else follows"))
    }
  }

  /// The header's content in its order.
  private struct Header {
    var tensors: [Description] = []
    var metadata: [(key: String, value: String)]?

    init(_ bytes: [UInt8], origin: UInt64) throws(FormatError) {
      guard bytes.first == 0x7B else {
        throw FormatError(
          .invalid, at: "byte \(origin)", "expected an object, found \(bytes.isEmpty ? "nothing" : "other text")")
      }
      var reader = JSONReader(bytes, origin: origin)
      var tensors: [Description] = []
      var metadata: [(key: String, value: String)]?
      try reader.members(limit: Limits.tensors + 1, "a header") { reader, key throws(FormatError) in
        if key == "__metadata__" {
          metadata = try Header.metadata(&reader)
          return
        }
        do throws(FormatError) { tensors.append(try Header.tensor(key, &reader)) } catch {
          throw error.inside("tensor \"\(brief(key))\"")
        }
      }
      try reader.expectEnd()
      self.tensors = tensors
      self.metadata = metadata
    }

    private static func metadata(_ reader: inout JSONReader) throws(FormatError) -> [(key: String, value: String)] {
      var metadata: [(key: String, value: String)] = []
      try reader.members(limit: Limits.metadata, "metadata") { reader, key throws(FormatError) in
        metadata.append((key, try reader.string("the value of \"\(brief(key))\"")))
      }
      return metadata
    }

    private static func tensor(_ name: String, _ reader: inout JSONReader) throws(FormatError) -> Description {
      var dtypeName: String?
      var shape: [Int]?
      var offsets: [UInt64]?
      try reader.members(limit: 3, "a tensor's description") { reader, key throws(FormatError) in
        switch key {
        case "dtype": dtypeName = try reader.string("a dtype")
        case "shape": shape = try Header.shape(&reader)
        case "data_offsets":
          var found: [UInt64] = []
          try reader.elements(limit: 2, "offsets") { reader throws(FormatError) in
            found.append(try reader.natural("an offset"))
          }
          offsets = found
        default:
          throw FormatError(
            .invalid, at: "", "expected the keys dtype, shape and data_offsets, found \"\(brief(key))\"")
        }
      }
      guard let dtypeName, let shape, let offsets else {
        let missing = dtypeName == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
        throw FormatError(.invalid, at: "", "expected key \(missing), found none")
      }
      guard let dtype = SafetensorsType.dtype(dtypeName) else {
        throw FormatError(
          .unsupported, at: "", "expected a dtype that .eri has, found \(brief(dtypeName))")
      }
      guard offsets.count == 2, offsets[0] <= offsets[1] else {
        throw FormatError(
          .invalid, at: "", "expected two ascending offsets, found \(joined(offsets.map { "\($0)" }, separator: ", "))")
      }
      guard let count = Tensor(name, dtype, shape, values: .bytes([])).byteCount else {
        throw FormatError(
          .limitExceeded, at: "", "expected at most \(Limits.elements) elements, found \(shapeText(shape))")
      }
      guard offsets[1] - offsets[0] == UInt64(count) else {
        throw FormatError(
          .invalid, at: "",
          "expected \(count) bytes for \(dtypeName) \(shapeText(shape)), found \(offsets[1] - offsets[0])")
      }
      return Description(
        name: name, dtypeName: dtypeName, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
    }

    private static func shape(_ reader: inout JSONReader) throws(FormatError) -> [Int] {
      var shape: [Int] = []
      try reader.elements(limit: Limits.rank, "a shape") { reader throws(FormatError) in
        let extent = try reader.natural("an extent")
        guard extent <= UInt64(Limits.elements) else {
          throw FormatError(.limitExceeded, at: "", "expected extents up to \(Limits.elements), found \(extent)")
        }
        shape.append(Int(extent))
      }
      return shape
    }
  }

  /// What tensors are for: as this library's own writer noted it, or by MindSpore's names.
  struct Roles {
    /// The key of this library's own metadata: an object of tensor names and their roles.
    static let key = "eri.roles"

    private var noted: [String: Tensor.Role] = [:]
    private var isMindSpore = false

    init(_ metadata: [(key: String, value: String)]?) throws(FormatError) {
      for (key, value) in metadata ?? [] {
        if key == "format" && value == "ms" { isMindSpore = true }
        guard key == Roles.key else { continue }
        do throws(FormatError) { noted = try Roles.noted(value) } catch { throw error.inside("metadata \"\(key)\"") }
      }
    }

    private static func noted(_ text: String) throws(FormatError) -> [String: Tensor.Role] {
      var roles: [String: Tensor.Role] = [:]
      var reader = JSONReader(Array(text.utf8))
      try reader.members(limit: Limits.tensors, "roles") { reader, name throws(FormatError) in
        let role = try reader.string("a role")
        guard let known = [Tensor.Role.constant, .optimizerState].first(where: { $0.text == role }) else {
          throw FormatError(.invalid, at: "", "expected constant or optimizer state, found \"\(brief(role))\"")
        }
        roles[name] = known
      }
      try reader.expectEnd()
      return roles
    }

    func role(of name: String) -> Tensor.Role {
      noted[name] ?? (isMindSpore ? MindSporeNames.role(of: name) : .weight)
    }
  }
}

/// safetensors' names of the element types.
enum SafetensorsType {
  /// Nil: it has none.
  static func name(_ dtype: DType) -> String? {
    switch dtype {
    case .f64: "F64"
    case .f32: "F32"
    case .f16: "F16"
    case .bf16: "BF16"
    case .i64: "I64"
    case .i32: "I32"
    case .i16: "I16"
    case .i8: "I8"
    case .u64: "U64"
    case .u32: "U32"
    case .u16: "U16"
    case .u8: "U8"
    case .bool: "BOOL"
    case .f8e4m3fn: "F8_E4M3"
    case .f8e5m2: "F8_E5M2"
    case .f8e4m3fnuz, .f8e5m2fnuz, .i4, .u4: nil
    }
  }

  static func dtype(_ name: String) -> DType? { DType.allCases.first { self.name($0) == name } }
}

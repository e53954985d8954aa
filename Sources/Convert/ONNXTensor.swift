import ERIFormat
import ERIONNX

/// ONNX's element types by their numbers.
enum ONNXType {
  private static let names = [
    "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE",
    "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2",
  ]

  static func name(_ number: UInt64) -> String {
    number < UInt64(names.count) ? names[Int(number)] : "type \(number)"
  }

  /// ONNX's number of a type.
  static func number(_ dtype: DType) -> Int64 {
    Int64(names.indices.first { DType(onnx: $0) == dtype } ?? 0)
  }

  /// The type of a number; nil: one that .eri lacks.
  static func dtype(_ number: UInt64) -> DType? {
    Int(exactly: number).flatMap { DType(onnx: $0) }
  }

  /// Whether two elements share a byte there.
  static func isHalved(_ dtype: DType) -> Bool { dtype == .i4 || dtype == .u4 }

  /// The IR version that brought the type.
  static func irVersion(_ dtype: DType) -> Int {
    switch dtype {
    case .f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool: 8
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: 9
    case .i4, .u4: 10
    }
  }

  /// The field that holds values of the type where they are not raw bytes, and whether it holds varints.
  static func field(_ dtype: DType) -> (number: UInt32, isVarint: Bool) {
    switch dtype {
    case .f32: (4, false)
    case .i32, .i16, .i8, .u16, .u8, .bool, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      (5, true)
    case .i64: (7, true)
    case .f64: (10, false)
    case .u32, .u64: (11, true)
    }
  }
}

/// Reads TensorProto messages, whose values stay where they are.
final class ONNXTensorReader {
  /// Where one kind of values lies.
  private struct Values {
    var pieces: [FileRegion.Piece] = []
    var byteCount: UInt64 = 0
  }

  private struct Message {
    var name = ""
    var type: UInt64 = 0
    var shape: [Int] = []
    /// By field number.
    var values: [UInt32: Values] = [:]
    var raw: Values?
    var external: [(key: String, value: String)] = []
    var isExternal = false
  }

  private let file: FileHandle
  private let path: String
  /// Files of external data, opened once.
  private var externalFiles: [[UInt8]: FileHandle] = [:]

  init(_ file: FileHandle, path: String) {
    self.file = file
    self.path = path
  }

  /// Reads an initialiser.
  func read(_ reader: ProtobufReader) throws(FormatError) -> Checkpoint.Entry {
    let message = try message(reader)
    do throws(FormatError) { return try entry(message, "initialiser") } catch {
      throw error.inside("\"\(brief(message.name))\"")
    }
  }

  /// Reads a tensor under another name than its own.
  func tensor(_ reader: ProtobufReader, named name: String, _ what: String) throws(FormatError) -> Tensor {
    var message = try message(reader)
    message.name = name
    do throws(FormatError) { return try entry(message, what).tensor } catch {
      throw error.inside("\(what) \"\(brief(name))\"")
    }
  }

  /// The number of a tensor's element type.
  func elementType(_ reader: ProtobufReader) throws(FormatError) -> UInt64 {
    var reader = reader
    var type: UInt64 = 0
    while let field = try reader.next() {
      if field.number == 2 { type = try reader.integer(field, "an element type") }
    }
    return type
  }

  private func message(_ reader: ProtobufReader) throws(FormatError) -> Message {
    var reader = reader
    var message = Message()
    while let field = try reader.next() {
      switch field.number {
      case 1: try reader.appendExtents(field, to: &message.shape)
      case 2: message.type = try reader.integer(field, "an element type")
      case 3:
        throw FormatError(.unsupported, at: "byte \(field.offset)", "expected a whole tensor, found a segment of one")
      case 4, 5, 7, 10, 11: try append(field, to: &message.values[field.number, default: Values()])
      case 8: message.name = try reader.text(field, limit: Limits.nameBytes, "a name")
      case 9:
        let (offset, count) = try reader.extent(field, "raw data")
        message.raw = Values(pieces: [FileRegion.Piece(offset: offset, count: Int(clamping: count))], byteCount: count)
      case 13:
        guard message.external.count < Limits.arity else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)",
            "expected at most \(Limits.arity) entries of external data, found more")
        }
        message.external.append(try pair(try reader.message(field, "external data")))
      case 14: message.isExternal = try reader.integer(field, "a data location") == 1
      default: break
      }
    }
    return message
  }

  /// Adds the place of packed values or of a single one.
  private func append(_ field: ProtobufReader.Field, to values: inout Values) throws(FormatError) {
    let piece: FileRegion.Piece
    switch field.content {
    case .bytes(let offset, let count): piece = FileRegion.Piece(offset: offset, count: Int(clamping: count))
    case .fixed32(let offset): piece = FileRegion.Piece(offset: offset, count: 4)
    case .fixed64(let offset): piece = FileRegion.Piece(offset: offset, count: 8)
    case .varint(let value):
      // Behind the key, which takes one byte for these numbers.
      var count = 1
      var rest = value >> 7
      while rest > 0 {
        count += 1
        rest >>= 7
      }
      piece = FileRegion.Piece(offset: field.offset + 1, count: count)
    }
    guard values.pieces.count < Limits.pieces else {
      throw FormatError(
        .limitExceeded, at: "byte \(field.offset)", "expected values in at most \(Limits.pieces) pieces, found more")
    }
    values.pieces.append(piece)
    values.byteCount += UInt64(piece.count)
  }

  private func pair(_ reader: ProtobufReader) throws(FormatError) -> (key: String, value: String) {
    var reader = reader
    var pair = (key: "", value: "")
    while let field = try reader.next() {
      switch field.number {
      case 1: pair.key = try reader.text(field, limit: Limits.nameBytes, "a key")
      case 2: pair.value = try reader.text(field, limit: Limits.textBytes, "a value")
      default: break
      }
    }
    return pair
  }

  private func entry(_ message: Message, _ what: String) throws(FormatError) -> Checkpoint.Entry {
    let typeName = ONNXType.name(message.type)
    guard let dtype = ONNXType.dtype(message.type) else {
      throw FormatError(.unsupported, at: "", "expected an element type that .eri has, found \(typeName)")
    }
    var tensor = Tensor(message.name, dtype, message.shape, values: .bytes([]))
    guard tensor.byteCount != nil, let elements = tensor.elementCount else {
      throw FormatError(
        .limitExceeded, at: "", "expected at most \(Limits.elements) elements, found \(shapeText(message.shape))")
    }
    let place = "\(path): \(what) \"\(message.name)\""
    let isHalved = ONNXType.isHalved(dtype)
    let units = isHalved ? elements / 2 + elements % 2 : elements
    let source = try source(message, isHalved ? .u8 : dtype, units, place)
    tensor.values = .source(isHalved ? NibbleSource(source, elements, isSigned: dtype == .i4) : source)
    return Checkpoint.Entry(tensor, dtypeName: typeName)
  }

  /// The values as they are stored: units of a type, of which there are so many.
  private func source(
    _ message: Message, _ dtype: DType, _ units: Int, _ place: String
  ) throws(FormatError) -> TensorSource {
    // Within 64 bits: units are bounded by Limits.elements.
    let count = units * dtype.byteCount
    if message.isExternal { return try external(message, count, dtype, place) }
    if let raw = message.raw {
      guard raw.byteCount == UInt64(count) else { throw byteCountError(count, message, raw.byteCount) }
      return FileRegion(file, raw.pieces, dtype: dtype, place: place)
    }
    let (field, isVarint) = ONNXType.field(dtype)
    let values = message.values[field] ?? Values()
    guard isVarint else {
      guard values.byteCount == UInt64(count) else { throw byteCountError(count, message, values.byteCount) }
      return FileRegion(file, values.pieces, dtype: dtype, place: place)
    }
    // Every value takes at least a byte, so that no few bytes can ask for much memory.
    guard values.byteCount >= UInt64(units) else { throw byteCountError(units, message, values.byteCount) }
    return VarintRegion(file, values.pieces, dtype: dtype, place: place)
  }

  /// Values in another file of the model's folder.
  private func external(
    _ message: Message, _ count: Int, _ dtype: DType, _ place: String
  ) throws(FormatError) -> FileRegion {
    var location: String?
    var offset: UInt64 = 0
    var length: UInt64?
    for (key, value) in message.external {
      switch key {
      case "location": location = value
      case "offset", "length":
        guard let number = UInt64(value) else {
          throw FormatError(.invalid, at: "external data", "expected \(key) as a number, found \"\(brief(value))\"")
        }
        if key == "offset" { offset = number } else { length = number }
      default: break
      }
    }
    guard let location else {
      throw FormatError(.invalid, at: "external data", "expected a location, found none")
    }
    let other: FileHandle
    if let known = externalFiles[Array(location.utf8)] {
      other = known
    } else {
      do throws(FormatError) { other = try FileHandle(path: location, inside: folder) } catch {
        throw FormatError(
          error.kind, at: "external data \"\(brief(location))\"",
          "\(error.message); it must lie in the model's folder, without .. and without links")
      }
      externalFiles[Array(location.utf8)] = other
    }
    let found = length ?? (other.byteCount >= offset ? other.byteCount - offset : 0)
    guard found == UInt64(count) else {
      throw byteCountError(count, message, found)
    }
    guard offset <= other.byteCount, UInt64(count) <= other.byteCount - offset else {
      throw FormatError(
        .invalid, at: "external data \"\(brief(location))\"",
        "expected \(count) bytes from offset \(offset), found a file of \(other.byteCount) bytes")
    }
    return FileRegion(other, [FileRegion.Piece(offset: offset, count: count)], dtype: dtype, place: place)
  }

  /// The model's folder.
  private var folder: String {
    guard let slash = path.utf8.lastIndex(of: 0x2F) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func byteCountError(_ expected: Int, _ message: Message, _ found: UInt64) -> FormatError {
    FormatError(
      .invalid, at: "",
      "expected \(expected) bytes for \(ONNXType.name(message.type)) \(shapeText(message.shape)), found \(found)")
  }
}

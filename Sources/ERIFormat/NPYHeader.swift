/// What the header of a .npy file says of its values.
package struct NPYHeader: Equatable, Sendable {
  package let dtype: DType
  package let shape: [Int]
  /// The first index runs fastest.
  package let isFortranOrder: Bool
  package let isBigEndian: Bool
  /// Bytes of all values.
  package let byteCount: Int

  /// The eight bytes that every .npy file begins with, up to the version: "\x93NUMPY".
  package static let magic: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

  /// Parses the header's text, a Python dictionary literal of `descr`, `fortran_order` and `shape`.
  /// - Throws: `FormatError` `.invalid` or `.limitExceeded` for what breaks NumPy's format, `.unsupported` for types without a `DType`.
  package init(text: [UInt8]) throws(FormatError) {
    var reader = PythonLiteralReader(text)
    var type: (dtype: DType, isBigEndian: Bool)?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try reader.expect("{", "a dictionary")
    while !reader.take("}") {
      let key = try reader.string("a key")
      try reader.expect(":", "a colon after key '\(key)'")
      switch key {
      case "descr":
        try Self.onlyOnce(type == nil, key)
        type = try Self.type(&reader)
      case "fortran_order":
        try Self.onlyOnce(isFortranOrder == nil, key)
        isFortranOrder = try reader.boolean(key)
      case "shape":
        try Self.onlyOnce(shape == nil, key)
        shape = try reader.integers(key)
      default:
        throw FormatError(
          .invalid, at: "header", "expected the keys descr, fortran_order and shape, found '\(key)'")
      }
      if !reader.take(",") {
        try reader.expect("}", "a comma or the end of the dictionary")
        break
      }
    }
    try reader.expectEnd()
    guard let type else { throw Self.missing("descr") }
    guard let isFortranOrder else { throw Self.missing("fortran_order") }
    guard let shape else { throw Self.missing("shape") }
    guard shape.count <= Limits.rank else {
      throw FormatError(
        .limitExceeded, at: "header", "expected at most \(Limits.rank) dimensions, found \(shape.count)")
    }
    guard let count = elementProduct(shape) else {
      throw FormatError(
        .limitExceeded, at: "header", "expected at most \(Limits.elements) elements, found shape \(shapeText(shape))")
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.dtype.byteCount)
    guard !overflow else {
      throw FormatError(
        .limitExceeded, at: "header",
        "expected at most \(Int.max) bytes, found shape \(shapeText(shape)) of \(type.dtype.name)")
    }
    dtype = type.dtype
    isBigEndian = type.isBigEndian
    self.isFortranOrder = isFortranOrder
    self.shape = shape
    byteCount = bytes
  }

  /// Reads a .npy file's beginning and holds its length against what the header says.
  /// - Parameters:
  ///   - size: bytes of the whole file.
  ///   - read: the bytes of that count at that offset of the file.
  /// - Returns: the header and the offset of the values.
  /// - Throws: `FormatError` as `init(text:)`, `.invalid` too for a length that does not fit, and what `read` throws.
  package static func read(
    byteCount size: Int64, _ read: (_ count: Int, _ offset: Int) throws(FormatError) -> [UInt8]
  ) throws(FormatError) -> (NPYHeader, valuesOffset: Int) {
    guard size >= Int64(magic.count + 2) else {
      throw FormatError(.invalid, at: "", "expected a .npy file, found \(size) bytes, too few for its beginning")
    }
    let beginning = try read(magic.count + 2, 0)
    guard beginning.starts(with: magic) else {
      throw FormatError(.invalid, at: "", "expected a .npy file, found other bytes than \\x93NUMPY at its beginning")
    }
    let (major, minor) = (beginning[magic.count], beginning[magic.count + 1])
    guard (1...3).contains(major), minor == 0 else {
      throw FormatError(.invalid, at: "", "expected .npy version 1.0, 2.0 or 3.0, found \(major).\(minor)")
    }
    let lengthBytes = major == 1 ? 2 : 4
    let textOffset = beginning.count + lengthBytes
    guard size >= Int64(textOffset) else {
      throw FormatError(
        .invalid, at: "header", "expected its length in \(lengthBytes) bytes, found the end of the file")
    }
    var length: UInt32 = 0
    for byte in try read(lengthBytes, beginning.count).reversed() {
      length = length << 8 | UInt32(byte)
    }
    guard length <= UInt32(Limits.npyHeaderBytes) else {
      throw FormatError(
        .limitExceeded, at: "header", "expected at most \(Limits.npyHeaderBytes) bytes, found \(length)")
    }
    let valuesOffset = textOffset + Int(length)
    guard size >= Int64(valuesOffset) else {
      throw FormatError(
        .invalid, at: "header", "expected \(length) bytes, found \(size - Int64(textOffset)) before the end of the file"
      )
    }
    let header = try NPYHeader(text: read(Int(length), textOffset))
    let found = size - Int64(valuesOffset)
    guard found == Int64(header.byteCount) else {
      throw FormatError(
        .invalid, at: "values",
        "expected \(header.byteCount) bytes for shape \(shapeText(header.shape)) of \(header.dtype.name), found \(found)"
      )
    }
    return (header, valuesOffset)
  }

  /// The whole beginning of a version 1 file: magic, version, length, dictionary, padded so that the values start at a multiple of 64.
  /// - Throws: `FormatError` `.unsupported` for bfloat16, which .npy has no name for.
  package static func encoded(dtype: DType, shape: [Int]) throws(FormatError) -> [UInt8] {
    let order = dtype.byteCount == 1 ? "|" : "<"
    var extents = joined(shape.map { "\($0)" }, separator: ", ")
    if shape.count == 1 { extents += "," }
    let text = "{'descr': '\(order)\(try code(dtype))', 'fortran_order': False, 'shape': (\(extents)), }"
    let preamble = magic.count + 4
    let unpadded = preamble + text.utf8.count + 1
    let padding = (64 - unpadded % 64) % 64
    let length = text.utf8.count + padding + 1
    var bytes = magic
    bytes += [1, 0, UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
    bytes += Array(text.utf8)
    bytes += [UInt8](repeating: 0x20, count: padding)
    bytes.append(0x0a)
    return bytes
  }

  /// NumPy's letter and size of the type ("f4").
  private static func code(_ dtype: DType) throws(FormatError) -> String {
    switch dtype {
    case .f64: "f8"
    case .f32: "f4"
    case .f16: "f2"
    case .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      throw FormatError(
        .unsupported, at: "",
        "expected a type that .npy has a name for, found \(dtype.name); convert it to float32 first")
    case .i64: "i8"
    case .i32: "i4"
    case .i16: "i2"
    case .i8: "i1"
    case .u64: "u8"
    case .u32: "u4"
    case .u16: "u2"
    case .u8: "u1"
    case .bool: "b1"
    }
  }

  private static func dtype(code: String) -> DType? {
    switch code {
    case "f8": .f64
    case "f4": .f32
    case "f2": .f16
    case "i8": .i64
    case "i4": .i32
    case "i2": .i16
    case "i1": .i8
    case "u8": .u64
    case "u4": .u32
    case "u2": .u16
    case "u1": .u8
    case "b1": .bool
    default: nil
    }
  }

  /// The value of `descr`.
  private static func type(_ reader: inout PythonLiteralReader) throws(FormatError) -> (DType, isBigEndian: Bool) {
    if reader.peeks("[") || reader.peeks("(") {
      throw FormatError(
        .unsupported, at: "header",
        "expected a simple type, found a structured one; save each field as an array of its own")
    }
    let text = try reader.string("the type")
    let code = String(text.dropFirst())
    guard let order = text.utf8.first, order == 0x3c || order == 0x3e || order == 0x7c else {
      throw FormatError(
        .invalid, at: "header", "expected a type beginning with '<', '>' or '|', found '\(text)'")
    }
    guard let dtype = Self.dtype(code: code) else {
      let found = code.utf8.first == 0x4f ? "Python objects '\(text)'" : "type '\(text)'"
      throw FormatError(
        .unsupported, at: "header",
        "expected float16 to float64, an integer type or bool, found \(found); convert the array first")
    }
    guard order != 0x7c || dtype.byteCount == 1 else {
      throw FormatError(.invalid, at: "header", "expected a byte order '<' or '>' for type '\(text)', found '|'")
    }
    return (dtype, order == 0x3e)
  }

  private static func onlyOnce(_ isFirst: Bool, _ key: String) throws(FormatError) {
    guard isFirst else { throw FormatError(.invalid, at: "header", "expected key '\(key)' once, found it twice") }
  }

  private static func missing(_ key: String) -> FormatError {
    FormatError(.invalid, at: "header", "expected key '\(key)', found none")
  }
}

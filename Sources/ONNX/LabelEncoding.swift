import ERIFormat

/// LabelEncoder: each element looked up among keys and replaced by the value beside it, or by a default.
extension ONNXNode {
  func labelEncodingKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    guard let keys = try table("keys"), let values = try table("values") else {
      throw FormatError(
        .unsupported, at: "", "expected keys and values that are numbers, found texts or none")
    }
    guard keys.count == values.count else {
      throw contractError("expected as many values as keys, found \(keys.count) keys and \(values.count) values")
    }
    guard keys.dtype == x.dtype else {
      throw contractError("expected x of \(keys.dtype.name) like the keys, found \(x.dtype.name)")
    }
    let fallback = try fallback(values.dtype)
    return try numberKernel(
      x, "x",
      LabelEncoding(
        keys: keys, values: values.bytes + fallback, count: x.type.elements, type: try BoundType(values.dtype, x.shape))
    )
  }

  /// The numbers of an attribute in its int64, float or tensor form.
  private func table(_ name: String) throws(FormatError) -> LabelTable? {
    if let integers = try integers("\(name)_int64s") {
      return LabelTable(dtype: .i64, bytes: integers.map { Int64($0) }.withUnsafeBytes { [UInt8]($0) })
    }
    if let numbers = try numbers("\(name)_floats") {
      return LabelTable(dtype: .f32, bytes: numbers.withUnsafeBytes { [UInt8]($0) })
    }
    guard let tensor = try tensor("\(name)_tensor") else { return nil }
    return LabelTable(dtype: tensor.dtype, bytes: tensor.bytes)
  }

  /// The bytes of the value for elements without a key.
  private func fallback(_ dtype: DType) throws(FormatError) -> [UInt8] {
    if let tensor = try tensor("default_tensor") {
      guard tensor.dtype == dtype, tensor.bytes.count == dtype.byteCount else {
        throw contractError("expected default_tensor of 1 element of \(dtype.name), found another")
      }
      return tensor.bytes
    }
    switch dtype {
    case .i64:
      return withUnsafeBytes(of: Int64(try integer("default_int64", default: -1))) { [UInt8]($0) }
    case .f32: return withUnsafeBytes(of: try number("default_float", default: -0.0)) { [UInt8]($0) }
    case .f64: return withUnsafeBytes(of: -0.0) { [UInt8]($0) }
    case .i32, .i16, .i8: return [UInt8](repeating: 0xFF, count: dtype.byteCount)
    case .f16, .bf16, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      throw FormatError(
        .unsupported, at: "", "expected values of int64, int32, int16, int8, float32 or float64, found \(dtype.name)")
    }
  }
}

private struct LabelTable {
  let dtype: DType
  let bytes: [UInt8]

  var count: Int { bytes.count / dtype.byteCount }
}

private struct LabelEncoding: NumberKernel {
  let keys: LabelTable
  /// The bytes of each key's value, then of the default.
  let values: [UInt8]
  let count: Int
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    var sorted: [(key: Element, place: Int)] = keys.bytes.withUnsafeBytes { bytes in
      (0..<keys.count).map {
        (bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.stride, as: Element.self), $0)
      }
    }
    // Of equal keys the last one counts; every NaN is the same key.
    let absent = sorted.last { $0.key.isNotNumber }?.place ?? keys.count
    let missing = keys.count
    sorted.removeAll { $0.key.isNotNumber }
    sorted.sort { $0.key == $1.key ? $0.place > $1.place : $0.key < $1.key }
    let (table, values, count, size) = (sorted, values, count, type.dtype.byteCount)
    return ONNXKernel([type]) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let y = memory.outputs[0]
      values.withUnsafeBytes { values in
        for index in 0..<count {
          let place = x[index].isNotNumber ? absent : LabelEncoding.find(x[index], table) ?? missing
          for byte in 0..<size {
            y.storeBytes(of: values[place * size + byte], toByteOffset: index * size + byte, as: UInt8.self)
          }
        }
      }
      return nil
    }
  }

  /// The place of the first entry with that key.
  private static func find<Element: ONNXNumber>(_ key: Element, _ table: [(key: Element, place: Int)]) -> Int? {
    var (low, high) = (0, table.count)
    while low < high {
      let middle = (low + high) / 2
      if table[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low < table.count && table[low].key == key ? table[low].place : nil
  }
}

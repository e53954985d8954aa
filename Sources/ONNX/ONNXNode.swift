package import ERIFormat

/// Type of a value once a graph is bound: every extent is known.
package struct BoundType: Equatable, Sendable {
  package let dtype: DType
  package let shape: [Int]

  /// - Throws: `FormatError` for a negative extent, or a rank or number of elements past the limits.
  package init(_ dtype: DType, _ shape: [Int]) throws(FormatError) {
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw contractError("expected extents of at least 0, found \(shapeText(shape))")
    }
    guard shape.count <= Limits.rank, elementProduct(shape) != nil else {
      throw FormatError(
        .limitExceeded, at: "",
        "expected at most \(Limits.rank) dimensions and \(Limits.elements) elements, found \(shapeText(shape))")
    }
    self.dtype = dtype
    self.shape = shape
  }

  package var elements: Int { shape.reduce(1, *) }
  package var byteCount: Int { elements * dtype.byteCount }
  /// Elements from one index of each axis to the next, row-major.
  package var strides: [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    return strides
  }
  /// "float32 [2, 3]".
  package var text: String { "\(dtype.name) \(shapeText(shape))" }
}

/// An operand of a node while its graph is bound.
package struct ONNXOperand {
  package let type: BoundType
  /// The values where they are known by then: row-major, aligned to 8 bytes, alive while the node's kernel is made.
  package let values: UnsafeRawPointer?

  package init(_ type: BoundType, values: UnsafeRawPointer? = nil) {
    self.type = type
    self.values = values
  }

  package var dtype: DType { type.dtype }
  package var shape: [Int] { type.shape }
}

/// An operator applied to operands whose types are known: what its kernel is made from.
package struct ONNXNode {
  package let op: ONNXOperator
  /// Nil: an optional one left out.
  package let operands: [ONNXOperand?]
  package let outputCount: Int

  package init(_ op: ONNXOperator, _ operands: [ONNXOperand?], outputCount: Int) {
    self.op = op
    self.operands = operands
    self.outputCount = outputCount
  }

  // MARK: Operands

  /// Requires between `minimum` and `maximum` operands.
  func arity(_ minimum: Int, _ maximum: Int = Limits.arity) throws(FormatError) {
    guard operands.count >= minimum, operands.count <= maximum else {
      let expected = minimum == maximum ? counted(minimum, "input") : "\(minimum) to \(maximum) inputs"
      throw contractError("expected \(expected), found \(operands.count)")
    }
  }

  /// Requires at most `maximum` outputs.
  func outputs(_ maximum: Int) throws(FormatError) {
    guard outputCount <= maximum else {
      throw contractError("expected at most \(counted(maximum, "output")), found \(outputCount)")
    }
  }

  /// Operand `index`, or nil where it is left out.
  func optional(_ index: Int) -> ONNXOperand? { index < operands.count ? operands[index] : nil }

  /// Operand `index`, which must be there.
  func operand(_ index: Int, _ what: String) throws(FormatError) -> ONNXOperand {
    guard let operand = optional(index) else {
      throw contractError("expected \(what) at position \(index), found no input")
    }
    return operand
  }

  /// Requires an operand's type to be one of those listed.
  func require(_ operand: ONNXOperand, _ what: String, _ dtypes: [DType]) throws(FormatError) {
    guard dtypes.contains(operand.dtype) else {
      throw FormatError(
        .unsupported, at: "",
        "expected \(what) of \(joined(dtypes.map { $0.name }, separator: ", ")), found \(operand.dtype.name)")
    }
  }

  /// The integers of operand `index`, which decides shapes; nil where it is left out.
  /// - Throws: `FormatError` `.unsupported` if its values are not known when the graph is bound.
  func integers(_ index: Int, _ what: String) throws(FormatError) -> [Int]? {
    guard let operand = optional(index) else { return nil }
    guard let values = try known(operand, what) else { return [] }
    var integers: [Int] = []
    for position in 0..<operand.type.elements {
      let integer: Int64
      switch operand.dtype {
      case .i64: integer = values.loadUnaligned(fromByteOffset: 8 * position, as: Int64.self)
      case .i32: integer = Int64(values.loadUnaligned(fromByteOffset: 4 * position, as: Int32.self))
      case .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f64, .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
        .f8e5m2fnuz,
        .i4, .u4:
        throw contractError("expected \(what) of int64 or int32, found \(operand.dtype.name)")
      }
      integers.append(Int(clamping: integer))
    }
    return integers
  }

  /// The integers of operand `index`, or of the attribute that older operator sets have in its place.
  func integers(_ index: Int, orAttribute name: String) throws(FormatError) -> [Int]? {
    if let values = try integers(index, name) { return values }
    return try integers(name)
  }

  /// The one integer of operand `index`; nil where it is left out.
  func integer(_ index: Int, _ what: String) throws(FormatError) -> Int? {
    guard let values = try integers(index, what) else { return nil }
    guard values.count == 1 else { throw contractError("expected \(what) of 1 element, found \(values.count)") }
    return values[0]
  }

  /// The numbers of a floating-point operand that decides shapes; nil where it is left out.
  func numbers(_ index: Int, _ what: String) throws(FormatError) -> [Double]? {
    guard let operand = optional(index) else { return nil }
    guard let values = try known(operand, what) else { return [] }
    var numbers: [Double] = []
    for position in 0..<operand.type.elements {
      switch operand.dtype {
      case .f32: numbers.append(Double(values.loadUnaligned(fromByteOffset: 4 * position, as: Float.self)))
      case .f64: numbers.append(values.loadUnaligned(fromByteOffset: 8 * position, as: Double.self))
      case .f16: numbers.append(Double(values.loadUnaligned(fromByteOffset: 2 * position, as: Float16.self)))
      case .bf16: numbers.append(values.loadUnaligned(fromByteOffset: 2 * position, as: BFloat16.self).double)
      case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz,
        .i4,
        .u4:
        throw contractError("expected \(what) of float32, float64, float16 or bfloat16, found \(operand.dtype.name)")
      }
    }
    return numbers
  }

  /// Where a deciding operand's values are; nil if it has no elements.
  private func known(_ operand: ONNXOperand, _ what: String) throws(FormatError) -> UnsafeRawPointer? {
    if operand.type.elements == 0 { return nil }
    guard let values = operand.values else {
      throw FormatError(
        .unsupported, at: "",
        "expected \(what) whose values are known before the graph runs, found computed ones; give the model values that are constant or come from inputs and shapes"
      )
    }
    return values
  }

  // MARK: Attributes

  /// An integer attribute.
  func integer(_ name: String) throws(FormatError) -> Int? {
    guard let content = op.attribute(name) else { return nil }
    guard case .integer(let value) = content else { throw wrong(name, "an integer") }
    return Int(clamping: value)
  }

  func integer(_ name: String, default value: Int) throws(FormatError) -> Int { try integer(name) ?? value }

  func flag(_ name: String, default value: Bool = false) throws(FormatError) -> Bool {
    try integer(name, default: value ? 1 : 0) != 0
  }

  func number(_ name: String) throws(FormatError) -> Float? {
    guard let content = op.attribute(name) else { return nil }
    guard case .number(let value) = content else { throw wrong(name, "a number") }
    return value
  }

  func number(_ name: String, default value: Float) throws(FormatError) -> Float { try number(name) ?? value }

  func text(_ name: String, default value: String) throws(FormatError) -> String {
    guard let content = op.attribute(name) else { return value }
    guard case .text(let text) = content else { throw wrong(name, "a text") }
    return text
  }

  func integers(_ name: String) throws(FormatError) -> [Int]? {
    guard let content = op.attribute(name) else { return nil }
    guard case .integers(let values) = content else { throw wrong(name, "integers") }
    return values.map { Int(clamping: $0) }
  }

  func numbers(_ name: String) throws(FormatError) -> [Float]? {
    guard let content = op.attribute(name) else { return nil }
    guard case .numbers(let values) = content else { throw wrong(name, "numbers") }
    return values
  }

  func texts(_ name: String) throws(FormatError) -> [String]? {
    guard let content = op.attribute(name) else { return nil }
    guard case .texts(let values) = content else { throw wrong(name, "texts") }
    return values
  }

  func tensor(_ name: String) throws(FormatError) -> Golden.Values? {
    guard let content = op.attribute(name) else { return nil }
    guard case .tensor(let values) = content else { throw wrong(name, "a tensor") }
    return values
  }

  private func wrong(_ name: String, _ what: String) -> FormatError {
    contractError("expected attribute \"\(name)\" to be \(what), found another kind")
  }

  // MARK: Axes

  /// An axis counted from the front; negative ones count from the end.
  func axis(_ axis: Int, rank: Int, _ what: String = "axis") throws(FormatError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw contractError("expected \(what) from \(-rank) to \(rank - 1), found \(axis)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes counted from the front, each once.
  func axes(_ axes: [Int], rank: Int) throws(FormatError) -> [Int] {
    var result: [Int] = []
    for value in axes {
      let position = try axis(value, rank: rank)
      guard !result.contains(position) else { throw contractError("expected each axis once, found \(value) again") }
      result.append(position)
    }
    return result
  }
}

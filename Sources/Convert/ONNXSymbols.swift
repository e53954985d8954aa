import ERIFormat

/// The symbolic dimensions of an ONNX graph: one for each name, and one for each extent that has none.
struct ONNXSymbols {
  private(set) var names: [String] = []
  private var numbers: [[UInt8]: Int] = [:]
  /// Names that the file gives, which none that is made up may have.
  private var reserved: Set<[UInt8]> = []

  mutating func reserve(_ values: [ONNXValueInfo]) {
    for value in values {
      guard case .tensor(_, let shape?) = value.declared else { continue }
      for case .named(let name) in shape { reserved.insert(Array(name.utf8)) }
    }
  }

  /// An input's shape; "x.0" stands for the first extent of x where the file has no name for it.
  mutating func shape(_ extents: [ONNXValueInfo.Extent], of name: String) throws(FormatError) -> [Dimension] {
    var shape: [Dimension] = []
    for (axis, extent) in extents.enumerated() {
      switch extent {
      case .constant(let value):
        guard value <= Int64(Limits.elements) else {
          throw FormatError(
            .limitExceeded, at: "", "expected extents from 0 to \(Limits.elements), found \(value)")
        }
        shape.append(Dimension(Int(value)))
      case .named(let symbol): shape.append(Dimension(symbol: number(symbol)))
      case .open: shape.append(Dimension(symbol: open(name, axis)))
      }
    }
    return shape
  }

  /// What the file says of a node's output; nil: nothing that a declared type can say.
  /// - Parameter isOutput: of the graph: what the inputs have no symbol for then gets one, as long as there is room.
  mutating func declared(_ info: ONNXValueInfo?, isOutput: Bool) -> ValueType? {
    guard let info, case .tensor(let number, let extents) = info.declared, let dtype = ONNXType.dtype(number) else {
      return nil
    }
    guard let extents else { return ValueType(declared: dtype, nil) }
    var shape: [Dimension] = []
    for (axis, extent) in extents.enumerated() {
      guard let dimension = declared(extent, info.name, axis, isOutput: isOutput) else {
        return ValueType(declared: dtype, nil)
      }
      shape.append(dimension)
    }
    return ValueType(declared: dtype, shape)
  }

  private mutating func declared(
    _ extent: ONNXValueInfo.Extent, _ name: String, _ axis: Int, isOutput: Bool
  ) -> Dimension? {
    let mayAdd = isOutput && names.count < Limits.symbols
    switch extent {
    case .constant(let value): return value <= Int64(Limits.elements) ? Dimension(Int(value)) : nil
    case .named(let symbol):
      if numbers[Array(symbol.utf8)] == nil && !mayAdd { return nil }
      return Dimension(symbol: number(symbol))
    case .open: return mayAdd ? Dimension(symbol: open(name, axis)) : nil
    }
  }

  private mutating func number(_ name: String) -> Int {
    if let number = numbers[Array(name.utf8)] { return number }
    numbers[Array(name.utf8)] = names.count
    names.append(name)
    return names.count - 1
  }

  private mutating func open(_ name: String, _ axis: Int) -> Int {
    let stem = name.utf8.count <= Limits.nameBytes - 16 ? name : "extent"
    var candidate = "\(stem).\(axis)"
    while !reserved.insert(Array(candidate.utf8)).inserted { candidate += "'" }
    return number(candidate)
  }
}

import ERIFormat

/// A frame around a tensor, or a part of it.
extension ONNXNode {
  func paddingKernel() throws(FormatError) -> ONNXKernel {
    op.name == "Pad" ? try pad() : try centered()
  }

  private enum PadMode: String {
    case constant, reflect, edge, wrap
  }

  private func pad() throws(FormatError) -> ONNXKernel {
    try arity(1, 4)
    let x = try operand(0, "x")
    let name = try text("mode", default: "constant")
    guard let frame = PadMode(rawValue: name), frame != .wrap || op.opset >= 19 else {
      throw contractError("expected mode constant, reflect, edge or (since operator set 19) wrap, found \"\(name)\"")
    }
    guard let pads = try integers(1, orAttribute: "pads") else { throw contractError("expected pads, found none") }
    let axes = try self.axes(try integers(3, "axes") ?? Array(x.shape.indices), rank: x.shape.count)
    guard pads.count == 2 * axes.count else {
      throw contractError("expected \(2 * axes.count) pads, found \(pads.count)")
    }
    var places = x.shape.map { Array(0..<$0) }
    for (index, axis) in axes.enumerated() {
      places[axis] = try framed(x.shape[axis], pads[index], pads[axes.count + index], frame)
    }
    let result = try BoundType(x.dtype, places.map { $0.count })
    let copy = TabledCopy(source: x.shape, places: places)
    if let fill = optional(2) {
      guard fill.dtype == x.dtype, fill.type.elements == 1 else {
        throw contractError("expected one constant value of \(x.dtype.name), found \(fill.type.text)")
      }
      return try TabledCopyKernel(result: result, copy: copy, fill: 0, fillOperand: 2).kernel(for: x.dtype)
    }
    let fill = try bits(of: try number("value", default: 0), x.dtype)
    return try TabledCopyKernel(result: result, copy: copy, fill: fill).kernel(for: x.dtype)
  }

  /// The places of an axis with so many more before and after it; negative: so many fewer, taken away first.
  private func framed(_ extent: Int, _ before: Int, _ after: Int, _ frame: PadMode) throws(FormatError) -> [Int] {
    let first = before < 0 ? -max(before, -Limits.elements) : 0
    let count = extent - first - (after < 0 ? -max(after, -Limits.elements) : 0)
    let (sum, overflow) = max(before, 0).addingReportingOverflow(max(after, 0))
    guard count >= 0, !overflow, sum <= Limits.elements else {
      throw contractError("expected pads that \(extent) elements allow, found \(before) and \(after)")
    }
    guard count > 0 || sum == 0 || frame == .constant else {
      throw contractError("expected an element to repeat along each padded axis, found none")
    }
    // One axis alone may not ask for more than a tensor may have.
    _ = try BoundType(.u8, [count + sum])
    let start = -max(before, 0)
    return (start..<start + count + sum).map { index in
      if (0..<count).contains(index) { return first + index }
      switch frame {
      case .constant: return -1
      case .edge: return first + (index < 0 ? 0 : count - 1)
      case .wrap: return first + (index % count + count) % count
      case .reflect:
        let period = max(2 * (count - 1), 1)
        let place = (index % period + period) % period
        return first + min(place, period - place) % count
      }
    }
  }

  /// Crops or pads with zeros on both sides, the odd element after.
  private func centered() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let x = try operand(0, "x")
    let shape = try integers(1, "shape") ?? []
    let axes = try self.axes(try integers("axes") ?? Array(x.shape.indices), rank: x.shape.count)
    guard shape.count == axes.count else {
      throw contractError("expected \(counted(axes.count, "extent")), found \(shape.count)")
    }
    var places = x.shape.map { Array(0..<$0) }
    for (axis, extent) in zip(axes, shape) {
      _ = try BoundType(.u8, [extent])
      let before = x.shape[axis]
      let first = extent < before ? (before - extent) / 2 : -((extent - before) / 2)
      places[axis] = (first..<first + extent).map { (0..<before).contains($0) ? $0 : -1 }
    }
    return try TabledCopyKernel(
      result: try BoundType(x.dtype, places.map { $0.count }), copy: TabledCopy(source: x.shape, places: places),
      fill: 0
    ).kernel(for: x.dtype)
  }

  /// A number as an element's bytes.
  func bits(of value: Float, _ dtype: DType) throws(FormatError) -> UInt64 {
    switch dtype {
    case .f64: Double(value).bitPattern
    case .f32: UInt64(value.bitPattern)
    case .f16: UInt64(Float16(value).bitPattern)
    case .bf16: UInt64(BFloat16(rounding: Double(value)).bits)
    case .i64, .i32, .i16, .i8, .i4: UInt64(bitPattern: Int64(narrowing: Double(value)))
    case .u64, .u32, .u16, .u8, .u4: UInt64(narrowing: Double(value))
    case .bool: value == 0 ? 0 : 1
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz:
      if value == 0 { 0 } else { throw contractError("expected a fill of 0 for \(dtype.name), found \(value)") }
    }
  }
}

/// A kernel that is one tabled copy of its first operand.
struct TabledCopyKernel: WordKernel {
  let result: BoundType
  let copy: TabledCopy
  /// The fill's bytes, or the operand that has it.
  let fill: UInt64
  var fillOperand: Int?

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let copy = copy
    let constant = Element(truncatingIfNeeded: fill)
    let fillOperand = fillOperand
    return ONNXKernel([result]) { memory in
      let fill = fillOperand.map { memory.input($0, as: Element.self)[0] } ?? constant
      copy(memory.input(0), memory.output(0), fill: fill)
      return nil
    }
  }
}

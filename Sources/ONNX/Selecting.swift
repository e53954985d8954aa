import ERIFormat

/// Elements that data choose: how many is known only after a run.
extension ONNXNode {
  func selectingKernel() throws(FormatError) -> ONNXKernel {
    op.name == "NonZero" ? try nonZero() : try compressed()
  }

  private func nonZero() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    return try NonZeroKernel(x: x.type).kernel(for: x.dtype)
  }

  private func compressed() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let x = try operand(0, "x")
    let condition = try operand(1, "a condition")
    try require(condition, "a condition", [.bool])
    guard condition.shape.count == 1 else {
      throw contractError("expected a condition of 1 dimension, found \(shapeText(condition.shape))")
    }
    var type = x.type
    var axis = 0
    if let given = try integer("axis") {
      axis = try self.axis(given, rank: x.shape.count)
    } else {
      type = try BoundType(x.dtype, [x.type.elements])
    }
    let count = min(condition.type.elements, type.shape[axis])
    var shape = type.shape
    shape[axis] = count
    let slice = type.strides[axis] * x.dtype.byteCount
    let rows = type.shape.prefix(axis).reduce(1, *)
    let rowBytes = type.shape[axis] * slice
    return ONNXKernel([try BoundType(x.dtype, shape)], dataSizedAxes: [axis]) { memory in
      let keeps: UnsafePointer<UInt8> = memory.input(1)
      let source = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      var target = memory.outputs[0]
      for row in 0..<rows {
        for index in 0..<count where keeps[index] != 0 {
          target.copyMemory(from: source + (row &* rowBytes &+ index &* slice), byteCount: slice)
          target += slice
        }
      }
      var kept = 0
      for index in 0..<count where keeps[index] != 0 { kept &+= 1 }
      memory.extents[0] = kept
      return nil
    }
  }
}

/// The indices of elements that are not zero, an axis a row.
private struct NonZeroKernel: WordKernel {
  let x: BoundType

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let rank = x.shape.count
    let count = x.elements
    let (extents, strides) = (Table(x.shape), Table(x.strides))
    let digits = NonZeroKernel.digits(of: x.dtype, Element.self)
    return ONNXKernel([try BoundType(.i64, [rank, count])], dataSizedAxes: [1]) { memory in
      let values: UnsafePointer<Element> = memory.input(0)
      let y: UnsafeMutablePointer<Int64> = memory.output(0)
      var found = 0
      for index in 0..<count where values[index] & digits != 0 { found &+= 1 }
      memory.extents[0] = found
      var column = 0
      for index in 0..<count where values[index] & digits != 0 {
        for axis in 0..<rank {
          y[axis &* found &+ column] = Int64(index / strides[axis] % extents[axis])
        }
        column &+= 1
      }
      return nil
    }
  }

  /// The bits that tell a number from zero: all but the sign of a floating-point type that has two zeros.
  private static func digits<Element: Word>(of dtype: DType, _ type: Element.Type) -> Element {
    switch dtype {
    case .f64, .f32, .f16, .bf16, .f8e4m3fn, .f8e5m2: Element.max >> 1
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fnuz, .f8e5m2fnuz, .i4, .u4: Element.max
    }
  }
}

import ERIFormat

/// A part of each matrix, or of each sequence, treated apart from the rest.
extension ONNXNode {
  func trimmingKernel() throws(FormatError) -> ONNXKernel {
    op.name == "Trilu" ? try triangle() : try reversedSequences()
  }

  /// Zeros below a diagonal, or above it.
  private func triangle() throws(FormatError) -> ONNXKernel {
    try arity(1, 2)
    let x = try operand(0, "x")
    guard let width = x.shape.last, x.shape.count >= 2 else {
      throw contractError("expected x of 2 dimensions or more, found \(shapeText(x.shape))")
    }
    let height = x.shape[x.shape.count - 2]
    let isUpper = try flag("upper", default: true)
    let diagonal = min(max(try integer(1, "k") ?? 0, -height - 1), width + 1)
    let size = x.dtype.byteCount
    let rows = x.shape.dropLast().reduce(1, *)
    return ONNXKernel([x.type]) { memory in
      let source = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      for row in 0..<rows {
        // Elements of the row that lie before the diagonal, or up to it.
        let border = min(max(row % height &+ diagonal &+ (isUpper ? 0 : 1), 0), width) &* size
        let from = source + row &* width &* size
        let to = memory.outputs[0] + row &* width &* size
        let rest = width &* size &- border
        if isUpper {
          to.initializeMemory(as: UInt8.self, repeating: 0, count: border)
          (to + border).copyMemory(from: from + border, byteCount: rest)
        } else {
          to.copyMemory(from: from, byteCount: border)
          (to + border).initializeMemory(as: UInt8.self, repeating: 0, count: rest)
        }
      }
      return nil
    }
  }

  /// The first elements of each sequence in reverse order.
  private func reversedSequences() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let x = try operand(0, "x")
    let lengths = try operand(1, "lengths")
    guard x.shape.count >= 2 else {
      throw contractError("expected x of 2 dimensions or more, found \(shapeText(x.shape))")
    }
    let time = try axis(try integer("time_axis", default: 0), rank: 2, "time_axis")
    let batch = try axis(try integer("batch_axis", default: 1), rank: 2, "batch_axis")
    guard time != batch else { throw contractError("expected two axes, found \(time) twice") }
    try require(lengths, "lengths", [.i64])
    try require(lengths, "lengths", shape: [x.shape[batch]])
    let slice = x.shape.dropFirst(2).reduce(1, *) * x.dtype.byteCount
    let (steps, samples) = (x.shape[time], x.shape[batch])
    let strides = x.type.strides.map { $0 * x.dtype.byteCount }
    let (timeStride, batchStride) = (strides[time], strides[batch])
    return ONNXKernel([x.type]) { memory in
      let source = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      for sample in 0..<samples {
        let length = Int(memory.input(1, as: Int64.self)[sample])
        guard length >= 0, length <= steps else { return .value("lengths from 0 to the extent of the time axis") }
        for step in 0..<steps {
          let from = step < length ? length &- 1 &- step : step
          let target = memory.outputs[0] + (sample &* batchStride &+ step &* timeStride)
          target.copyMemory(from: source + (sample &* batchStride &+ from &* timeStride), byteCount: slice)
        }
      }
      return nil
    }
  }
}

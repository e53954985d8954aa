import ERIFormat

/// Dropout where nothing is dropped: a copy, and a mask of which all is kept.
extension ONNXNode {
  func dropoutKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 3)
    try outputs(2)
    let x = try operand(0, "x")
    try require(x, "x", DType.reals)
    if try drops() {
      throw FormatError(
        .unsupported, at: "",
        "expected Dropout at inference, found training with a ratio above 0, whose result is random; export the model for inference"
      )
    }
    var types = [x.type]
    // Before operator set 10 the mask had the data's type.
    if outputCount > 1 { types.append(try BoundType(op.opset < 10 ? x.dtype : .bool, x.shape)) }
    let (count, bytes, masks) = (x.type.elements, x.type.byteCount, outputCount > 1)
    let maskType = masks ? types[1].dtype : .bool
    return ONNXKernel(types) { memory in
      memory.outputs[0].copyMemory(from: memory.input(0, as: UInt8.self), byteCount: bytes)
      if masks {
        if maskType == .f32 {
          memory.output(1, as: Float.self).update(repeating: 1, count: count)
        } else if maskType == .f64 {
          memory.output(1, as: Double.self).update(repeating: 1, count: count)
        } else {
          memory.output(1, as: UInt8.self).update(repeating: 1, count: count)
        }
      }
      return nil
    }
  }

  /// Whether it trains with a ratio above 0.
  private func drops() throws(FormatError) -> Bool {
    guard op.opset >= 12, let training = optional(2) else { return false }
    try require(training, "training_mode", [.bool])
    guard training.type.elements == 1, let values = training.values else {
      throw FormatError(
        .unsupported, at: "",
        "expected training_mode of 1 element whose value is known before the graph runs, found another; export the model for inference"
      )
    }
    if values.load(as: UInt8.self) == 0 { return false }
    guard let ratio = try numbers(1, "ratio") else { return true }
    return ratio != [0]
  }
}

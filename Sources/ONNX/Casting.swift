import ERIFormat

/// Elements of another type: Cast, CastLike, and BitCast, which keeps the bits.
extension ONNXNode {
  func castingKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    let target: DType
    if op.name == "CastLike" {
      try arity(2, 2)
      target = try operand(1, "a target type").dtype
    } else {
      try arity(1, 1)
      target = try dtype("to")
    }
    let type = try BoundType(target, x.shape)
    let bytes = x.type.byteCount
    if op.name == "BitCast" || target == x.dtype {
      guard type.byteCount == bytes else {
        throw contractError(
          "expected a type of \(x.dtype.byteCount * 8) bits like \(x.dtype.name), found \(target.name)")
      }
      return ONNXKernel([type]) { memory in
        memory.outputs[0].copyMemory(from: memory.input(0, as: UInt8.self), byteCount: bytes)
        return nil
      }
    }
    let conversion = ElementConversion(source: x.dtype, target: target, saturates: try flag("saturate", default: true))
    let count = type.elements
    return ONNXKernel([type]) { memory in
      conversion.run(memory.input(0, as: UInt8.self), memory.outputs[0], count)
      return nil
    }
  }

  /// The type that an attribute names by its number in ONNX.
  func dtype(_ name: String) throws(FormatError) -> DType {
    guard let number = try integer(name) else { throw contractError("expected attribute \"\(name)\", found none") }
    guard let dtype = DType(onnx: number) else {
      throw FormatError(
        .unsupported, at: "",
        "expected attribute \"\(name)\" to be the number of a type of numbers in .eri, found \(number)")
    }
    return dtype
  }

  /// The type that an attribute names where it is there and not 0.
  func optionalDType(_ name: String) throws(FormatError) -> DType? {
    let number = try integer(name, default: 0)
    return number == 0 ? nil : try dtype(name)
  }
}

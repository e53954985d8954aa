import CERISystem
package import ERIFormat
import ERIONNX

/// An operator of ONNX by its own kernel, every floating-point operand in Double.
extension ONNXOperator {
  /// All outputs for these operands (nil: an optional one left out).
  func reference(_ operands: [ReferenceTensor?], outputCount: Int) throws(FormatError) -> [ReferenceTensor] {
    var held: [TypedMemory?] = []
    var known: [ONNXOperand?] = []
    for operand in operands {
      guard let operand else {
        held.append(nil)
        known.append(nil)
        continue
      }
      let memory = try TypedMemory(operand)
      held.append(memory)
      known.append(ONNXOperand(try BoundType(memory.dtype, operand.shape), values: UnsafeRawPointer(memory.pointer)))
    }
    return try withExtendedLifetime(held) { () throws(FormatError) -> [ReferenceTensor] in
      let kernel = try ONNXNode(self, known, outputCount: outputCount).kernel()
      var results: [TypedMemory] = []
      for type in kernel.outputs { results.append(try TypedMemory(type.dtype, byteCount: type.byteCount)) }
      let scratch = try TypedMemory(.u8, byteCount: kernel.scratchBytes)
      let types = try withExtendedLifetime((results, scratch)) { () throws(FormatError) -> [BoundType] in
        try kernel.evaluate(
          held.map { $0.map { UnsafeRawPointer($0.pointer) } }, into: results.map { $0.pointer },
          scratch: scratch.pointer)
      }
      return zip(results, types).map { $0.tensor($1.shape) }
    }
  }
}

extension DType {
  /// The type that the reference computes with: Double for every floating-point one.
  var inReference: DType { isFloat ? .f64 : self }
}

/// Memory of elements of one type.
final class TypedMemory {
  let dtype: DType
  let pointer: UnsafeMutableRawPointer

  init(_ dtype: DType, byteCount: Int) throws(FormatError) {
    guard let memory = eri_memory_allocate(max(byteCount, 64)) else {
      throw FormatError(.limitExceeded, at: "", "expected \(byteCount) bytes of memory, found none left")
    }
    self.dtype = dtype
    pointer = memory
  }

  /// A tensor's values in the type that it stands for.
  convenience init(_ tensor: ReferenceTensor) throws(FormatError) {
    let dtype = tensor.dtype.inReference
    try self.init(dtype, byteCount: tensor.values.count * dtype.byteCount)
    for (index, value) in tensor.values.enumerated() { store(value, index) }
  }

  deinit { eri_memory_free(pointer) }

  private func store(_ value: Double, _ index: Int) {
    switch dtype {
    case .f64: put(value, index)
    case .f32: put(Float(value), index)
    case .f16: put(Float16(value), index)
    case .bf16: put(BFloat16(rounding: value), index)
    case .i64: put(TypedMemory.clamped(value, Int64.self), index)
    case .i32: put(TypedMemory.clamped(value, Int32.self), index)
    case .i16: put(TypedMemory.clamped(value, Int16.self), index)
    case .i8, .i4: put(TypedMemory.clamped(value, Int8.self), index)
    case .u64: put(TypedMemory.clamped(value, UInt64.self), index)
    case .u32: put(TypedMemory.clamped(value, UInt32.self), index)
    case .u16: put(TypedMemory.clamped(value, UInt16.self), index)
    // 8-bit floats stand as their bits.
    case .u8, .u4, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz:
      put(TypedMemory.clamped(value, UInt8.self), index)
    }
  }

  private func put<Element: BitwiseCopyable>(_ element: Element, _ index: Int) {
    pointer.storeBytes(of: element, toByteOffset: index * MemoryLayout<Element>.stride, as: Element.self)
  }

  private static func clamped<Element: FixedWidthInteger>(_ value: Double, _ type: Element.Type) -> Element {
    if value.isNaN { return 0 }
    return Element(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
  }

  /// The values as the reference has them.
  func tensor(_ shape: [Int]) -> ReferenceTensor {
    let count = shape.reduce(1, *)
    var tensor = ReferenceTensor(shape: shape, values: (0..<count).map { dtype.number(at: $0, of: pointer) })
    tensor.dtype = dtype.inReference
    return tensor
  }
}

extension ReferenceTensor {
  /// A tensor from a file, of any type.
  init(_ tensor: Tensor) throws(FormatError) {
    guard let bytes = tensor.byteCount else {
      throw FormatError(
        .limitExceeded, at: "tensor \"\(tensor.name)\"",
        "expected a size within the limits, found \(shapeText(tensor.shape))")
    }
    let memory = try TypedMemory(tensor.dtype, byteCount: bytes)
    do throws(FormatError) {
      try tensor.read(into: UnsafeMutableRawBufferPointer(start: memory.pointer, count: bytes))
    } catch { throw error.inside("tensor \"\(tensor.name)\"") }
    self = memory.tensor(tensor.shape)
    guard let quantization = tensor.quantization else { return }
    dtype = .f64
    for index in values.indices {
      values[index] = quantization.real(
        values[index], place: quantization.place(ofElement: index, shape: tensor.shape))
    }
  }

  /// Row-major little-endian bytes of any type.
  package init(_ dtype: DType, _ shape: [Int], bytes: UnsafeRawBufferPointer) throws(FormatError) {
    let type = try BoundType(dtype, shape)
    guard bytes.count == type.byteCount else {
      throw contractError("expected the bytes of \(type.text), found \(bytes.count)")
    }
    let memory = try TypedMemory(dtype, byteCount: bytes.count)
    if let base = bytes.baseAddress { memory.pointer.copyMemory(from: base, byteCount: bytes.count) }
    self = memory.tensor(shape)
  }
}

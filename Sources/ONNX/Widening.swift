import ERIFormat

/// float16 and bfloat16: widened to float32 before an operator, rounded back after it, so that kernels know neither.
extension ONNXNode {
  /// The kernel of the node on widened operands; the node's own where there is nothing to widen.
  func widenedKernel(_ family: ONNXFamily) throws(FormatError) -> ONNXKernel {
    guard let narrow = operands.first(where: { ONNXNode.isNarrow($0?.dtype) })??.dtype else {
      return try family.kernel(self)
    }
    var wide: [ONNXOperand?] = []
    var conversions: [Conversion] = []
    var offset = 0
    // Known values are widened here, so that rules see them.
    var held: [WidenedValues] = []
    for (index, operand) in operands.enumerated() {
      guard let operand, ONNXNode.isNarrow(operand.dtype) else {
        wide.append(operand)
        continue
      }
      let type = try BoundType(.f32, operand.shape)
      conversions.append(Conversion(index: index, dtype: operand.dtype, count: type.elements, offset: offset))
      offset += ONNXNode.aligned(type.byteCount)
      let values = operand.values.map { WidenedValues($0, operand.dtype, type.elements) }
      if let values { held.append(values) }
      wide.append(ONNXOperand(type, values: values.map { UnsafeRawPointer($0.pointer) }))
    }
    let inner = try withExtendedLifetime(held) { () throws(FormatError) -> ONNXKernel in
      try family.kernel(ONNXNode(op, wide, outputCount: outputCount))
    }
    var outputs: [BoundType] = []
    var results: [Conversion] = []
    for (index, type) in inner.outputs.enumerated() {
      guard type.dtype == .f32, !keepsSingle(index) else {
        outputs.append(type)
        continue
      }
      let dtype = ownType(ofOutput: index) ?? narrow
      outputs.append(try BoundType(dtype, type.shape))
      guard ONNXNode.isNarrow(dtype) else { continue }
      results.append(Conversion(index: index, dtype: dtype, count: type.elements, offset: offset))
      offset += ONNXNode.aligned(type.byteCount)
    }
    return widened(inner, outputs, conversions, results, offset)
  }

  private func widened(
    _ inner: ONNXKernel, _ outputs: [BoundType], _ conversions: [Conversion], _ results: [Conversion], _ bytes: Int
  ) -> ONNXKernel {
    let inputCount = max(operands.count, 1)
    let outputCount = max(outputs.count, 1)
    let pointers = PointerTable(inputs: inputCount, outputs: outputCount)
    return ONNXKernel(outputs, dataSizedAxes: inner.dataSizedAxes, scratchBytes: bytes + inner.scratchBytes) { memory in
      for index in 0..<operands.count { pointers.inputs[index] = memory.inputs[index] }
      for index in outputs.indices { pointers.outputs[index] = memory.outputs[index] }
      for conversion in conversions {
        let target: UnsafeMutablePointer<Float> = memory.scratch(conversion.offset)
        conversion.widen(memory.input(conversion.index, as: UInt8.self), target)
        pointers.inputs[conversion.index] = UnsafeRawPointer(target)
      }
      for result in results {
        pointers.outputs[result.index] = UnsafeMutableRawPointer(memory.scratch(result.offset, as: Float.self))
      }
      let fault = inner.run(
        ONNXMemory(
          inputs: UnsafePointer(pointers.inputs), outputs: UnsafePointer(pointers.outputs),
          scratch: memory.scratch + bytes,
          extents: memory.extents))
      for result in results {
        result.narrow(memory.scratch(result.offset, as: Float.self), memory.output(result.index, as: UInt8.self))
      }
      return fault
    }
  }

  /// Outputs that are float32 whatever the operands are: saved statistics, and scales that quantisation computes.
  private func keepsSingle(_ index: Int) -> Bool {
    switch op.name {
    case "LayerNormalization": index > 0
    case "Resize", "GridSample": !ONNXNode.isNarrow(optional(0)?.dtype)
    default: false
    }
  }

  /// The type of an output that follows an operand of its own; nil: it is of the one type that the operands have.
  private func ownType(ofOutput index: Int) -> DType? {
    switch op.name {
    case "Attention": optional(index == 2 ? 2 : 0)?.dtype
    case "Pow": optional(0)?.dtype
    case "BatchNormalization": optional(index == 0 ? 0 : 3)?.dtype
    case "RMSNormalization": optional(1)?.dtype
    case "LinearAttention": (index == 1 ? optional(3) : nil)?.dtype ?? optional(0)?.dtype
    default: nil
    }
  }

  private static func isNarrow(_ dtype: DType?) -> Bool { dtype == .f16 || dtype == .bf16 }

  private static func aligned(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }
}

/// One operand or output between its own type and float32.
private struct Conversion {
  let index: Int
  /// float16 or bfloat16.
  let dtype: DType
  let count: Int
  let offset: Int

  func widen(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    if dtype == .f16 {
      mapElements(source.assumingMemoryBound(to: UInt16.self), target, count) { HalfFloats.float16($0) }
    } else {
      mapElements(source.assumingMemoryBound(to: UInt16.self), target, count) { HalfFloats.bfloat16($0) }
    }
  }

  func narrow(_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) {
    if dtype == .f16 {
      mapElements(source, target.assumingMemoryBound(to: UInt16.self), count) { HalfFloats.float16($0) }
    } else {
      mapElements(source, target.assumingMemoryBound(to: UInt16.self), count) { HalfFloats.bfloat16($0) }
    }
  }
}

/// Known values, widened.
private final class WidenedValues {
  let pointer: UnsafeMutablePointer<Float>

  init(_ source: UnsafeRawPointer, _ dtype: DType, _ count: Int) {
    pointer = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
    Conversion(index: 0, dtype: dtype, count: count, offset: 0).widen(source, pointer)
  }

  deinit { pointer.deallocate() }
}

/// The addresses that a kernel is given, allocated once.
package final class PointerTable {
  package let inputs: UnsafeMutablePointer<UnsafeRawPointer?>
  package let outputs: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// By output, of a data-sized axis.
  package let extents: UnsafeMutablePointer<Int>

  package init(inputs inputCount: Int, outputs outputCount: Int) {
    inputs = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: inputCount)
    inputs.initialize(repeating: nil, count: inputCount)
    outputs = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: outputCount)
    outputs.initialize(repeating: UnsafeMutableRawPointer(inputs), count: outputCount)
    extents = UnsafeMutablePointer<Int>.allocate(capacity: outputCount)
    extents.initialize(repeating: 0, count: outputCount)
  }

  deinit {
    inputs.deallocate()
    outputs.deallocate()
    extents.deallocate()
  }
}

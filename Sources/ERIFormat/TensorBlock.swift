import CERISystem

/// A tensor's row-major little-endian values in memory of their own.
package final class TensorBlock {
  private let memory: UnsafeMutableRawPointer
  private let byteCount: Int

  /// Reads the values.
  /// - Parameter reader: for values in a model file, this thread's; nil: one for this call.
  /// - Throws: `FormatError` if there is no memory, the values cannot be read or are not as many as type and shape ask for.
  package init(_ tensor: Tensor, with reader: TensorReader? = nil) throws(FormatError) {
    guard let count = tensor.byteCount, let memory = eri_memory_allocate(count) else {
      throw noMemory("the values of \(tensor.dtype.name) \(shapeText(tensor.shape))")
    }
    self.memory = memory
    byteCount = count
    try tensor.read(into: UnsafeMutableRawBufferPointer(start: memory, count: count), with: reader)
  }

  deinit { eri_memory_free(memory) }

  /// The values, valid as long as the block.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: byteCount) }
}

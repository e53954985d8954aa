import CERISystem

/// Aligned memory for floats, freed with its last owner.
package final class FloatBlock {
  package let pointer: UnsafeMutablePointer<Float>
  package let count: Int

  /// Zeroed memory for `count` floats.
  package init(count: Int) throws(RuntimeError) {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard !overflow, let memory = eri_memory_allocate(max(bytes, 64)) else {
      throw RuntimeError(
        .noMemory, at: "", "expected memory for \(count) floats, found none left; use fewer threads or a smaller batch")
    }
    pointer = memory.bindMemory(to: Float.self, capacity: max(count, 16))
    self.count = count
  }

  /// Zeroed memory for so many bytes, in whole floats.
  convenience init(byteCount: Int) throws(RuntimeError) {
    try self.init(count: byteCount / MemoryLayout<Float>.stride + (byteCount % MemoryLayout<Float>.stride == 0 ? 0 : 1))
  }

  /// Brings in all of its memory, which is going to be written.
  func populate() { eri_memory_populate(pointer, count * MemoryLayout<Float>.stride) }

  deinit { eri_memory_free(pointer) }
}

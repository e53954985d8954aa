import CERISystem

/// Aligned memory for floats, freed with its last owner.
final class FloatBlock {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int

  /// Zeroed memory for `count` floats.
  init(count: Int) throws(RuntimeError) {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard !overflow, let memory = eri_memory_allocate(max(bytes, 64)) else {
      throw RuntimeError(
        .noMemory, at: "", "expected memory for \(count) floats, found none left; use fewer threads or a smaller batch")
    }
    pointer = memory.bindMemory(to: Float.self, capacity: max(count, 16))
    self.count = count
  }

  deinit { eri_memory_free(pointer) }
}

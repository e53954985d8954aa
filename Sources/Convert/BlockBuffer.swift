import CERISystem
import ERIFormat

/// Memory for blocks, freed with it.
final class BlockBuffer {
  private let memory: UnsafeMutableRawBufferPointer

  /// - Parameter elementBytes: divides `byteCount`, so that blocks hold whole elements.
  init(_ byteCount: Int, _ elementBytes: Int) throws(FormatError) {
    guard elementBytes > 0, byteCount % elementBytes == 0, let start = eri_memory_allocate(byteCount) else {
      throw FormatError(.limitExceeded, at: "", "expected \(byteCount) bytes of memory, found none left")
    }
    memory = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  deinit { eri_memory_free(memory.baseAddress) }

  /// The first bytes, at most all.
  func prefix(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: memory[..<min(max(count, 0), memory.count)])
  }
}

import CERISystem
import Testing

@Suite("Memory")
struct MemoryTests {
  @Test("A block is aligned to 64 bytes and zero", arguments: [0, 1, 63, 64, 65, 4096, 1_000_003])
  func alignedAndZero(count: Int) throws {
    let address = try #require(eri_memory_allocate(count))
    defer { eri_memory_free(address) }
    #expect(UInt(bitPattern: address) % 64 == 0)
    #expect(UnsafeRawBufferPointer(start: address, count: count).allSatisfy { $0 == 0 })
  }

  @Test("A block reused after free is zero again")
  func zeroAgain() throws {
    for _ in 0..<10 {
      let address = try #require(eri_memory_allocate(1000))
      let bytes = UnsafeMutableRawBufferPointer(start: address, count: 1000)
      #expect(bytes.allSatisfy { $0 == 0 })
      for i in bytes.indices { bytes[i] = 0xff }
      eri_memory_free(address)
    }
  }

  @Test("More than the address space holds gives nothing", arguments: [Int.max, -1, -64])
  func tooMuch(count: Int) {
    #expect(eri_memory_allocate(count) == nil)
  }

  @Test("Freeing nothing is allowed")
  func freeNothing() {
    eri_memory_free(nil)
  }

  @Test("The peak resident set grows by memory that is touched, and stays when it is freed")
  func peak() throws {
    let before = eri_memory_peak_resident()
    #expect(before > 0)
    // More than all that this process has ever had, which other tests may have freed and this one would only touch again.
    let count = Int(before) + (256 << 20)
    let address = try #require(eri_memory_allocate(count))
    var offset = 0
    while offset < count {
      address.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
      offset += 4096
    }
    eri_memory_free(address)
    #expect(eri_memory_peak_resident() > before + (128 << 20))
  }
}

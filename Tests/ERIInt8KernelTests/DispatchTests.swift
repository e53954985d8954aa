import CERIKernels
import Testing

@Suite struct `Choice of an 8-bit variant` {
  private static func name(_ kernels: OpaquePointer?) -> String? { kernels.map { String(cString: eri_i8_name($0)) } }

  @Test func `variant 0 is the portable one and always runs`() {
    #expect(String(cString: eri_i8_variant_name(0)) == "scalar")
    #expect(eri_i8_variant(0) != nil)
  }

  @Test func `a variant is found by its name`() {
    for i in 0..<eri_i8_variant_count() {
      #expect(eri_i8_named(eri_i8_variant_name(i)) == eri_i8_variant(i))
    }
  }

  @Test func `an unknown name or number gives none`() {
    #expect(eri_i8_named("avx1") == nil)
    #expect(eri_i8_beside("avx1") == nil)
    #expect(eri_i8_variant(eri_i8_variant_count()) == nil)
    #expect(eri_i8_variant_name(eri_i8_variant_count()) == nil)
  }

  @Test func `a single-precision variant's name bounds the width`() {
    #expect(Self.name(eri_i8_beside("scalar")) == "scalar")
    for (name, allowed) in [
      ("avx2", ["scalar", "avx2", "avxvnni"]), ("neon", ["scalar", "neon", "neondot", "avx2", "avxvnni"]),
      ("avx512", ["scalar", "avx2", "avxvnni", "avx512vnni", "amx"]),
    ] {
      #expect(Self.name(eri_i8_beside(name)).map { allowed.contains($0) } == true)
    }
  }

  @Test func `the best variant is the last that this processor runs`() {
    let last = (0..<eri_i8_variant_count()).last { eri_i8_variant($0) != nil }
    #expect(eri_i8_best() == last.flatMap { eri_i8_variant($0) })
  }
}

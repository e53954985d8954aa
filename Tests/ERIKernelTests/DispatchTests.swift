import CERIKernels
import ERITestSupport
import Testing

@Suite struct `Choice of a variant` {
  @Test func `variant 0 is the portable one and always runs`() {
    #expect(String(cString: eri_kernels_variant_name(0)) == "scalar")
    #expect(eri_kernels_variant(0) != nil)
  }

  @Test func `a variant is found by its name`() {
    for variant in Variant.all {
      #expect(eri_kernels_named(eri_kernels_variant_name(variant.index)) == variant.kernels)
      #expect(variant.kernels.map { String(cString: eri_kernels_name($0)) } == variant.description)
    }
  }

  @Test func `an unknown name or number gives none`() {
    #expect(eri_kernels_named("avx1") == nil)
    #expect(eri_kernels_variant(eri_kernels_variant_count()) == nil)
    #expect(eri_kernels_variant_name(eri_kernels_variant_count()) == nil)
  }

  @Test func `the best variant is the last that this processor runs`() {
    #expect(eri_kernels_best() == Variant.all.last?.kernels)
  }
}

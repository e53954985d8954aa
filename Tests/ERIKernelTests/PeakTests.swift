import CERIKernels
import ERITestSupport
import Testing

@Suite struct PeakTests {
  @Test(arguments: Variant.all) func `the peak's loop counts its work in whole rounds and ends at its fixed point`(
    _ variant: Variant
  ) {
    var sum: Float = 1
    let one = eri_f32_peak(variant.kernels, 1, &sum)
    #expect(one > 0)
    #expect(eri_f32_peak(variant.kernels, 1000, &sum) == 1000 * one)
    // x / 2 + 1/4 tends to 1/2 in each of the sums.
    #expect(sum == Float(one) / 2)
  }
}

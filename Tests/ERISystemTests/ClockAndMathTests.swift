import CERISystem
import Foundation
import Testing

@Suite("Clock and libm")
struct ClockAndMathTests {
  @Test("The monotonic clock never goes back, and counts nanoseconds")
  func monotonic() {
    let start = eri_clock_monotonic()
    usleep(20_000)
    let end = eri_clock_monotonic()
    #expect(end >= start + 20_000_000)
    // A clock of another unit would be off by a factor of a thousand.
    #expect(end < start + 20_000_000_000)
  }

  @Test("The wall clock is Foundation's, to the second")
  func wall() {
    let before = Int64(Date().timeIntervalSince1970.rounded(.down))
    let now = eri_clock_wall()
    let after = Int64(Date().timeIntervalSince1970.rounded(.down))
    // The kernel's coarse clock, which time() may read, lags by up to a tick.
    #expect(now >= before - 1 && now <= after)
  }

  @Test("Each function of libm is the one of its name")
  func libm() throws {
    // Read at run time: the compiler folds functions of a constant with a libm of its own.
    let x = try #require(Double("0.7371"))
    #expect(eri_sqrt(x) == Foundation.sqrt(x))
    #expect(eri_exp(x) == Foundation.exp(x))
    #expect(eri_log(x) == Foundation.log(x))
    #expect(eri_log10(x) == Foundation.log10(x))
    #expect(eri_pow(x, 1.3) == Foundation.pow(x, 1.3))
    #expect(eri_sin(x) == Foundation.sin(x))
    #expect(eri_cos(x) == Foundation.cos(x))
    #expect(eri_tanh(x) == Foundation.tanh(x))
    #expect(eri_erf(x) == Foundation.erf(x))
    #expect(eri_floor(-x) == -1)
  }
}

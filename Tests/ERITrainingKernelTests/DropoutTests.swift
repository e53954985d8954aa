import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Testing

@Suite struct Dropout {
  /// Which of the elements stay.
  static func kept(_ variant: Variant, key: UInt64, rate: Float, first: UInt64, count: Int) -> [Bool] {
    let ones = GuardedBuffer([Float](repeating: 1, count: count))
    var dropout = eri_dropout(key: key, rate: rate)
    eri_f32_dropout(variant.kernels, &dropout, first, count, ones.pointer, ones.pointer, false)
    #expect(ones.isIntact)
    #expect(ones.values.allSatisfy { $0 == 0 || abs($0 * (1 - rate) - 1) < 1e-6 })
    return ones.values.map { $0 != 0 }
  }

  @Test(arguments: Variant.all) func `the share that stays is 1 - rate within four deviations`(_ variant: Variant) {
    let count = 200_000
    for key: UInt64 in [0, 1, 2, 0xffff_ffff_ffff_ffff, 0x0123_4567_89ab_cdef] {
      for rate: Float in [0.1, 0.2, 0.5, 0.9] {
        let stays = Self.kept(variant, key: key, rate: rate, first: 0, count: count).filter { $0 }.count
        let deviation = (Double(count) * Double(rate) * Double(1 - rate)).squareRoot()
        #expect(abs(Double(stays) - Double(count) * Double(1 - rate)) <= 4 * deviation, "key \(key), rate \(rate)")
      }
    }
  }

  @Test(arguments: Variant.all) func `masks of neighbouring keys and elements do not depend on each other`(
    _ variant: Variant
  ) {
    let count = 100_000
    let deviation = (Double(count) / 4).squareRoot()
    let mask = Self.kept(variant, key: 7, rate: 0.5, first: 0, count: count + 64)
    for key: UInt64 in [6, 8, 7 | 1 << 32, 7 | 1 << 63] {
      let other = Self.kept(variant, key: key, rate: 0.5, first: 0, count: count)
      let equal = zip(mask, other).filter { $0 == $1 }.count
      #expect(abs(Double(equal) - Double(count) / 2) <= 4 * deviation, "key \(key)")
    }
    for lag in [1, 2, 7, 8, 16, 64] {
      let equal = (0..<count).filter { mask[$0] == mask[$0 + lag] }.count
      #expect(abs(Double(equal) - Double(count) / 2) <= 4 * deviation, "lag \(lag)")
    }
    for first: UInt64 in [1 << 32, 1 << 33, 1 << 63] {
      let other = Self.kept(variant, key: 7, rate: 0.5, first: first, count: count)
      let equal = zip(mask, other).filter { $0 == $1 }.count
      #expect(abs(Double(equal) - Double(count) / 2) <= 4 * deviation, "from \(first)")
    }
  }

  @Test(arguments: Variant.all) func `the mask is the same in every variant and however the elements are split`(
    _ variant: Variant
  ) {
    for first: UInt64 in [0, 5, (1 << 32) - 21, UInt64.max - 99] {
      let whole = Self.kept(variant, key: 99, rate: 0.3, first: first, count: 100)
      #expect(whole == Self.kept(Variant.all[0], key: 99, rate: 0.3, first: first, count: 100))
      for cut in [1, 8, 21, 33] {
        let parts =
          Self.kept(variant, key: 99, rate: 0.3, first: first, count: cut)
          + Self.kept(variant, key: 99, rate: 0.3, first: first + UInt64(cut), count: 100 - cut)
        #expect(parts == whole, "from \(first), cut at \(cut)")
      }
    }
  }

  @Test(arguments: Variant.all) func `what stays is divided by 1 - rate, written or added`(_ variant: Variant) {
    var random = SeededRandom(seed: 10)
    for count in [1, 7, 8, 9, 33, 200] {
      let x = GuardedBuffer(random.floats(count))
      let mask = Self.kept(variant, key: 3, rate: 0.4, first: 17, count: count)
      let expected = zip(x.values, mask).map { $1 ? Double($0) / (1 - Double(Float(0.4))) : 0 }
      var dropout = eri_dropout(key: 3, rate: 0.4)
      let error = destinationDistance(expected) { y, accumulate in
        eri_f32_dropout(variant.kernels, &dropout, 17, count, x.pointer, y.pointer, accumulate)
      }
      #expect(error <= Tolerance.elements.bound)
    }
  }

  @Test(arguments: Variant.all) func `rate 0 keeps everything as it is, and a dropped NaN is 0`(_ variant: Variant) {
    var random = SeededRandom(seed: 11)
    let x = GuardedBuffer(random.floats(100)), y = GuardedBuffer(100)
    var dropout = eri_dropout(key: 12, rate: 0)
    eri_f32_dropout(variant.kernels, &dropout, 0, 100, x.pointer, y.pointer, false)
    #expect(y.bits == x.bits)
    let nans = GuardedBuffer(100)
    dropout.rate = 0.5
    eri_f32_dropout(variant.kernels, &dropout, 0, 100, nans.pointer, nans.pointer, false)
    #expect(nans.values.map(\.isNaN) == Self.kept(variant, key: 12, rate: 0.5, first: 0, count: 100))
  }
}

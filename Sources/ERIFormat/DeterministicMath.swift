/// Elementary functions whose bits are the same on every machine.
///
/// They are built from IEEE 754 `+ − × ÷` and integers alone, never from libm, whose last bits differ between systems.
/// What is drawn, sounded or initialised from a seed is therefore the same everywhere. Swift does not contract a product
/// and a sum into a fused multiply-add, so the order of operations written here is the order computed.
///
/// The tests hold them to 1 ulp (exp, log) and 2 ulp (sin, cos) from libm, itself within 1 ulp of the truth.
package enum DeterministicMath {
  /// π rounded to `Double`.
  package static let pi = 3.141592653589793

  /// e raised to `x`, within 2 ulp; 0 below −745.2, infinity above 709.8, subnormal results included.
  ///
  /// x = k ln 2 + r with |r| ≤ ln 2 / 2, then the Taylor series to r¹³ (remainder 4e−18).
  package static func exp(_ x: Double) -> Double {
    guard x < 709.79 else { return x.isNaN ? x : .infinity }
    guard x > -745.2 else { return x.isNaN ? x : 0 }
    let k = Int(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5))
    let n = Double(k)
    // The upper part of ln 2 has 33 bits, so that its product with k is exact.
    let r = (x - n * 0x1.62e42fefp-1) - n * 0x1.473de6af278edp-34
    var p = 1.0 / 6_227_020_800
    p = p * r + 1.0 / 479_001_600
    p = p * r + 1.0 / 39_916_800
    p = p * r + 1.0 / 3_628_800
    p = p * r + 1.0 / 362_880
    p = p * r + 1.0 / 40_320
    p = p * r + 1.0 / 5_040
    p = p * r + 1.0 / 720
    p = p * r + 1.0 / 120
    p = p * r + 1.0 / 24
    p = p * r + 1.0 / 6
    p = p * r + 0.5
    let value = 1 + (r + (r * r) * p)
    // In two steps, so that both powers of two are normal numbers where 2^k is not.
    let half = k / 2
    return value * powerOfTwo(half) * powerOfTwo(k - half)
  }

  /// Natural logarithm of `x`, within 2 ulp; −infinity at 0, NaN below.
  ///
  /// x = 2^k (1 + f) with 1 + f in [√½, √2), s = f / (2 + f), log(1 + f) = 2 artanh s to s²¹ (remainder 1e−18).
  package static func log(_ x: Double) -> Double {
    guard x > 0 else { return x == 0 ? -.infinity : .nan }
    guard x < .infinity else { return x }
    var k = 0
    var bits = x.bitPattern
    if x < 0x1p-1022 {
      bits = (x * 0x1p54).bitPattern
      k = -54
    }
    k += Int(bits >> 52) - 1023
    var m = Double(bitPattern: (bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000)
    if m > 1.4142135623730951 {
      m *= 0.5
      k += 1
    }
    let f = m - 1
    let s = f / (2 + f)
    let z = s * s
    var p = 2.0 / 21
    p = p * z + 2.0 / 19
    p = p * z + 2.0 / 17
    p = p * z + 2.0 / 15
    p = p * z + 2.0 / 13
    p = p * z + 2.0 / 11
    p = p * z + 2.0 / 9
    p = p * z + 2.0 / 7
    p = p * z + 2.0 / 5
    p = p * z + 2.0 / 3
    // 2s = f − f²/2 + s f²/2 keeps the exact f as the leading term, so that only small terms are rounded.
    let square = 0.5 * f * f
    let n = Double(k)
    let tail = s * (square + p * z) + n * 0x1.473de6af278edp-34
    return n * 0x1.62e42fefp-1 - ((square - tail) - f)
  }

  /// `x` raised to `y` for x ≥ 0 as exp(y log x).
  ///
  /// The error is about |y log x| ulp, so it is meant for results of moderate size.
  package static func pow(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    return exp(y * log(x))
  }

  /// Sine of `x` in radians, within 3 ulp for |x| ≤ 1 000 000; NaN beyond, where the reduction would lose its bits.
  package static func sin(_ x: Double) -> Double {
    guard let (r, quadrant) = reduced(x) else { return .nan }
    switch quadrant {
    case 0: return sinSeries(r)
    case 1: return cosSeries(r)
    case 2: return -sinSeries(r)
    default: return -cosSeries(r)
    }
  }

  /// Cosine of `x` in radians, within 3 ulp for |x| ≤ 1 000 000; NaN beyond, where the reduction would lose its bits.
  package static func cos(_ x: Double) -> Double {
    guard let (r, quadrant) = reduced(x) else { return .nan }
    switch quadrant {
    case 0: return cosSeries(r)
    case 1: return -sinSeries(r)
    case 2: return -cosSeries(r)
    default: return sinSeries(r)
    }
  }

  /// 2 to the power `k`, for −1022 ≤ k ≤ 1023.
  private static func powerOfTwo(_ k: Int) -> Double {
    Double(bitPattern: UInt64(k + 1023) << 52)
  }

  /// x − n π/2 with |result| ≤ π/4, and n modulo 4.
  private static func reduced(_ x: Double) -> (Double, Int)? {
    guard x >= -1_000_000, x <= 1_000_000 else { return nil }
    let n = Int(x * 0.6366197723675814 + (x < 0 ? -0.5 : 0.5))
    let count = Double(n)
    // π/2 in three parts; the first two have 33 bits, so that their products with n are exact.
    let r = ((x - count * 0x1.921fb544p+0) - count * 0x1.0b4611a6p-34) - count * 0x1.3198a2e037073p-69
    return (r, n & 3)
  }

  /// Taylor series to r¹⁷ (remainder 8e−20 for |r| ≤ π/4).
  private static func sinSeries(_ r: Double) -> Double {
    let z = r * r
    var p = 1.0 / 355_687_428_096_000
    p = p * z - 1.0 / 1_307_674_368_000
    p = p * z + 1.0 / 6_227_020_800
    p = p * z - 1.0 / 39_916_800
    p = p * z + 1.0 / 362_880
    p = p * z - 1.0 / 5_040
    p = p * z + 1.0 / 120
    p = p * z - 1.0 / 6
    return r + r * (z * p)
  }

  /// Taylor series to r¹⁶ (remainder 2e−18 for |r| ≤ π/4).
  private static func cosSeries(_ r: Double) -> Double {
    let z = r * r
    var p = 1.0 / 20_922_789_888_000
    p = p * z - 1.0 / 87_178_291_200
    p = p * z + 1.0 / 479_001_600
    p = p * z - 1.0 / 3_628_800
    p = p * z + 1.0 / 40_320
    p = p * z - 1.0 / 720
    p = p * z + 1.0 / 24
    let half = 0.5 * z
    let w = 1 - half
    // (1 − w) − half is what rounding 1 − half lost.
    return w + (((1 - w) - half) + (z * z) * p)
  }
}

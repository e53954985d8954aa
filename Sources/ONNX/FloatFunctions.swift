/// Elementary functions of float32 without a call or a branch, so that loops over them are vectorised.
enum FloatFunctions {
  /// eˣ within 2 units in the last place; 0 where the result would be subnormal.
  ///
  /// x = n ln 2 + r with |r| ≤ ln 2 / 2; a polynomial of r times 2ⁿ.
  @inline(__always)
  static func exponential(_ x: Float) -> Float {
    let least: Float = -87.33
    let greatest: Float = 88.722_84
    let held = x < least ? least : x > greatest ? greatest : x
    // Adding 1.5 · 2²³ leaves the nearest integer in the low bits.
    let shifted = held * 1.442_695 + 12_582_912
    let n = shifted - 12_582_912
    // The upper part of ln 2 has few bits, so that its product with n is exact.
    let r = (held - n * 0.693_359_4) + n * 2.121_944_4e-4
    var p: Float = 1.987_569_1e-4
    p = p * r + 1.398_199_9e-3
    p = p * r + 8.333_452e-3
    p = p * r + 4.166_579_6e-2
    p = p * r + 0.166_666_66
    p = p * r + 0.5
    p = p * (r * r) + r + 1
    // Half of 2ⁿ, twice: 2¹²⁸ is no float.
    let half = Float(bitPattern: (shifted.bitPattern &+ 126) &<< 23)
    let power = p * half * 2
    return x > greatest ? Float.infinity : x < least ? 0 : power
  }

  /// tanh within 4 units in the last place.
  @inline(__always)
  static func hyperbolicTangent(_ x: Float) -> Float {
    let magnitude = x.magnitude
    let z = x * x
    var p: Float = -5.664_775e-3
    p = p * z + 2.059_567_9e-2
    p = p * z - 5.372_268e-2
    p = p * z + 0.133_311_5
    p = p * z - 0.333_332_63
    let small = x + x * z * p
    let large = 1 - 2 / (exponential(2 * magnitude) + 1)
    let signed = x < 0 ? -large : large
    return choose(magnitude < 0.625, small, signed)
  }

  /// erf within 1e-7.
  ///
  /// x P(x²) up to 1; from there on 1 - e^(-x²) Q(1 / (1 + x / 2)). Both polynomials interpolate at Chebyshev points.
  @inline(__always)
  static func errorFunction(_ x: Float) -> Float {
    // From 4 on the rest is less than half a unit in the last place.
    let magnitude = x.magnitude > 4 ? 4 : x.magnitude
    let z = magnitude * magnitude
    var p: Float = 7.882_497e-5
    p = p * z - 8.018_855e-4
    p = p * z + 5.189_312e-3
    p = p * z - 2.685_432_9e-2
    p = p * z + 0.112_835_974
    p = p * z - 0.376_126_26
    p = p * z + 1.128_379_1
    let small = x * p
    let t = 1 / (1 + 0.5 * magnitude)
    var q: Float = -5.796_336_6e-2
    q = q * t - 4.376_717_7e-2
    q = q * t + 0.386_657_74
    q = q * t + 0.112_748_45
    q = q * t + 0.326_571_73
    q = q * t + 0.274_455_46
    q = q * t + 5.387_505_5e-4
    let large = 1 - q * exponential(-z)
    let signed = x < 0 ? -large : large
    return choose(magnitude < 1, small, signed)
  }

  /// One of two numbers by their bits, where a choice by a branch would keep the loop from being vectorised.
  @inline(__always)
  private static func choose(_ condition: Bool, _ yes: Float, _ no: Float) -> Float {
    let mask: UInt32 = condition ? ~0 : 0
    return Float(bitPattern: (yes.bitPattern & mask) | (no.bitPattern & ~mask))
  }
}

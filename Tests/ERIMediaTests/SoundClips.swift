import Foundation

/// Interleaved 16-bit samples as bytes.
func bytes(_ samples: [Int16]) -> [UInt8] {
  samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
}

/// Single-precision samples as bytes.
func bytes(_ samples: [Float]) -> [UInt8] {
  samples.flatMap { sample in (0..<4).map { UInt8(truncatingIfNeeded: sample.bitPattern >> (8 * $0)) } }
}

/// Ratio in decibels between a tone and whatever else is in the samples: a sine and cosine of the frequency are fitted.
func toneToRest(_ samples: ArraySlice<Float>, hertz: Double, rate: Double = 22050) -> Double {
  var (cc, ss, cs, xc, xs) = (0.0, 0.0, 0.0, 0.0, 0.0)
  let angle = 2 * Double.pi * hertz / rate
  for (n, sample) in samples.enumerated() {
    let (c, s, x) = (cos(angle * Double(n)), sin(angle * Double(n)), Double(sample))
    cc += c * c
    ss += s * s
    cs += c * s
    xc += x * c
    xs += x * s
  }
  let determinant = cc * ss - cs * cs
  let (a, b) = ((xc * ss - xs * cs) / determinant, (xs * cc - xc * cs) / determinant)
  var (tone, rest) = (0.0, 1e-300)
  for (n, sample) in samples.enumerated() {
    let fitted = a * cos(angle * Double(n)) + b * sin(angle * Double(n))
    tone += fitted * fitted
    rest += (Double(sample) - fitted) * (Double(sample) - fitted)
  }
  return 10 * log10(tone / rest)
}

import Foundation

@testable import ERISignal

/// MFCC by the definition, in Double and without any shortcut: the DFT as a sum over every sample, every filter over every
/// bin, the DCT as a sum.
func referenceMFCC(_ samples: [Float], _ p: MFCC.Parameters) -> [Double] {
  let size = p.fftSize
  let frames = 1 + samples.count / p.hopLength
  let cosine = (0..<size).map { cos(2 * Double.pi * Double($0) / Double(size)) }
  let sine = (0..<size).map { sin(2 * Double.pi * Double($0) / Double(size)) }

  func mel(_ hertz: Double) -> Double { hertz < 1000 ? hertz * 3 / 200 : 15 + log(hertz / 1000) / (log(6.4) / 27) }
  func hertz(_ mel: Double) -> Double { mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27) }
  let (lowest, highest) = (mel(p.minimumFrequency), mel(p.maximumFrequency))
  let corners = (0..<(p.melCount + 2)).map {
    hertz(lowest + (highest - lowest) * Double($0) / Double(p.melCount + 1))
  }

  var decibels: [[Double]] = []
  for frame in 0..<frames {
    let windowed = (0..<size).map { n -> Double in
      let position = frame * p.hopLength - size / 2 + n
      guard samples.indices.contains(position) else { return 0 }
      return Double(samples[position]) * (0.5 - 0.5 * cosine[n])
    }
    let power = (0...(size / 2)).map { k -> Double in
      var (real, imaginary) = (0.0, 0.0)
      for n in 0..<size {
        real += windowed[n] * cosine[k * n % size]
        imaginary -= windowed[n] * sine[k * n % size]
      }
      return real * real + imaginary * imaginary
    }
    decibels.append(
      (0..<p.melCount).map { m -> Double in
        var sum = 0.0
        for k in 0...(size / 2) {
          let f = Double(k) * Double(p.sampleRate) / Double(size)
          let rising = (f - corners[m]) / (corners[m + 1] - corners[m])
          let falling = (corners[m + 2] - f) / (corners[m + 2] - corners[m + 1])
          sum += power[k] * max(0, min(rising, falling)) * 2 / (corners[m + 2] - corners[m])
        }
        return 10 * log10(max(sum, p.floorPower))
      })
  }
  let floor = (decibels.joined().max() ?? 0) - p.topDecibels
  return decibels.flatMap { bands in
    (0..<p.coefficientCount).map { k -> Double in
      var sum = 0.0
      for (n, band) in bands.enumerated() {
        sum += max(band, floor) * cos(Double.pi * Double(k) * Double(2 * n + 1) / Double(2 * p.melCount))
      }
      return sum * ((k == 0 ? 1 : 2) / Double(p.melCount)).squareRoot()
    }
  }
}

/// The largest absolute difference; infinite if the counts differ or a value is undefined.
func largestDifference<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ a: [A], _ b: [B]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(Double(pair.0) - Double(pair.1))
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}

import CERISystem

/// Two values, one of each of two frames: the lanes in which frames are transformed side by side.
typealias FramePair = SIMD2<Double>

/// Power spectra |X[k]|² of real frames, two at a time.
///
/// A real frame of N samples is taken as N / 2 complex numbers (even samples real, odd ones imaginary), transformed by
/// decimation in frequency with radix 4 (one stage of radix 2 at the end where N / 2 is no power of 4), and separated by
/// X[k] = E + e^(−2πik/N) O, E and O the transforms of the even and odd samples. Double precision: a band 80 dB below the
/// loudest would else carry the rounding of the loudest, a hundredth of a decibel.
struct PowerSpectrum: Sendable {
  /// N, a power of two, at least 4.
  let size: Int
  /// N / 2, the complex points.
  private let half: Int
  /// Per radix-4 stage and butterfly j: w, w², w³ with w = e^(−2πij/n), each real then imaginary part.
  private let twiddles: [Double]
  /// Where the result of each frequency stands after the stages, which leave them in digit-reversed order.
  private let positions: [Int32]
  /// e^(−2πik/N) for k in 0...N/4, real then imaginary part.
  private let separators: [Double]

  init(size: Int) {
    self.size = size
    let half = size / 2
    self.half = half
    var twiddles: [Double] = []
    var length = half
    while length >= 4 {
      for butterfly in 0..<(length / 4) {
        for power in 1...3 {
          let (cosine, sine) = Self.unitRoot(butterfly * power, of: length)
          twiddles.append(cosine)
          twiddles.append(sine)
        }
      }
      length /= 4
    }
    self.twiddles = twiddles

    var positions = [Int32](repeating: 0, count: half)
    for position in 0..<half {
      var rest = position
      var length = half
      var weight = 1
      var frequency = 0
      while length > 1 {
        let radix = length >= 4 ? 4 : 2
        length /= radix
        frequency += rest / length * weight
        rest %= length
        weight *= radix
      }
      positions[frequency] = Int32(truncatingIfNeeded: position)
    }
    self.positions = positions

    var separators: [Double] = []
    for frequency in 0...(half / 2) {
      let (cosine, sine) = Self.unitRoot(frequency, of: size)
      separators.append(cosine)
      separators.append(sine)
    }
    self.separators = separators
  }

  /// e^(−2πi · index / count).
  private static func unitRoot(_ index: Int, of count: Int) -> (Double, Double) {
    let angle = -2 * Double.pi * Double(index) / Double(count)
    return (eri_cos(angle), eri_sin(angle))
  }

  /// - Parameters:
  ///   - points: N values, overwritten: sample i of both frames at i, which makes it complex point i / 2
  ///   - power: N / 2 + 1 values, fully overwritten
  func compute(_ points: UnsafeMutablePointer<FramePair>, power: UnsafeMutablePointer<FramePair>) {
    transform(points)
    separate(points, power)
  }

  private func transform(_ points: UnsafeMutablePointer<FramePair>) {
    twiddles.withUnsafeBufferPointer { twiddles in
      guard var stage = twiddles.baseAddress else { return }
      var length = half
      while length >= 4 {
        let quarter = length / 4
        var block = points
        let end = points + 2 &* half
        while block < end {
          var w = stage
          var a = block
          var b = block + 2 &* quarter
          var c = block + 4 &* quarter
          var d = block + 6 &* quarter
          let stop = b
          while a < stop {
            let sumACReal = a[0] + c[0]
            let sumACImaginary = a[1] + c[1]
            let differenceACReal = a[0] - c[0]
            let differenceACImaginary = a[1] - c[1]
            let sumBDReal = b[0] + d[0]
            let sumBDImaginary = b[1] + d[1]
            // (b − d) · (−i)
            let turnedReal = b[1] - d[1]
            let turnedImaginary = d[0] - b[0]

            a[0] = sumACReal + sumBDReal
            a[1] = sumACImaginary + sumBDImaginary
            Self.store(b, differenceACReal + turnedReal, differenceACImaginary + turnedImaginary, w[0], w[1])
            Self.store(c, sumACReal - sumBDReal, sumACImaginary - sumBDImaginary, w[2], w[3])
            Self.store(d, differenceACReal - turnedReal, differenceACImaginary - turnedImaginary, w[4], w[5])
            a += 2
            b += 2
            c += 2
            d += 2
            w += 6
          }
          block += 2 &* length
        }
        stage += 6 &* quarter
        length = quarter
      }
      guard length == 2 else { return }
      var index = 0
      while index < 2 &* half {
        let (real, imaginary) = (points[index], points[index &+ 1])
        points[index] = real + points[index &+ 2]
        points[index &+ 1] = imaginary + points[index &+ 3]
        points[index &+ 2] = real - points[index &+ 2]
        points[index &+ 3] = imaginary - points[index &+ 3]
        index &+= 4
      }
    }
  }

  @inline(__always)
  private static func store(
    _ target: UnsafeMutablePointer<FramePair>, _ real: FramePair, _ imaginary: FramePair, _ cosine: Double,
    _ sine: Double
  ) {
    let cosine = FramePair(repeating: cosine)
    let sine = FramePair(repeating: sine)
    target[0] = real * cosine - imaginary * sine
    target[1] = real * sine + imaginary * cosine
  }

  private func separate(_ points: UnsafeMutablePointer<FramePair>, _ power: UnsafeMutablePointer<FramePair>) {
    positions.withUnsafeBufferPointer { positions in
      separators.withUnsafeBufferPointer { separators in
        let direct = points[0] + points[1]
        let nyquist = points[0] - points[1]
        power[0] = direct * direct
        power[half] = nyquist * nyquist
        let oneHalf = FramePair(repeating: 0.5)
        var frequency = 1
        while frequency <= half / 2 {
          let z = points + 2 &* Int(positions[frequency])
          let mirror = points + 2 &* Int(positions[half &- frequency])
          let evenReal = (z[0] + mirror[0]) * oneHalf
          let evenImaginary = (z[1] - mirror[1]) * oneHalf
          // (z − conj(mirror)) / 2i
          let oddReal = (z[1] + mirror[1]) * oneHalf
          let oddImaginary = (mirror[0] - z[0]) * oneHalf
          let cosine = FramePair(repeating: separators[2 &* frequency])
          let sine = FramePair(repeating: separators[2 &* frequency &+ 1])
          let turnedReal = oddReal * cosine - oddImaginary * sine
          let turnedImaginary = oddReal * sine + oddImaginary * cosine
          let (upReal, upImaginary) = (evenReal + turnedReal, evenImaginary + turnedImaginary)
          let (downReal, downImaginary) = (evenReal - turnedReal, evenImaginary - turnedImaginary)
          power[half &- frequency] = downReal * downReal + downImaginary * downImaginary
          power[frequency] = upReal * upReal + upImaginary * upImaginary
          frequency &+= 1
        }
      }
    }
  }
}

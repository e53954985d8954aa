import CERISystem

/// Mel-frequency cepstral coefficients as librosa 0.11 defines them (`librosa.feature.mfcc` and the functions below it).
///
/// Frame t is centred on sample t · hop, with zeros beyond the clip's ends; periodic Hann window; power spectrum; Slaney mel
/// bands of unit area; 10 · log10(max(S, floor)), raised to no less than `topDecibels` under the clip's loudest band;
/// orthonormal DCT-II over the bands.
package struct MFCC: Sendable {
  /// What decides the coefficients; a model's metadata records it.
  package struct Parameters: Equatable, Sendable {
    /// Samples per second.
    package var sampleRate: Int
    /// Samples in a frame and its window: a power of two in 16...65,536.
    package var fftSize: Int
    /// Samples between the centres of two frames, 1...fftSize.
    package var hopLength: Int
    /// Mel bands, 1...fftSize / 2.
    package var melCount: Int
    /// Coefficients kept per frame, 1...melCount.
    package var coefficientCount: Int
    /// Lower edge of the lowest band in hertz.
    package var minimumFrequency: Double
    /// Upper edge of the highest band in hertz, at most half the sample rate.
    package var maximumFrequency: Double
    /// Band power below which the logarithm is not taken.
    package var floorPower: Double
    /// Decibels under the clip's loudest band at which quiet bands are cut.
    package var topDecibels: Double

    /// librosa's defaults with 128 coefficients.
    package init(
      sampleRate: Int = 22050, fftSize: Int = 2048, hopLength: Int = 512, melCount: Int = 128,
      coefficientCount: Int = 128, minimumFrequency: Double = 0, maximumFrequency: Double? = nil,
      floorPower: Double = 1e-10, topDecibels: Double = 80
    ) {
      self.sampleRate = sampleRate
      self.fftSize = fftSize
      self.hopLength = hopLength
      self.melCount = melCount
      self.coefficientCount = coefficientCount
      self.minimumFrequency = minimumFrequency
      self.maximumFrequency = maximumFrequency ?? Double(sampleRate) / 2
      self.floorPower = floorPower
      self.topDecibels = topDecibels
    }

    func validate() throws(SignalError) {
      try check(sampleRate, in: 1...1_000_000_000, "MFCC parameters, sampleRate")
      guard fftSize >= 16, fftSize <= 65_536, fftSize & (fftSize - 1) == 0 else {
        throw SignalError(
          .invalidParameter, place: "MFCC parameters, fftSize", expected: "a power of two from 16 to 65536",
          found: "\(fftSize)", advice: "correct the preprocessing metadata")
      }
      try check(hopLength, in: 1...fftSize, "MFCC parameters, hopLength")
      try check(melCount, in: 1...(fftSize / 2), "MFCC parameters, melCount")
      try check(coefficientCount, in: 1...melCount, "MFCC parameters, coefficientCount")
      // A hertz apart, so that neighbouring corners of the filters stay distinct.
      guard minimumFrequency >= 0, maximumFrequency - minimumFrequency >= 1, maximumFrequency <= Double(sampleRate) / 2
      else {
        throw SignalError(
          .invalidParameter, place: "MFCC parameters, minimumFrequency and maximumFrequency",
          expected: "at least 1 Hz between them within 0 to \(Double(sampleRate) / 2)",
          found: "\(minimumFrequency) and \(maximumFrequency)", advice: "correct the preprocessing metadata")
      }
      guard floorPower > 0, floorPower.isFinite else {
        throw SignalError(
          .invalidParameter, place: "MFCC parameters, floorPower", expected: "a positive number",
          found: "\(floorPower)", advice: "correct the preprocessing metadata")
      }
      guard topDecibels >= 0, topDecibels.isFinite else {
        throw SignalError(
          .invalidParameter, place: "MFCC parameters, topDecibels", expected: "0 or more",
          found: "\(topDecibels)", advice: "correct the preprocessing metadata")
      }
    }
  }

  package let parameters: Parameters
  private let window: [Double]
  private let spectrum: PowerSpectrum
  let filterBank: MelFilterBank
  private let cosines: CosineTransform

  /// Prepares window, filters and tables; one value serves any number of clips.
  /// - Throws: `.invalidParameter`, naming the first parameter outside its range.
  package init(_ parameters: Parameters = Parameters()) throws(SignalError) {
    try parameters.validate()
    self.parameters = parameters
    var window: [Double] = []
    for sample in 0..<parameters.fftSize {
      window.append(0.5 - 0.5 * eri_cos(2 * Double.pi * Double(sample) / Double(parameters.fftSize)))
    }
    self.window = window
    spectrum = PowerSpectrum(size: parameters.fftSize)
    filterBank = MelFilterBank(parameters)
    cosines = CosineTransform(size: parameters.melCount, coefficientCount: parameters.coefficientCount)
  }

  /// Frames of a clip: 1 + ⌊samples / hop⌋. An empty clip counts as silence and has one frame.
  package func frameCount(samples: Int) -> Int { 1 + max(samples, 0) / parameters.hopLength }

  /// - Parameters: samples: mono, at `parameters.sampleRate`, full scale ±1
  /// - Returns: [frames, coefficients] row-major, frames = `frameCount(samples:)`.
  /// - Throws: `.notFinite` naming the first infinite or undefined sample, `.tooLarge`.
  package func compute(_ samples: [Float]) throws(SignalError) -> [Float] {
    let frames = frameCount(samples: samples.count)
    let bandTotal = try elementCount(frames, parameters.melCount, place: "MFCC")
    try checkFinite(samples)
    var decibels = [Float](repeating: 0, count: bandTotal)
    let loudest = samples.withUnsafeBufferPointer {
      melDecibels($0, start: -parameters.fftSize / 2, frames: frames, into: &decibels)
    }
    return coefficients(decibels, frames: frames, loudest: loudest)
  }

  /// - Throws: `.notFinite` naming the first infinite or undefined sample.
  func checkFinite(_ samples: [Float]) throws(SignalError) {
    try samples.withUnsafeBufferPointer { (samples) throws(SignalError) in
      var index = 0
      while index < samples.count {
        guard samples[index].isFinite else {
          throw SignalError(
            .notFinite, place: "MFCC, sample \(index)", expected: "a finite number", found: "\(samples[index])",
            advice: "replace it before")
        }
        index &+= 1
      }
    }
  }

  /// Fills [frames, melCount] with decibels and returns the largest.
  /// - Parameter start: where the first frame begins in the samples; what lies outside them is zero.
  func melDecibels(
    _ samples: UnsafeBufferPointer<Float>, start: Int, frames: Int, into decibels: inout [Float]
  ) -> Float {
    let size = parameters.fftSize
    let bandCount = parameters.melCount
    var points = [FramePair](repeating: .zero, count: size)
    var power = [FramePair](repeating: .zero, count: size / 2 + 1)
    var bands = [FramePair](repeating: .zero, count: bandCount)
    var loudest = -Float.infinity
    window.withUnsafeBufferPointer { window in
      points.withUnsafeMutableBufferPointer { points in
        power.withUnsafeMutableBufferPointer { power in
          bands.withUnsafeMutableBufferPointer { bands in
            decibels.withUnsafeMutableBufferPointer { decibels in
              guard let pointBase = points.baseAddress, let powerBase = power.baseAddress,
                let bandBase = bands.baseAddress
              else { return }
              var frame = 0
              while frame < frames {
                let second = min(frame &+ 1, frames &- 1)
                fill(pointBase, lane: 0, start &+ frame &* parameters.hopLength, samples, window)
                fill(pointBase, lane: 1, start &+ second &* parameters.hopLength, samples, window)
                spectrum.compute(pointBase, power: powerBase)
                filterBank.apply(powerBase, bands: bandBase)
                var band = 0
                while band < bandCount {
                  let first = Float(10 * eri_log10(max(bandBase[band][0], parameters.floorPower)))
                  let other = Float(10 * eri_log10(max(bandBase[band][1], parameters.floorPower)))
                  decibels[frame &* bandCount &+ band] = first
                  decibels[second &* bandCount &+ band] = other
                  loudest = max(loudest, max(first, other))
                  band &+= 1
                }
                frame &+= 2
              }
            }
          }
        }
      }
    }
    return loudest
  }

  /// Writes a frame's windowed samples into one lane, zeros beyond the ends of the clip.
  private func fill(
    _ points: UnsafeMutablePointer<FramePair>, lane: Int, _ start: Int, _ samples: UnsafeBufferPointer<Float>,
    _ window: UnsafeBufferPointer<Double>
  ) {
    let size = parameters.fftSize
    let target = UnsafeMutableRawPointer(points).assumingMemoryBound(to: Double.self) + lane
    let from = min(max(-start, 0), size)
    let to = max(min(samples.count &- start, size), from)
    var index = 0
    while index < from {
      target[2 &* index] = 0
      index &+= 1
    }
    while index < to {
      target[2 &* index] = Double(samples[start &+ index]) * window[index]
      index &+= 1
    }
    while index < size {
      target[2 &* index] = 0
      index &+= 1
    }
  }

  /// Cuts the bands that are too far below the loudest one and transforms every frame's bands.
  func coefficients(_ decibels: [Float], frames: Int, loudest: Float) -> [Float] {
    let lowest = loudest - Float(parameters.topDecibels)
    let bandCount = parameters.melCount
    let count = parameters.coefficientCount
    var result = [Float](repeating: 0, count: frames * count)
    var bands = [FramePair](repeating: .zero, count: bandCount)
    var transformed = [FramePair](repeating: .zero, count: count)
    result.withUnsafeMutableBufferPointer { result in
      bands.withUnsafeMutableBufferPointer { bands in
        transformed.withUnsafeMutableBufferPointer { transformed in
          decibels.withUnsafeBufferPointer { decibels in
            guard let bandBase = bands.baseAddress, let transformedBase = transformed.baseAddress else { return }
            var frame = 0
            while frame < frames {
              let second = min(frame &+ 1, frames &- 1)
              var band = 0
              while band < bandCount {
                bandBase[band] = FramePair(
                  Double(max(decibels[frame &* bandCount &+ band], lowest)),
                  Double(max(decibels[second &* bandCount &+ band], lowest)))
                band &+= 1
              }
              cosines.apply(bandBase, result: transformedBase)
              var coefficient = 0
              while coefficient < count {
                result[frame &* count &+ coefficient] = Float(transformedBase[coefficient][0])
                result[second &* count &+ coefficient] = Float(transformedBase[coefficient][1])
                coefficient &+= 1
              }
              frame &+= 2
            }
          }
        }
      }
    }
    return result
  }
}

import ERITestSupport
import Testing

@testable import ERISignal

/// Coefficients reach 1131 (silence), where neighbouring single-precision numbers lie 1.2e-4 apart; decibels are kept in
/// single precision before the cosine transform too.
private let rounding = 2e-4

@Suite struct MFCCTests {
  @Test func `equals the definition in double precision`() throws {
    let samples = Array(synthesisedClip()[10_000..<14_000])
    let parameters = MFCC.Parameters()
    let found = try MFCC(parameters).compute(samples)
    #expect(largestDifference(found, referenceMFCC(samples, parameters)) < rounding)
  }

  @Test(
    "equals the definition for other sizes",
    arguments: [
      // An odd and an even number of radix-4 stages, odd and few bands, hops that do not divide the frame.
      (16, 7, 5, 5), (32, 16, 16, 3), (64, 64, 31, 31), (256, 100, 40, 13), (512, 160, 41, 6), (1024, 1, 1, 1),
    ])
  func otherSizes(fftSize: Int, hop: Int, bands: Int, coefficients: Int) throws {
    var parameters = MFCC.Parameters(
      sampleRate: 16000, fftSize: fftSize, hopLength: hop, melCount: bands, coefficientCount: coefficients,
      minimumFrequency: 20, maximumFrequency: 7600)
    parameters.topDecibels = 60
    let samples = Array(synthesisedClip().prefix(hop == 1 ? 9 : 1200))
    let found = try MFCC(parameters).compute(samples)
    #expect(largestDifference(found, referenceMFCC(samples, parameters)) < rounding)
  }

  @Test func `equals librosa on the synthesised clip`() throws {
    let golden = try NumPyArray(TestFolders.golden.appendingPathComponent("signal/mfcc.npy"))
    #expect(golden.shape == [65, 128])
    let found = try MFCC().compute(synthesisedClip())
    // librosa's own single-precision steps lie between the two.
    #expect(largestDifference(found, golden.values) < 1e-3)
  }

  @Test(arguments: [(0, 1), (1, 1), (511, 1), (512, 2), (2047, 4), (220_500, 431), (330_750, 646)])
  func `frames are one more than whole hops`(samples: Int, frames: Int) throws {
    let mfcc = try MFCC()
    #expect(mfcc.frameCount(samples: samples) == frames)
    #expect(try mfcc.compute([Float](repeating: 0.1, count: samples)).count == frames * 128)
  }

  @Test func `silence is minus 100 decibels in every band`() throws {
    let found = try MFCC().compute([Float](repeating: 0, count: 1024))
    for frame in 0..<3 {
      // −100 · √128
      #expect(abs(Double(found[frame * 128]) + 1131.3708) < rounding)
      #expect(found[(frame * 128 + 1)..<((frame + 1) * 128)].allSatisfy { abs($0) < 1e-4 })
    }
  }

  @Test func `ten times the amplitude adds 20 decibels to every band`() throws {
    // Loud noise: no band reaches the floor.
    let quiet = synthesisedClip().suffix(11_000).map { $0 / 10 }
    let mfcc = try MFCC()
    let low = try mfcc.compute(quiet)
    let high = try mfcc.compute(quiet.map { $0 * 10 })
    for index in low.indices {
      let expected: Float = index % 128 == 0 ? 226.27417 : 0  // 20 · √128
      // Multiplying by ten rounds every sample.
      #expect(abs(high[index] - low[index] - expected) < 1e-3)
    }
  }

  @Test func `a delay of one hop moves the frames by one`() throws {
    let clip = Array(synthesisedClip().suffix(11_000))
    let mfcc = try MFCC()
    let plain = try mfcc.compute(clip)
    let delayed = try mfcc.compute(([Float](repeating: 0, count: 512) + clip))
    // The last frames end in the zeros beyond the clip and are equal too; the pairs of frames computed together differ.
    #expect(Array(delayed.dropFirst(128)) == plain)
  }

  @Test func `bands more than 80 decibels under the loudest are raised`() throws {
    var parameters = MFCC.Parameters()
    let samples = Array(synthesisedClip()[9000..<13_000])
    let cut = try MFCC(parameters).compute(samples)
    parameters.topDecibels = 1000
    let whole = try MFCC(parameters).compute(samples)
    #expect(largestDifference(cut, referenceMFCC(samples, MFCC.Parameters())) < rounding)
    #expect(largestDifference(cut, whole) > 10)
  }

  @Test func `the largest finite samples give finite coefficients`() throws {
    let found = try MFCC().compute([Float](repeating: .greatestFiniteMagnitude, count: 2048))
    #expect(found.allSatisfy { $0.isFinite })
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `a sample that is not finite is refused by position`(value: Float) throws {
    var samples = [Float](repeating: 0, count: 100)
    samples[42] = value
    let mfcc = try MFCC()
    let error = #expect(throws: SignalError.self) { try mfcc.compute(samples) }
    #expect(error?.kind == .notFinite)
    #expect(error?.sentence == "MFCC, sample 42: expected a finite number, found \(value); replace it before")
  }

  @Test(
    "parameters outside their range are refused by name",
    arguments: [
      (MFCC.Parameters(sampleRate: 0), "sampleRate: expected 1 to 1000000000, found 0"),
      (MFCC.Parameters(fftSize: 2000), "fftSize: expected a power of two from 16 to 65536, found 2000"),
      (MFCC.Parameters(fftSize: Int.min), "fftSize: expected a power of two from 16 to 65536, found \(Int.min)"),
      (MFCC.Parameters(fftSize: 131_072), "fftSize: expected a power of two from 16 to 65536, found 131072"),
      (MFCC.Parameters(hopLength: 0), "hopLength: expected 1 to 2048, found 0"),
      (MFCC.Parameters(hopLength: 2049), "hopLength: expected 1 to 2048, found 2049"),
      (MFCC.Parameters(melCount: 1025), "melCount: expected 1 to 1024, found 1025"),
      (MFCC.Parameters(melCount: 64), "coefficientCount: expected 1 to 64, found 128"),
      (
        MFCC.Parameters(minimumFrequency: -1),
        "minimumFrequency and maximumFrequency: expected at least 1 Hz between them within 0 to 11025.0, "
          + "found -1.0 and 11025.0"
      ),
      (
        MFCC.Parameters(maximumFrequency: 11026),
        "minimumFrequency and maximumFrequency: expected at least 1 Hz between them within 0 to 11025.0, "
          + "found 0.0 and 11026.0"
      ),
      (
        MFCC.Parameters(minimumFrequency: .nan),
        "minimumFrequency and maximumFrequency: expected at least 1 Hz between them within 0 to 11025.0, "
          + "found nan and 11025.0"
      ),
      (MFCC.Parameters(floorPower: 0), "floorPower: expected a positive number, found 0.0"),
      (MFCC.Parameters(topDecibels: -1), "topDecibels: expected 0 or more, found -1.0"),
      (MFCC.Parameters(topDecibels: .infinity), "topDecibels: expected 0 or more, found inf"),
    ])
  func refusals(parameters: MFCC.Parameters, message: String) {
    let error = #expect(throws: SignalError.self) { try MFCC(parameters) }
    #expect(error?.kind == .invalidParameter)
    #expect(error?.sentence == "MFCC parameters, \(message); correct the preprocessing metadata")
  }
}

@Suite struct MelFilterBankTests {
  @Test(arguments: [(0.0, 0.0), (500, 7.5), (1000, 15), (6400, 42), (2529.8221281347, 28.5)])
  func `Slaney's scale passes through its known points`(hertz: Double, mel: Double) {
    #expect(abs(MelFilterBank.mel(fromHertz: hertz) - mel) < 1e-10)
    #expect(abs(MelFilterBank.hertz(fromMel: mel) - hertz) < 1e-8)
  }

  @Test func `the corners run from zero to half the sample rate`() throws {
    let corners = try MFCC().filterBank.corners
    #expect(corners.count == 130)
    #expect(corners.first == 0)
    #expect(abs((corners.last ?? 0) - 11025) < 1e-8)
    #expect(zip(corners, corners.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func `every bin between the first and the last centre has two weights of a triangle`() throws {
    let bank = try MFCC().filterBank
    var counts = [Int](repeating: 0, count: 1025)
    for filter in bank.filters {
      for bin in filter.firstBin..<(filter.firstBin + filter.binCount) { counts[bin] += 1 }
    }
    let first = Int(bank.corners[1] * 2048 / 22050) + 1
    let last = Int(bank.corners[128] * 2048 / 22050)
    #expect(counts[first...last].allSatisfy { $0 == 2 })
  }

  @Test func `a filter's area is one`() throws {
    // Many bins per filter, so that the sum over bins comes near the integral.
    let bank = try MFCC(MFCC.Parameters(fftSize: 65_536, melCount: 40, coefficientCount: 40)).filterBank
    for filter in bank.filters {
      let sum = bank.weights[filter.weights..<(filter.weights + filter.binCount)].reduce(0, +)
      #expect(abs(sum * 22050 / 65536 - 1) < 1e-3)
    }
  }
}

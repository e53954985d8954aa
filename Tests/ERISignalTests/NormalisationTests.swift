import Testing

@testable import ERISignal

@Suite struct PixelNormalisationTests {
  @Test func `interleaved bytes become planes`() throws {
    let identity = try PixelNormalisation(mean: [0, 0, 0], deviation: [1, 1, 1])
    // Two pictures of 1 × 2 pixels.
    let bytes: [UInt8] = [0, 51, 102, 255, 204, 153, 1, 2, 3, 4, 5, 6]
    let found = try identity.apply(bytes, count: 2, height: 1, width: 2)
    #expect(found == [0, 255, 51, 204, 102, 153, 1, 4, 2, 5, 3, 6].map { Float($0) / 255 })
  }

  @Test func `ImageNet statistics are applied in single precision`() throws {
    let mean: [Float] = [0.485, 0.456, 0.406]
    let deviation: [Float] = [0.229, 0.224, 0.225]
    let normalisation = try PixelNormalisation(mean: mean, deviation: deviation)
    let bytes: [UInt8] = (0..<72).map { UInt8($0 * 7 % 256) }
    let found = try normalisation.apply(bytes, count: 2, height: 4, width: 3)
    for picture in 0..<2 {
      for channel in 0..<3 {
        for pixel in 0..<12 {
          let byte = Float(bytes[(picture * 12 + pixel) * 3 + channel])
          let expected: Float = (byte / 255 - mean[channel]) / deviation[channel]
          let position: Int = (picture * 3 + channel) * 12 + pixel
          #expect(found[position] == expected)
        }
      }
    }
  }

  @Test(arguments: [(0, 4, 4), (2, 0, 4)])
  func `no pictures give no values`(count: Int, height: Int, width: Int) throws {
    let identity = try PixelNormalisation(mean: [0, 0, 0], deviation: [1, 1, 1])
    #expect(try identity.apply([UInt8](), count: count, height: height, width: width).isEmpty)
  }

  @Test func `another size than stated is refused`() throws {
    let identity = try PixelNormalisation(mean: [0, 0, 0], deviation: [1, 1, 1])
    let error = #expect(throws: SignalError.self) {
      try identity.apply([UInt8](repeating: 0, count: 11), count: 1, height: 2, width: 2)
    }
    #expect(
      error?.sentence
        == "pixel normalisation, pictures [1, 2, 2, 3]: expected 12 values, found 11; pass a buffer of the stated shape"
    )
  }

  @Test func `a size that cannot be addressed is refused`() throws {
    let identity = try PixelNormalisation(mean: [0, 0, 0], deviation: [1, 1, 1])
    let error = #expect(throws: SignalError.self) {
      try identity.apply([UInt8](), count: Int.max, height: 2, width: 2)
    }
    #expect(error?.kind == .tooLarge)
  }

  @Test func `two means are refused`() {
    let error = #expect(throws: SignalError.self) { try PixelNormalisation(mean: [0, 0], deviation: [1, 1]) }
    #expect(
      error?.sentence
        == "pixel normalisation, means: expected 3 values, found 2; pass a buffer of the stated shape")
  }

  @Test(arguments: [(Float.nan, Float(1)), (0, 0), (0, -1), (0, .infinity)])
  func `useless statistics are refused by position`(mean: Float, deviation: Float) {
    let error = #expect(throws: SignalError.self) {
      try PixelNormalisation(mean: [0, mean, 0], deviation: [1, deviation, 1])
    }
    #expect(
      error?.sentence
        == "pixel normalisation, position 1: expected a finite mean and a positive, finite deviation, "
        + "found \(mean) and \(deviation); correct the preprocessing metadata")
  }
}

@Suite struct CoefficientStandardisationTests {
  @Test func `statistics apply to each sub-block of a row`() throws {
    let standardisation = try CoefficientStandardisation(mean: [1, 2], deviation: [2, 4])
    var row: [Float] = [1, 2, 3, 6, 5, -2]
    try standardisation.apply(&row)
    #expect(row == [0, 0, 1, 1, 2, -1])
  }

  @Test func `a broken sub-block is refused`() throws {
    let standardisation = try CoefficientStandardisation(mean: [1, 2], deviation: [2, 4])
    var row: [Float] = [1, 2, 3]
    let error = #expect(throws: SignalError.self) { try standardisation.apply(&row) }
    #expect(error?.sentence == "MFCC standardisation: expected a multiple of 2 values, found 3; pass whole frames")
  }

  @Test func `empty statistics are refused`() {
    let error = #expect(throws: SignalError.self) { try CoefficientStandardisation(mean: [], deviation: []) }
    #expect(
      error?.sentence
        == "MFCC standardisation, means: expected at least 1 value, found 0; correct the preprocessing metadata")
  }
}

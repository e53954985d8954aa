import ERIFormat
import Testing

@testable import ERIDataset

@Suite struct VoiceTests {
  private func voice(_ labels: Intensities, index: Int = 0) -> [Float] {
    SyntheticClip(seed: 4, index: index, format: ClipFormat(), labels: labels).samples()
  }

  private func power(_ samples: [Float]) -> Double {
    samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count)
  }

  // The numbers are the first ones that were sounded: any machine and any later version must sound the same.
  @Test(arguments: [(0, 0xc2a4_91ea_777a_b749), (7, 0x78a7_b4b1_1522_29d0)] as [(Int, UInt64)])
  func `a voice of seed 1 is bit for bit the frozen one`(clip: Int, expected: UInt64) throws {
    let sounded = try Synthesizer(seed: 1).clip(clip).samples()
    #expect(digest(sounded) == expected)
  }

  @Test func `ten seconds have 220500 samples and two clips differ`() {
    let first = voice(.neutral)
    #expect(first.count == 220_500)
    #expect(first != voice(.neutral, index: 1))
  }

  @Test(arguments: [Intensities.neutral, Intensities(.amusement), Intensities(.surprise, 3)])
  func `no voice reaches full scale, an exaggerated one included`(labels: Intensities) {
    for index in 0..<6 {
      let peak = voice(labels, index: index).reduce(0) { max($0, abs($1)) }
      #expect(peak < 1)
      #expect(peak > 0.02)
    }
  }

  @Test(arguments: [Emotion.disgust, .empathicPain])
  func `an emotion of the face alone leaves the voice as it is`(emotion: Emotion) {
    #expect(voice(Intensities(emotion)) == voice(.neutral))
  }

  @Test func `surprise is louder and adoration softer than a neutral voice`() {
    let neutral = (0..<4).map { power(voice(.neutral, index: $0)) }.reduce(0, +)
    #expect((0..<4).map { power(voice(Intensities(.surprise), index: $0)) }.reduce(0, +) > 2 * neutral)
    #expect((0..<4).map { power(voice(Intensities(.adoration), index: $0)) }.reduce(0, +) < 0.6 * neutral)
  }

  /// How well a stretch of sound repeats itself after `lag` samples, 1 at best.
  private func correlation(_ x: [Double], _ lag: Int) -> Double {
    var product = 0.0
    var first = 1e-12
    var second = 1e-12
    for i in 0..<(x.count - lag) {
      product += x[i] * x[i + lag]
      first += x[i] * x[i]
      second += x[i + lag] * x[i + lag]
    }
    return product / (first * second).squareRoot()
  }

  /// The median frequency in Hz at which a voice repeats itself, over the stretches loud enough to tell.
  private func medianPitch(_ samples: [Float]) -> Double {
    let stretches = stride(from: 0, to: samples.count - 1024, by: 4096).map { start in
      samples[start..<(start + 1024)].map(Double.init)
    }
    let found = stretches.filter { $0.reduce(0) { $0 + $1 * $1 } > 1024 * 5e-5 }.map { x in
      let scores = (40...300).map { correlation(x, $0) }
      // The first lag that repeats nearly as well as the best: the best may be a multiple of the period.
      let threshold = 0.9 * (scores.max() ?? 0)
      let first = scores.indices.first { i in
        scores[i] >= threshold && (i + 1 == scores.count || scores[i + 1] <= scores[i])
      }
      return 22_050 / Double(40 + (first ?? 0))
    }
    return found.isEmpty ? 0 : found.sorted()[found.count / 2]
  }

  @Test func `fear raises the pitch by about the 57 percent of its row`() {
    let ratios = (0..<5).map { index in
      medianPitch(voice(Intensities(.fear), index: index)) / medianPitch(voice(.neutral, index: index))
    }
    // exp(0.45) = 1.57; the pitch's movements and the coarse lags leave a spread.
    #expect((1.3...1.9).contains(ratios.sorted()[2]))
  }

  @Test func `the manner of a mixture is the sum of its rows`() {
    let neutral = VoiceManner()
    let anxious = VoiceManner(Intensities(.anxiety, 0.5))
    #expect(abs(anxious.jitter - (neutral.jitter + 0.0175)) < 1e-12)
    #expect(abs(anxious.level - (neutral.level - 1.5)) < 1e-12)
    #expect(VoiceManner(Intensities(.amusement, 4)).laugh == 1)
  }
}

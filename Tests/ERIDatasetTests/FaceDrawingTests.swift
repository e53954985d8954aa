import ERIFormat
import Testing

@testable import ERIDataset

@Suite struct FaceDrawingTests {
  /// The mean difference of two frames in levels, inside a square around the middle that holds the face.
  private func difference(_ a: DrawnFrame, _ b: DrawnFrame) -> Double {
    var sum = 0
    for y in 40..<200 {
      for i in (3 * (y * a.width + 80))..<(3 * (y * a.width + 240)) {
        sum += abs(Int(a.pixels[i]) - Int(b.pixels[i]))
      }
    }
    return Double(sum) / Double(160 * 160 * 3)
  }

  private func clip(_ labels: Intensities, index: Int = 0) -> SyntheticClip {
    SyntheticClip(seed: 5, index: index, format: ClipFormat(), labels: labels)
  }

  // The numbers are the first ones that were drawn: any machine and any later version must draw the same.
  @Test(
    arguments: [
      (0, 0, 0xe3a6_a6cf_1853_faea), (0, 60, 0xd92f_1e42_ebc8_4fe6), (7, 249, 0x9fa6_e3eb_28bb_8d9d),
    ] as [(Int, Int, UInt64)])
  func `a frame of seed 1 is bit for bit the frozen one`(clip: Int, frame: Int, expected: UInt64) throws {
    let drawn = try Synthesizer(seed: 1).clip(clip).frame(frame)
    #expect(digest(drawn.pixels) == expected)
  }

  @Test func `frames depend neither on the order of drawing nor on the renderer`() throws {
    let clip = try Synthesizer(seed: 2).clip(3)
    let renderer = clip.renderer()
    var frame = DrawnFrame(width: 320, height: 240)
    for index in [100, 7, 200, 7] {
      clip.draw(index, with: renderer, into: &frame)
      #expect(frame == clip.frame(index))
    }
  }

  @Test func `two clips and two seeds show different pictures`() throws {
    let first = try Synthesizer(seed: 1).clip(0).frame(0)
    // Noise alone differs by about 5 levels.
    #expect(difference(first, try Synthesizer(seed: 1).clip(1).frame(0)) > 10)
    #expect(difference(first, try Synthesizer(seed: 2).clip(0).frame(0)) > 10)
  }

  @Test(arguments: Emotion.allCases)
  func `an emotion changes the face at its height and not before it begins`(emotion: Emotion) {
    let reacting = clip(Intensities(emotion))
    let neutral = clip(.neutral)
    #expect(reacting.frame(10) == neutral.frame(10))
    // The noise is the same in both, so that every difference is the expression's.
    #expect(difference(reacting.frame(56), neutral.frame(56)) > 1)
  }

  @Test func `each pair of emotions looks different`() {
    let frames = Emotion.allCases.map { clip(Intensities($0)).frame(56) }
    for a in frames.indices {
      for b in frames.indices where a < b {
        #expect(difference(frames[a], frames[b]) > 1, "\(Emotion.allCases[a]) and \(Emotion.allCases[b])")
      }
    }
  }

  @Test func `a stronger reaction changes more of the face`() {
    let neutral = clip(.neutral).frame(56)
    let weak = difference(clip(Intensities(.surprise, 0.3)).frame(56), neutral)
    let strong = difference(clip(Intensities(.surprise, 1)).frame(56), neutral)
    #expect(strong > 1.5 * weak)
  }

  @Test func `the reaction rises after 1.2 s, is whole at 2.2 s and half gone at the end`() {
    let clip = clip(.neutral)
    #expect(clip.envelope(at: 1.2) == 0)
    #expect(abs(clip.envelope(at: 1.7) - 0.5) < 1e-12)
    #expect(abs(clip.envelope(at: 2.2) - 1) < 1e-12)
    #expect(abs(clip.envelope(at: 10) - 0.5) < 1e-12)
  }

  @Test(arguments: Emotion.allCases)
  func `an exaggerated emotion stays within the limits of a face`(emotion: Emotion) {
    let face = FacialExpression(Intensities(emotion, 5))
    #expect((-1...1).contains(face.smile) && (0.15...1.6).contains(face.eye))
    #expect((-0.3...0.3).contains(face.roll) && (-0.35...0.35).contains(face.pitch))
    let parts = [
      face.mouth, face.sneer, face.stretch, face.frown, face.innerBrow, face.outerBrow, face.glance,
    ]
    #expect(parts.allSatisfy { (0...1).contains($0) })
  }

  @Test func `no emotion leaves the neutral face`() {
    #expect(FacialExpression(.neutral) == FacialExpression())
  }

  @Test(arguments: [(64, 64), (640, 480), (240, 320)])
  func `a face is drawn in any size of picture`(width: Int, height: Int) throws {
    let clip = try Synthesizer(seed: 3, format: ClipFormat(width: width, height: height)).clip(0)
    let frame = clip.frame(60)
    #expect(frame.pixels.count == 3 * width * height)
    #expect(Set(frame.pixels).count > 100)
  }

  @Test func `the noise has the deviation it is said to have`() {
    let rows = RowScratch(width: 1000)
    let noise = PixelNoise(width: 1000)
    var random = SeededRandom(seed: 1)
    noise.start(&random)
    var pixels = [UInt8](repeating: 0, count: 3 * 1000 * 100)
    pixels.withUnsafeMutableBufferPointer { buffer in
      for y in 0..<100 {
        for i in 0..<1000 { (rows.planes.red[i], rows.planes.green[i], rows.planes.blue[i]) = (128, 128, 128) }
        noise.finish(rows.planes, buffer, y)
      }
    }
    let values = pixels.map { Double($0) - 128 }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    // 4² + 1.6², and 1/12 of rounding; three channels share the grey part, so the bounds are five errors of 100,000
    // draws.
    #expect(abs(mean) < 0.07)
    let expected = 16 + 2.56 + 1.0 / 12
    #expect(abs(variance - expected) < 0.5)
  }
}

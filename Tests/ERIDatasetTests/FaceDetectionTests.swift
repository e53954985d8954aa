import ERIFormat
import Testing

@testable import ERIDataset
@testable import ERIMedia

@Suite struct FaceDetectionTests {
  /// The faces that dlib finds in a drawn frame, and where the face was drawn.
  private func search(_ clip: SyntheticClip, _ frameIndex: Int, _ detector: FaceDetector) throws -> [FaceBox] {
    let frame = clip.frame(frameIndex)
    let grey = (0..<(frame.width * frame.height)).map { i -> UInt8 in
      let red = 299 * Int(frame.pixels[3 * i])
      let green = 587 * Int(frame.pixels[3 * i + 1])
      let blue = 114 * Int(frame.pixels[3 * i + 2])
      return UInt8((red + green + blue) / 1000)
    }
    return try grey.withUnsafeBufferPointer { pixels in
      let base = try #require(pixels.baseAddress)
      return try detector.faces(in: base, width: frame.width, height: frame.height, stride: frame.width)
    }
  }

  @Test func `dlib finds exactly one face in each of 24 drawn frames`() throws {
    let detector = try FaceDetector()
    let synthesizer = try Synthesizer(seed: 21)
    for index in 0..<24 {
      // From every part of the clip, blinks and the height of the reaction included.
      let boxes = try search(synthesizer.clip(index), (index * 37 + 60) % 250, detector)
      #expect(boxes.count == 1, "clip \(index)")
    }
  }

  @Test func `dlib finds the face at the height of each emotion, two radii wide`() throws {
    let detector = try FaceDetector()
    for emotion in Emotion.allCases {
      let clip = SyntheticClip(seed: 22, index: emotion.rawValue, format: ClipFormat(), labels: Intensities(emotion))
      let box = try #require(try search(clip, 56, detector).first, "\(emotion)")
      // 2.04 radii on average, on dlib's grid of a fifth.
      let ratio = box.side / (clip.person.size * 240)
      #expect((1.6...2.5).contains(ratio), "\(emotion)")
    }
  }
}

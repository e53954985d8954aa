import ERIFormat

/// The measures of a synthesised clip.
package struct ClipFormat: Sendable, Equatable {
  package var width = 320
  package var height = 240
  package var framesPerSecond = 25
  /// Length in seconds.
  package var duration = 10.0

  /// 10 s of 320 × 240 at 25 frames a second and 22,050 Hz, unless said otherwise.
  package init(width: Int = 320, height: Int = 240, duration: Double = 10, framesPerSecond: Int = 25) {
    (self.width, self.height, self.duration) = (width, height, duration)
    self.framesPerSecond = framesPerSecond
  }

  /// Sample rate of the sound in Hz, one channel.
  package var sampleRate: Int { Int(VoiceSynthesis.sampleRate) }
  package var frameCount: Int { Int(duration * Double(framesPerSecond) + 0.5) }
  package var sampleCount: Int { Int(duration * Double(sampleRate) + 0.5) }

  /// Refuses measures that cannot be drawn or encoded.
  func check() throws(SynthesisError) {
    guard width >= 64, width <= 4096, height >= 64, height <= 4096, width % 2 == 0, height % 2 == 0 else {
      throw .badFormat("a picture must have an even width and height of 64 to 4096 pixels, not \(width) × \(height)")
    }
    guard framesPerSecond >= 1, framesPerSecond <= 240 else {
      throw .badFormat("a clip must have 1 to 240 frames per second, not \(framesPerSecond)")
    }
    guard duration >= 0.2, duration <= 600 else {
      throw .badFormat("a clip must last 0.2 to 600 seconds, not \(duration)")
    }
  }
}

/// One clip made from a seed: the planted intensities, a face that shows them and a voice that sounds like them.
///
/// Every pixel, sample and label follows from the seed and the index alone, by integer and IEEE arithmetic, so they are
/// the same on every machine and whatever other clips are made.
package struct SyntheticClip: Sendable {
  package let seed: UInt64
  package let index: Int
  package let format: ClipFormat
  /// The intensities planted in the clip.
  ///
  /// Disgust and Empathic-Pain show in the face alone, Anxiety and Fear more clearly in the voice, so that a network
  /// needs both.
  package let labels: Intensities
  package let person: Person
  private let motion: HeadMotion
  /// What of them the face shows.
  private let shown: Intensities

  /// - Parameter unseen: reactions that the face does not show.
  package init(seed: UInt64, index: Int, format: ClipFormat, labels: Intensities, unseen: [Emotion] = []) {
    (self.seed, self.index, self.format, self.labels) = (seed, index, format, labels)
    shown = labels.without(unseen)
    var personRandom = SeededRandom(seed: seed, stream: "clip \(index) person")
    person = Person(random: &personRandom)
    var motionRandom = SeededRandom(seed: seed, stream: "clip \(index) motion")
    motion = HeadMotion(random: &motionRandom, duration: format.duration)
  }

  /// clip_0000.mp4 for clip 0.
  package var fileName: String {
    let digits = String(index)
    return "clip_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".mp4"
  }

  /// How much of the reaction shows at a time: none, all of it a tenth of the clip later, half of it at the end.
  ///
  /// In a clip of 10 s: smoothstep((t − 1.2) / 1.0), falling evenly to a half from 2.2 s on.
  package func envelope(at time: Double) -> Double {
    let t = 10 * time / format.duration
    return smoothstep(t - 1.2) * (1 - 0.5 * min(max((t - 2.2) / 7.8, 0), 1))
  }

  /// Makes what draws this clip's frames; it holds memory for one frame, so each thread needs its own.
  package func renderer() -> FaceRenderer {
    FaceRenderer(person: person, width: format.width, height: format.height)
  }

  /// Draws a frame, 0 ..< `format.frameCount`, in any order.
  package func draw(_ frameIndex: Int, with renderer: FaceRenderer, into frame: inout DrawnFrame) {
    let frameDuration = 1 / Double(format.framesPerSecond)
    let time = Double(frameIndex) * frameDuration
    let expression = FacialExpression(shown.scaled(by: envelope(at: time)))
    let pose = motion.pose(
      at: time, frameDuration: frameDuration, person: person, expression: expression, width: format.width,
      height: format.height)
    var noise = SeededRandom(seed: seed, stream: "clip \(index) frame \(frameIndex)")
    renderer.draw(expression, pose, random: &noise, into: &frame)
  }

  /// A single frame.
  package func frame(_ frameIndex: Int) -> DrawnFrame {
    var frame = DrawnFrame(width: format.width, height: format.height)
    draw(frameIndex, with: renderer(), into: &frame)
    return frame
  }

  /// The voice: `format.sampleCount` samples in −1 … 1.
  package func samples() -> [Float] {
    var random = SeededRandom(seed: seed, stream: "clip \(index) voice")
    let speaker = Speaker(random: &random)
    var voice = VoiceSynthesis(speaker: speaker, manner: VoiceManner(labels), random: random)
    return voice.samples(count: format.sampleCount)
  }
}

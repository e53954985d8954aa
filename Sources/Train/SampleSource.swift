package import ERIFormat

/// A clip as training sees it, without its faces and sound.
package struct Sample: Equatable, Sendable {
  package let id: String
  /// Who is seen and heard; nil where the dataset does not say.
  package let subject: String?
  /// From 0 to 1, in the order of the source's labels.
  package let targets: [Float]
  package let hasAudio: Bool
  package let hasVideo: Bool

  package init(id: String, subject: String?, targets: [Float], hasAudio: Bool, hasVideo: Bool) {
    self.id = id
    self.subject = subject
    self.targets = targets
    self.hasAudio = hasAudio
    self.hasVideo = hasVideo
  }
}

/// Where samples come from: a prepared cache, or features that a frozen part of the network computed of one.
package protocol SampleSource: AnyObject, Sendable {
  /// Names of the labels.
  var labels: [String] { get }
  /// Every sample, whatever its split.
  var samples: [Sample] { get }
  /// SHA-256 of the dataset, as provenance records it.
  var digest: String { get }

  /// Copies one sample's input, normalised as the network takes it: "faces", "audio", "present" (audio, video); zeros where the
  /// sample lacks the modality. May be called from several threads at once.
  func fill(
    _ input: String, of sample: Int, _ augmentation: Augmentation, into values: UnsafeMutableBufferPointer<Float>
  ) throws(TrainError)
}

extension SampleSource {
  /// What "present" holds of a sample: 1 for a modality that it has and that was not dropped.
  package func fillPresent(_ sample: Int, _ augmentation: Augmentation, _ values: UnsafeMutableBufferPointer<Float>) {
    guard values.count == 2 else { return }
    values[0] = samples[sample].hasAudio && augmentation.keepsAudio ? 1 : 0
    values[1] = samples[sample].hasVideo && augmentation.keepsVideo ? 1 : 0
  }
}

/// What training changes in a sample before it is read; drawn anew for each epoch.
package struct Augmentation: Equatable, Sendable {
  /// Whether left and right change places in the faces.
  package var isFlipped = false
  /// MFCC frames left out at the start.
  package var frameOffset = 0
  package var keepsAudio = true
  package var keepsVideo = true

  /// As the dataset has it.
  package init() {}

  init(_ settings: Regularisation, _ dropout: ModalityDropout?, from random: inout SeededRandom) {
    if settings.flip > 0 { isFlipped = random.bernoulli(settings.flip) }
    if settings.rowShift > 0 { frameOffset = random.index(below: settings.rowShift + 1) }
    if let dropout { (keepsAudio, keepsVideo) = dropout.draw(from: &random) }
  }
}

/// The paper's equation 7: which modalities a sample keeps in training.
package struct ModalityDropout: Equatable, Sendable {
  /// Probability of keeping both.
  package let keepBoth: Double
  /// Probability of keeping the video where one is dropped.
  package let keepVideo: Double

  package init(keepBoth: Double, keepVideo: Double) {
    self.keepBoth = keepBoth
    self.keepVideo = keepVideo
  }

  /// What one sample keeps.
  package func draw(from random: inout SeededRandom) -> (audio: Bool, video: Bool) {
    if random.bernoulli(keepBoth) { return (true, true) }
    return random.bernoulli(keepVideo) ? (false, true) : (true, false)
  }
}

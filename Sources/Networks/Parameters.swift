package import ERIFormat

/// What every network of reaction intensities is for: its outputs and how many time steps it sees.
package struct ReactionParameters: Equatable, Sendable {
  /// Names of the intensities, in the dataset's order.
  package var labels = ["Adoration", "Amusement", "Anxiety", "Disgust", "Empathic-Pain", "Fear", "Surprise"]
  /// Frames, and rows of sound, per clip.
  package var steps = 32

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    guard (1...Limits.labels).contains(labels.count) else {
      throw FormatError(.invalid, at: "labels", "expected 1 to \(Limits.labels) labels, found \(labels.count)")
    }
    try record.integer("steps", &steps, in: 1...4_096)
  }
}

/// Frames to one vector each: ResNet18 up to layer3, then a transformer over the positions (Former-DFER's arrangement).
package struct SpatialParameters: Equatable, Sendable {
  package enum GELU: String, Sendable, CaseIterable {
    case exact
    case tanh
  }

  /// Height and width of a frame in pixels.
  package var imageSize = 112
  /// Channels of conv1 and layer1; layer2 has twice, layer3 four times as many.
  package var baseWidth = 64
  package var blocks = 4
  package var heads = 4
  package var feedForward = 512
  package var gelu = GELU.exact
  /// Whether the query, key and value projections have biases.
  package var attentionBias = true
  /// Whether a layer norm follows the last block.
  package var finalNorm = true
  /// Of training alone.
  package var dropout = 0.1

  package init() {}

  /// Channels of layer3, and so of the tokens.
  package var width: Int { 4 * baseWidth }

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.integer("spatial.image_size", &imageSize, in: 1...2_048)
    try record.integer("spatial.base_width", &baseWidth, in: 1...512)
    try record.integer("spatial.blocks", &blocks, in: 0...64)
    try record.integer("spatial.heads", &heads, in: 1...256)
    try record.integer("spatial.feed_forward", &feedForward, in: 1...16_384)
    try record.choice("spatial.gelu", &gelu)
    try record.flag("spatial.attention_bias", &attentionBias)
    try record.flag("spatial.final_norm", &finalNorm)
    try record.number("spatial.dropout", &dropout, in: 0...1)
    guard width % heads == 0 else {
      throw parameterError("spatial.heads", "expected a divisor of the width \(width), found \(heads)")
    }
  }
}

/// The backbone alone: the members that it shares with `SpatialParameters`, under the same names.
package struct StemParameters: Equatable, Sendable {
  /// Height and width of a face in pixels.
  package var imageSize = 112
  /// Channels of conv1 and layer1; layer2 has twice, layer3 four times as many.
  package var baseWidth = 64

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.integer("spatial.image_size", &imageSize, in: 1...2_048)
    try record.integer("spatial.base_width", &baseWidth, in: 1...512)
  }
}

/// A sequence to a sequence: TEMMA's temporal convolutions, then a transformer over the steps.
package struct TemporalParameters: Equatable, Sendable {
  package enum NormForm: String, Sendable, CaseIterable {
    /// Divided by √(variance + 1e-5).
    case standard
    /// Divided by the unbiased standard deviation + 1e-6.
    case temma
  }

  /// Residual blocks of convolutions; block i has dilation 2^i.
  package var levels = 5
  package var kernel = 3
  package var convolutionsPerBlock = 2
  package var width = 128
  /// Whether the convolutions' output is multiplied by √width before the positions are added.
  package var scaled = true
  /// Base of the positions' wavelengths: 1000 in TEMMA, 10000 in Vaswani et al.
  package var positionBase = 1_000
  package var blocks = 4
  package var heads = 4
  package var feedForward = 256
  package var normForm = NormForm.standard
  /// Steps before and after itself that a step sees; nil: all.
  package var band: Attention.Band?
  /// Of training alone.
  package var dropout = 0.2

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.integer("temporal.levels", &levels, in: 1...14)
    try record.integer("temporal.kernel", &kernel, in: 1...32)
    try record.integer("temporal.convolutions_per_block", &convolutionsPerBlock, in: 1...2)
    try record.integer("temporal.width", &width, in: 2...4_096)
    try record.flag("temporal.scaled", &scaled)
    try record.integer("temporal.position_base", &positionBase, in: 2...1_000_000)
    try record.integer("temporal.blocks", &blocks, in: 0...64)
    try record.integer("temporal.heads", &heads, in: 1...256)
    try record.integer("temporal.feed_forward", &feedForward, in: 1...16_384)
    try record.choice("temporal.norm_form", &normForm)
    var banded = band != nil
    var limits = band ?? Attention.Band(before: 50, after: 10)
    try record.flag("temporal.banded", &banded)
    try record.integer("temporal.band_before", &limits.before, in: 0...65_536)
    try record.integer("temporal.band_after", &limits.after, in: 0...65_536)
    band = banded ? limits : nil
    try record.number("temporal.dropout", &dropout, in: 0...1)
    guard width % heads == 0 else {
      throw parameterError("temporal.heads", "expected a divisor of the width \(width), found \(heads)")
    }
    guard width % 2 == 0 else {
      throw parameterError("temporal.width", "expected an even width (sine and cosine pairs), found \(width)")
    }
  }
}

/// Rows of sound: MFCC of several frames side by side.
package struct SoundParameters: Equatable, Sendable {
  package var coefficients = 128
  /// MFCC frames in one row.
  package var stack = 8

  package init() {}

  /// Numbers in one row.
  package var width: Int { coefficients * stack }

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.integer("sound.coefficients", &coefficients, in: 1...128)
    try record.integer("sound.stack", &stack, in: 1...256)
  }
}

/// The two branches' features to intensities.
package struct FusionParameters: Equatable, Sendable {
  package var width = 128
  /// Probability of keeping both modalities in training (the paper's p_m).
  package var keepBoth = 0.9
  /// Probability of keeping the video where one is dropped (the paper's p_v).
  package var keepVideo = 0.5

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.integer("fusion.width", &width, in: 1...4_096)
    try record.number("fusion.keep_both", &keepBoth, in: 0...1)
    try record.number("fusion.keep_video", &keepVideo, in: 0...1)
  }
}

/// The dual-branch network's widths and choices.
package struct DualBranchParameters: Equatable, Sendable {
  package var reaction = ReactionParameters()
  package var spatial = SpatialParameters()
  package var sound = SoundParameters()
  /// Of both branches.
  package var temporal = TemporalParameters()
  package var fusion = FusionParameters()

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try reaction.record(in: &record)
    try spatial.record(in: &record)
    try sound.record(in: &record)
    try temporal.record(in: &record)
    try fusion.record(in: &record)
  }
}

/// The video network's widths and choices.
package struct VideoBranchParameters: Equatable, Sendable {
  package var reaction = ReactionParameters()
  package var spatial = SpatialParameters()
  package var temporal = TemporalParameters()

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try reaction.record(in: &record)
    try spatial.record(in: &record)
    try temporal.record(in: &record)
  }
}

/// The audio network's widths and choices.
package struct AudioBranchParameters: Equatable, Sendable {
  package var reaction = ReactionParameters()
  package var sound = SoundParameters()
  package var temporal = TemporalParameters()

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try reaction.record(in: &record)
    try sound.record(in: &record)
    try temporal.record(in: &record)
  }
}

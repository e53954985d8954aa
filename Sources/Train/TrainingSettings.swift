package import ERIFormat
import ERINetworks

/// How one stage is trained: every choice that decides the weights, and the defaults of the published recipe.
package struct TrainingSettings: Equatable, Sendable {
  package enum Stage: String, CaseIterable, Sendable {
    case video
    case audio
    case fusion
  }

  package var stage: Stage
  package var optimizer = OptimizerSettings()
  package var learningRate = 1e-4
  /// Factor of the learning rate of the parameters below `video.backbone.`.
  package var backboneRate = 1.0
  package var freezesBackbone = false

  /// Samples of one update.
  package var batch = 64
  /// Samples that run at once; their gradients are added up to a batch. 0: a whole batch.
  package var microBatch = 0
  package var epochs = 100
  package var patience = 10
  package var factor = 0.5
  package var threshold = 1e-4
  package var minimumRate = 1e-6
  package var seed = 0

  /// Epochs without a better validation metric after which training ends; 0: never.
  package var earlyStopping = 0
  /// Weight of the past in a running average of the weights, which is then what is validated and shipped; 0: none.
  package var averaging = 0.0
  package var regularisation = Regularisation()

  /// Folds of a cross-validation, and which of them is left out, counted from 1; 0: the dataset's own splits.
  package var folds = 0
  package var fold = 0
  package var foldBy = FoldUnit.clip
  /// Clips of one fold's kind stay together.
  package enum FoldUnit: String, CaseIterable, Sendable {
    case clip
    case subject
  }

  /// SHA-256 of the files that the weights started from, separated by commas; empty: drawn from the seed.
  package var startedFrom = ""

  package init(_ stage: Stage) { self.stage = stage }

  /// Samples that run at once.
  package var samplesAtOnce: Int { microBatch > 0 ? min(microBatch, batch) : batch }

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.choice("stage", &stage)
    try record.integer("epochs", &epochs, in: 1...1_000_000)
    try record.integer("batch", &batch, in: 1...65_536)
    try record.integer("micro_batch", &microBatch, in: 0...65_536)
    try record.number("learning_rate", &learningRate, in: 0...1_000)
    try record.integer("patience", &patience, in: 0...1_000_000)
    try record.number("factor", &factor, in: 0...1)
    try record.number("threshold", &threshold, in: 0...1)
    try record.number("minimum_learning_rate", &minimumRate, in: 0...1_000)
    try record.integer("seed", &seed, in: 0...Int.max)
    try record.choice("optimizer", &optimizer.method)
    try record.number("beta1", &optimizer.beta1, in: 0...0.999_999)
    try record.number("beta2", &optimizer.beta2, in: 0...0.999_999_9)
    try record.number("epsilon", &optimizer.epsilon, in: 0...1)
    try record.number("momentum", &optimizer.momentum, in: 0...0.999_999)
    try record.number("weight_decay", &optimizer.weightDecay, in: 0...1_000)
    try record.number("clip", &optimizer.clip, in: 0...1e9)
    try record.number("backbone_learning_rate", &backboneRate, in: 0...1_000)
    try record.flag("freeze_backbone", &freezesBackbone)
    try record.integer("early_stopping", &earlyStopping, in: 0...1_000_000)
    try record.number("averaging", &averaging, in: 0...0.999_999)
    try regularisation.record(in: &record)
    try record.integer("folds", &folds, in: 0...10_000)
    try record.integer("fold", &fold, in: 0...10_000)
    try record.choice("fold_by", &foldBy)
    try record.text("started_from_sha256", &startedFrom)
  }
}

/// What keeps a network from learning a small dataset by heart; all off by default.
package struct Regularisation: Equatable, Sendable {
  /// Share of clips whose faces are mirrored, drawn per clip and epoch.
  package var flip = 0.0
  /// MFCC frames by which rows start later, drawn from 0 to this per clip and epoch.
  package var rowShift = 0
  /// Stretches of rows of sound that become the mean, and how long one is at most.
  package var timeMasks = 0
  package var timeMaskRows = 4
  /// Bands of MFCC coefficients that become the mean, and how wide one is at most.
  package var coefficientMasks = 0
  package var coefficientMaskWidth = 16
  /// Shape of the Beta distribution from which clips are mixed in pairs; 0: not mixed.
  package var mixup = 0.0
  /// Deviation of normal noise on the standardised sound.
  package var noise = 0.0
  /// Deviation of normal noise on the labels, which stay within 0…1.
  package var labelNoise = 0.0

  package init() {}

  mutating func record(in record: inout ParameterRecord) throws(FormatError) {
    try record.number("flip", &flip, in: 0...1)
    try record.integer("row_shift", &rowShift, in: 0...7)
    try record.integer("time_masks", &timeMasks, in: 0...64)
    try record.integer("time_mask_rows", &timeMaskRows, in: 1...4_096)
    try record.integer("coefficient_masks", &coefficientMasks, in: 0...64)
    try record.integer("coefficient_mask_width", &coefficientMaskWidth, in: 1...4_096)
    try record.number("mixup", &mixup, in: 0...4)
    try record.number("noise", &noise, in: 0...10)
    try record.number("label_noise", &labelNoise, in: 0...1)
  }
}

extension TrainingSettings {
  /// Every setting, in a stable order, as a file records it.
  /// - Throws: `FormatError` naming the first one out of range.
  package func parameters() throws(FormatError) -> [Parameter] {
    var record = ParameterRecord()
    var settings = self
    try settings.record(in: &record)
    return record.parameters
  }

  /// The settings that a file records.
  /// - Throws: `FormatError` naming the setting, if one is unknown, of another type or out of range.
  package init(recorded parameters: [Parameter]) throws(FormatError) {
    self.init(.audio)
    var record = ParameterRecord(setting: parameters)
    try self.record(in: &record)
    try record.finish(network: "a training run")
  }

  /// The first setting that differs, with both values; nil if none does. How many epochs there are decides none of them, so a run
  /// may be made longer.
  func difference(from other: TrainingSettings) throws(FormatError) -> (name: String, own: String, other: String)? {
    for (own, recorded) in zip(try parameters(), try other.parameters())
    where own.name != "epochs" && own.value != recorded.value {
      return (own.name, own.value.text, recorded.value.text)
    }
    return nil
  }
}

extension Parameter.Content {
  /// The value as messages show it.
  package var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): decimal(value)
    case .text(let value): value.isEmpty ? "none" : value
    case .flag(let value): value ? "true" : "false"
    }
  }
}

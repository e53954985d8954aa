import ArgumentParser
import ERIFormat
import ERINetworks
import ERITrain

/// What every stage of training can be told; each option is recorded in the file.
struct TrainOptions: ParsableArguments {
  @Option(help: "The cache that `eri prepare` made.") var data: String
  @Option(help: "A width or choice of the network as NAME=VALUE, as in init.") var set: [String] = []
  @Option(help: "Passes over the training split.") var epochs = 100
  @Option(help: "Clips of one update.") var batch = 64
  @Option(help: "Clips that run at once, their gradients added up to a batch. Default: a whole batch.") var microBatch:
    Int?
  @Option(name: .customLong("lr"), help: "The learning rate.") var learningRate = 1e-4
  @Option(help: "adam, adamw or sgd.") var optimizer = OptimizerMethod.adam
  @Option(help: "Decay of Adam's mean of gradients.") var beta1 = 0.9
  @Option(help: "Decay of Adam's mean of squared gradients.") var beta2 = 0.999
  @Option(help: "What Adam adds to the root of the latter.") var epsilon = 1e-8
  @Option(help: "Momentum of sgd.") var momentum = 0.9
  @Option(help: "Weight decay.") var weightDecay = 0.0
  @Option(help: "Largest norm of an update's gradients. Default: none.") var clip: Double?
  @Option(help: "Epochs without a better validation metric before the learning rate is lowered.") var patience = 10
  @Option(help: "What the learning rate is then multiplied by.") var factor = 0.5
  @Option(help: "Share of the best by which a better metric must exceed it.") var threshold = 1e-4
  @Option(name: .customLong("min-lr"), help: "The least learning rate.") var minimumRate = 1e-6
  @Option(help: "The seed of weights, order, dropout and augmentation.") var seed = 0
  @OptionGroup var threads: ThreadOptions

  @Option(help: "End after so many epochs without a better validation metric. Default: never.") var earlyStopping: Int?
  @Option(help: "Ship a running average of the weights in which the past weighs this, such as 0.99. Default: none.")
  var averaging: Double?
  @Flag(help: "Mirror the faces of half of the clips, drawn anew each epoch.") var flip = false
  @Option(help: "MFCC frames, at most 7, by which a clip's rows begin later, drawn anew each epoch.") var rowShift = 0
  @Option(help: "Stretches of sound to blank out per clip.") var timeMasks = 0
  @Option(help: "Longest of these, in rows.") var timeMaskRows = Regularisation().timeMaskRows
  @Option(help: "Bands of MFCC coefficients to blank out per clip.") var coefficientMasks = 0
  @Option(help: "Widest of these.") var coefficientMaskWidth = Regularisation().coefficientMaskWidth
  @Option(help: "Mix clips in pairs, with shares of the Beta distribution of this shape. Default: none.") var mixup:
    Double?
  @Option(help: "Deviation of noise on the standardised sound.") var noise = 0.0
  @Option(help: "Deviation of noise on the labels.") var labelNoise = 0.0

  @Option(help: "Cross-validate: divide train and validation split into so many folds, leave out each in turn.")
  var folds: Int?
  @Option(help: "What stays together in a fold: clip or subject.") var foldBy = TrainingSettings.FoldUnit.clip

  @Flag(help: "Go on from the checkpoint beside --out, with the same options.") var resume = false
  @Option(help: "Also write the checkpoint after so many updates of an epoch.") var checkpointSteps: Int?
  @Option(help: "Also write the checkpoint after so many minutes of an epoch.") var checkpointMinutes: Double?
  @Option(help: "A file for one JSON object per epoch.") var log: String?
  @Option(help: "A file for the learning curve as SVG.") var curve: String?

  func validate() throws {
    for text in set where Network.parameter(text) == nil {
      throw ValidationError("--set: expected NAME=VALUE, found \"\(text)\"")
    }
    if let folds, folds < 2 { throw ValidationError("--folds: expected at least 2, found \(folds)") }
    if let microBatch, microBatch < 1 {
      throw ValidationError("--micro-batch: expected at least 1, found \(microBatch)")
    }
    if let checkpointSteps, checkpointSteps < 1 {
      throw ValidationError("--checkpoint-steps: expected at least 1, found \(checkpointSteps)")
    }
    if let checkpointMinutes, !(checkpointMinutes > 0) {
      throw ValidationError("--checkpoint-minutes: expected more than 0, found \(checkpointMinutes)")
    }
    do { _ = try settings(.audio).parameters() } catch { throw ValidationError("\(error)") }
  }

  /// The options as a stage's settings.
  func settings(_ stage: TrainingSettings.Stage) -> TrainingSettings {
    var settings = TrainingSettings(stage)
    settings.epochs = epochs
    settings.batch = batch
    settings.microBatch = microBatch ?? 0
    settings.learningRate = learningRate
    settings.optimizer.method = optimizer
    settings.optimizer.beta1 = beta1
    settings.optimizer.beta2 = beta2
    settings.optimizer.epsilon = epsilon
    settings.optimizer.momentum = momentum
    settings.optimizer.weightDecay = weightDecay
    settings.optimizer.clip = clip ?? 0
    settings.patience = patience
    settings.factor = factor
    settings.threshold = threshold
    settings.minimumRate = minimumRate
    settings.seed = seed
    settings.earlyStopping = earlyStopping ?? 0
    settings.averaging = averaging ?? 0
    settings.regularisation.flip = flip ? 0.5 : 0
    settings.regularisation.rowShift = rowShift
    settings.regularisation.timeMasks = timeMasks
    settings.regularisation.timeMaskRows = timeMaskRows
    settings.regularisation.coefficientMasks = coefficientMasks
    settings.regularisation.coefficientMaskWidth = coefficientMaskWidth
    settings.regularisation.mixup = mixup ?? 0
    settings.regularisation.noise = noise
    settings.regularisation.labelNoise = labelNoise
    settings.folds = folds ?? 0
    settings.foldBy = foldBy
    return settings
  }

  /// The words of `--set`.
  var networkSettings: [Parameter] { self.set.compactMap { Network.parameter($0) } }
}

extension OptimizerMethod: ExpressibleByArgument {}
extension TrainingSettings.FoldUnit: ExpressibleByArgument {}

/// "a.eri" and "-fold1" to "a-fold1.eri": a name of its own for each of several runs.
func suffixed(_ path: String, _ suffix: String) -> String {
  guard !suffix.isEmpty, let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return path + suffix }
  return path[..<dot] + suffix + path[dot...]
}

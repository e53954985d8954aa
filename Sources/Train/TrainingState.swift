/// What an epoch brought.
package struct EpochRecord: Equatable, Sendable {
  /// Counted from 1.
  package let epoch: Int
  /// Mean squared error over the epoch's updates, as it was trained on: with dropout and augmentation.
  package let loss: Double
  /// Mean correlation of the training outputs of the epoch, with dropout and augmentation.
  package let trainingPearson: Double
  package let validationLoss: Double
  package let validationPearson: Double
  /// The rate that the epoch was trained with.
  package let learningRate: Double
  /// The largest norm of an update's gradients before clipping.
  package let gradientNorm: Double

  static let columns = 6

  var numbers: [Double] { [loss, trainingPearson, validationLoss, validationPearson, learningRate, gradientNorm] }

  init(
    epoch: Int, loss: Double, trainingPearson: Double, validationLoss: Double, validationPearson: Double,
    learningRate: Double, gradientNorm: Double
  ) {
    self.epoch = epoch
    self.loss = loss
    self.trainingPearson = trainingPearson
    self.validationLoss = validationLoss
    self.validationPearson = validationPearson
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
  }

  init?(epoch: Int, numbers: [Double]) {
    guard numbers.count == EpochRecord.columns else { return nil }
    self.init(
      epoch: epoch, loss: numbers[0], trainingPearson: numbers[1], validationLoss: numbers[2],
      validationPearson: numbers[3], learningRate: numbers[4], gradientNorm: numbers[5])
  }
}

/// What an epoch took: no part of what a run's result depends on.
package struct EpochTime: Equatable, Sendable {
  /// Of the whole epoch, validation and writing included.
  package var seconds = 0.0
  /// Of the updates.
  package var trainingSeconds = 0.0
  /// Trained on in those.
  package var samples = 0.0

  package var samplesPerSecond: Double { trainingSeconds > 0 ? samples / trainingSeconds : 0 }
}

/// The best epoch so far.
package struct BestEpoch: Equatable, Sendable {
  package var epoch: Int
  package var pearson: Double
}

/// Where a run stands beside its weights: what a checkpoint holds.
struct TrainingState {
  /// Finished epochs.
  var epoch = 0
  /// Finished updates of the epoch in progress.
  var step = 0
  var schedule: PlateauSchedule
  var best: BestEpoch?
  var history: [EpochRecord] = []
  var times: [EpochTime] = []

  /// Of the epoch in progress.
  var squares = 0.0
  var gradientNorm = 0.0
  var predictions: [Float] = []
  var targets: [Float] = []
  var time = EpochTime()

  init(_ settings: TrainingSettings) {
    schedule = PlateauSchedule(
      learningRate: settings.learningRate, factor: settings.factor, patience: settings.patience,
      threshold: settings.threshold, minimum: settings.minimumRate)
  }

  /// Whether nothing is left to do.
  func isFinished(_ settings: TrainingSettings) -> Bool {
    if epoch >= settings.epochs { return true }
    guard settings.earlyStopping > 0, let best, step == 0 else { return false }
    return epoch - best.epoch >= settings.earlyStopping
  }

  /// Begins the next epoch.
  mutating func beginEpoch() {
    epoch += 1
    step = 0
    squares = 0
    gradientNorm = 0
    predictions = []
    targets = []
    time = EpochTime()
  }
}

/// Lowers the learning rate when a metric has not improved for some epochs.
///
/// As torch.optim.lr_scheduler.ReduceLROnPlateau does with mode "max", threshold_mode "rel", cooldown 0 and eps 1e-8.
package struct PlateauSchedule: Equatable, Sendable {
  package var factor: Double
  /// Epochs without improvement that are borne; the one after them lowers the rate.
  package var patience: Int
  /// By how much of the best a better value must exceed it.
  package var threshold: Double
  package var minimum: Double

  package var learningRate: Double
  package var best = -Double.infinity
  package var badEpochs = 0

  package init(
    learningRate: Double, factor: Double = 0.5, patience: Int = 10, threshold: Double = 1e-4, minimum: Double = 1e-6
  ) {
    self.learningRate = learningRate
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.minimum = minimum
  }

  /// Takes in an epoch's metric; one that is no number is no improvement.
  /// - Returns: whether the learning rate was lowered.
  @discardableResult
  package mutating func update(_ metric: Double) -> Bool {
    if metric > best * (1 + threshold) {
      best = metric
      badEpochs = 0
    } else {
      badEpochs += 1
    }
    guard badEpochs > patience else { return false }
    badEpochs = 0
    let lowered = max(learningRate * factor, minimum)
    guard learningRate - lowered > 1e-8 else { return false }
    learningRate = lowered
    return true
  }
}

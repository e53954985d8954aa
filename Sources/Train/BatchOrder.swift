import ERIFormat

/// Which samples each update of an epoch takes: a function of the seed and the epoch alone, so that a run can go on anywhere.
struct BatchOrder {
  /// Positions in the list of training samples.
  let positions: [Int]
  let batch: Int

  init(count: Int, batch: Int, seed: UInt64, epoch: Int) {
    var random = SeededRandom(seed: seed, stream: "epoch \(epoch)")
    var positions = Array(0..<count)
    random.shuffle(&positions)
    self.positions = positions
    self.batch = batch
  }

  /// Updates of an epoch; the last one takes what is left.
  var stepCount: Int { (positions.count + batch - 1) / batch }

  /// Places in `positions` of one update.
  func range(of step: Int) -> Range<Int> {
    step * batch..<min((step + 1) * batch, positions.count)
  }

  /// What seeds the dropout of a part of an update.
  static func dropoutKey(seed: UInt64, epoch: Int, step: Int, part: Int) -> UInt64 {
    var random = SeededRandom(seed: seed, stream: "dropout \(epoch) \(step) \(part)")
    return random.nextUInt64()
  }
}

import ERITrain
import Testing

/// What torch.optim.lr_scheduler.ReduceLROnPlateau(mode="max", factor=0.5, patience=2, threshold=1e-4) does, worked out by hand.
@Suite("Plateau schedule") struct ScheduleTests {
  private func rates(_ metrics: [Double], minimum: Double = 1e-6) -> [Double] {
    var schedule = PlateauSchedule(learningRate: 0.1, patience: 2, minimum: minimum)
    return metrics.map { metric in
      schedule.update(metric)
      return schedule.learningRate
    }
  }

  @Test func `the epoch after the patience lowers the rate`() {
    #expect(rates([0.3, 0.2, 0.2, 0.2, 0.2]) == [0.1, 0.1, 0.1, 0.05, 0.05])
  }

  @Test func `counting starts again after the rate was lowered`() {
    #expect(rates([0.3, 0, 0, 0, 0, 0, 0]) == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025])
  }

  @Test func `a better epoch starts counting again`() {
    #expect(rates([0.3, 0.2, 0.2, 0.4, 0.3, 0.3, 0.3]) == [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05])
  }

  @Test func `a gain within the threshold is none`() {
    #expect(rates([0.5, 0.50004, 0.50004, 0.50004]).last == 0.05)
    #expect(rates([0.5, 0.50006, 0.5, 0.5]).last == 0.1)
  }

  @Test func `of a negative best the threshold lies below it, as in torch`() {
    // -0.5 · 1.0001 = -0.50005: an equal value is better.
    #expect(rates([-0.5, -0.5, -0.5, -0.5]).last == 0.1)
  }

  @Test func `a metric that is no number is no improvement`() {
    #expect(rates([0.3, .nan, .nan, .nan]).last == 0.05)
  }

  @Test func `the rate stops at the minimum`() {
    #expect(rates([0.3] + [Double](repeating: 0, count: 9), minimum: 0.04).last == 0.04)
  }

  @Test func `the published patience of 10 bears ten epochs`() {
    var schedule = PlateauSchedule(learningRate: 1e-4)
    schedule.update(0.4)
    for _ in 0..<10 { #expect(schedule.update(0.4) == false) }
    let lowered = schedule.update(0.4)
    #expect(lowered)
    #expect(schedule.learningRate == 5e-5)
  }
}

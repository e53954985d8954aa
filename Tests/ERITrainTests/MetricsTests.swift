import ERIFormat
import ERITestSupport
import ERITrain
import Testing

@Suite("Metrics") struct MetricsTests {
  @Test func `correlation, concordance and error of values worked out by hand`() {
    // x 1 2 3 4, y 2 4 5 9: means 2.5 and 5, Σxy' = 11, Σx'² = 5, Σy'² = 26.
    let score = Score(predictions: [1, 2, 3, 4], truth: [2, 4, 5, 9], labels: ["a"])
    #expect(abs(score.labels[0].pearson - 11 / (130.0).squareRoot()) < 1e-14)
    #expect(abs(score.labels[0].concordance - 2 * 2.75 / (1.25 + 6.5 + 6.25)) < 1e-14)
    #expect(score.labels[0].meanSquaredError == 8.5)
    #expect(score.count == 4)
  }

  @Test func `labels are columns`() {
    let score = Score(predictions: [1, 3, 2, 2, 3, 1], truth: [1, 1, 2, 2, 3, 3], labels: ["up", "down"])
    #expect(abs(score.labels[0].pearson - 1) < 1e-14)
    #expect(abs(score.labels[1].pearson + 1) < 1e-14)
    #expect(abs(score.meanPearson) < 1e-14)
    #expect(score.labels.map(\.label) == ["up", "down"])
  }

  @Test func `a constant label is no number, counts as 0 and is told`() {
    let score = Score(
      predictions: [0.1, 1, 0.2, 2, 0.3, 3], truth: [0.1, 1, 0.1, 2, 0.1, 3], labels: ["Fear", "Joy"])
    #expect(score.labels[0].pearson.isNaN)
    #expect(score.labels[0].isConstantTruth)
    #expect(abs(score.meanPearson - 0.5) < 1e-14)
    #expect(score.warnings == ["Fear: the label is the same in all 3 samples; its correlation counts as 0"])
  }

  @Test func `a constant prediction is told as such`() {
    let score = Score(predictions: [0.1, 0.1, 0.1], truth: [0, 0.5, 1], labels: ["Joy"])
    #expect(score.labels[0].pearson.isNaN)
    #expect(score.labels[0].concordance == 0)
    #expect(score.warnings == ["Joy: the prediction is the same in all 3 samples; its correlation counts as 0"])
  }

  @Test func `a large mean costs no precision`() {
    let x = SeededRandom.deviates(1_000, seed: 3, stream: "x")
    let near = Score(predictions: x, truth: x.map { 0.5 * $0 + 1_024 }, labels: ["a"])
    let truth = x.map { 0.5 * $0 + 1_024 }
    #expect(abs(near.labels[0].pearson - slowPearson(x, truth)) < 1e-12)
  }

  @Test func `correlations are those of a slow reference`() {
    let x = SeededRandom.deviates(600, seed: 1, stream: "x")
    let noise = SeededRandom.deviates(600, seed: 1, stream: "noise")
    let y = zip(x, noise).map { $0 + 2 * $1 }
    let score = Score(predictions: x, truth: y, labels: ["a", "b", "c"])
    for label in 0..<3 {
      let column = stride(from: label, to: 600, by: 3)
      #expect(abs(score.labels[label].pearson - slowPearson(column.map { x[$0] }, column.map { y[$0] })) < 1e-12)
    }
  }

  @Test func `no samples give no number and a mean of 0`() {
    let score = Score(predictions: [], truth: [], labels: ["a"])
    #expect(score.labels[0].pearson.isNaN)
    #expect(score.meanPearson == 0)
  }

  @Test func `an interval holds the value and narrows with more samples`() {
    func interval(_ count: Int) -> ScoreInterval {
      let x = SeededRandom.deviates(count, seed: 1, stream: "x")
      let noise = SeededRandom.deviates(count, seed: 1, stream: "noise")
      return ScoreIntervals(predictions: x, truth: zip(x, noise).map { $0 + $1 }, labels: 1).meanPearson
    }
    let (few, many) = (interval(50), interval(2_000))
    for interval in [few, many] { #expect(interval.low < 0.7071 && 0.7071 < interval.high) }
    // Fisher: the deviation of r is about (1 - r²) / √n, so 95 % are about 4 · 0.5 / √n wide.
    #expect(abs((many.high - many.low) - 2 / (2_000.0).squareRoot()) < 0.3 * 2 / (2_000.0).squareRoot())
    #expect(few.high - few.low > 3 * (many.high - many.low))
  }

  @Test func `the same seed draws the same interval`() {
    let x = SeededRandom.deviates(40, seed: 1, stream: "x")
    let y = SeededRandom.deviates(40, seed: 1, stream: "y")
    let intervals = [0, 0, 1].map { ScoreIntervals(predictions: x, truth: y, labels: 2, draws: 100, seed: $0) }
    #expect(intervals[0] == intervals[1])
    #expect(intervals[0] != intervals[2])
  }

  private func slowPearson(_ x: [Float], _ y: [Float]) -> Double {
    var sum = 0.0
    var (squareX, squareY) = (0.0, 0.0)
    // Over all pairs of samples: no mean is taken at all.
    for i in x.indices {
      for j in x.indices {
        let (dx, dy) = (Double(x[i]) - Double(x[j]), Double(y[i]) - Double(y[j]))
        sum += dx * dy
        squareX += dx * dx
        squareY += dy * dy
      }
    }
    return sum / (squareX * squareY).squareRoot()
  }
}

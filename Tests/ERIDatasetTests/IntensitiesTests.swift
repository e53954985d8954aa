import ERIFormat
import Testing

@testable import ERIDataset

@Suite struct IntensitiesTests {
  private static let drawn: [Intensities] = (0..<20_000).map { i in
    var random = SeededRandom(seed: UInt64(i), stream: "labels")
    return Intensities(random: &random)
  }

  @Test func `labels stand in the data set's order`() {
    #expect(
      Emotion.allCases.map(\.name) == [
        "Adoration", "Amusement", "Anxiety", "Disgust", "Empathic-Pain", "Fear", "Surprise",
      ])
  }

  // Bounds of five standard errors for 20,000 draws.
  @Test(arguments: Emotion.allCases)
  func `a label is 0 with probability 0.6 and else has the mean of Beta(1.5, 1.2)`(emotion: Emotion) {
    let values = Self.drawn.map { $0[emotion] }
    let active = values.filter { $0 > 0 }
    let silent = Double(values.count - active.count) / Double(values.count)
    let mean = active.reduce(0, +) / Double(active.count)
    #expect(abs(silent - 0.6) < 0.0174)
    #expect(abs(mean - 1.5 / 2.7) < 0.0145)
    #expect(values.allSatisfy { $0 >= 0 && $0 <= 1 })
  }

  @Test func `no label can be told from another`() {
    let count = Double(Self.drawn.count)
    for a in Emotion.allCases {
      for b in Emotion.allCases where a.rawValue < b.rawValue {
        let x = Self.drawn.map { $0[a] }
        let y = Self.drawn.map { $0[b] }
        let meanX = x.reduce(0, +) / count
        let meanY = y.reduce(0, +) / count
        let product = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
        let squareX = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
        let squareY = y.reduce(0) { $0 + ($1 - meanY) * ($1 - meanY) }
        // Five standard errors of a correlation of 0.
        let correlation = product / (squareX * squareY).squareRoot()
        #expect(abs(correlation) < 0.0354, "\(a) and \(b)")
      }
    }
  }

  @Test func `a clip's labels are the same whatever other clips are made`() throws {
    let synthesizer = try Synthesizer(seed: 9)
    let backwards = (0..<5).reversed().map { synthesizer.clip($0).labels }
    #expect(backwards.reversed() == (0..<5).map { synthesizer.clip($0).labels })
  }
}

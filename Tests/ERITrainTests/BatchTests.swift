import ERIFormat
import ERITestSupport
import Testing

@testable import ERITrain

@Suite("Batches") struct BatchTests {
  @Test func `an epoch takes every sample once and keeps what is left for the last batch`() {
    let order = BatchOrder(count: 29, batch: 8, seed: 3, epoch: 0)
    #expect(order.positions.sorted() == Array(0..<29))
    #expect((0..<order.stepCount).map { order.range(of: $0).count } == [8, 8, 8, 5])
  }

  @Test func `the order depends on the seed and the epoch alone`() {
    func positions(_ seed: UInt64, _ epoch: Int) -> [Int] {
      BatchOrder(count: 29, batch: 8, seed: seed, epoch: epoch).positions
    }
    #expect(positions(3, 1) == positions(3, 1))
    #expect(positions(3, 1) != positions(3, 2))
    #expect(positions(3, 1) != positions(4, 1))
  }

  @Test func `modalities are dropped as often as the paper has it`() {
    let dropout = ModalityDropout(keepBoth: 0.9, keepVideo: 0.5)
    var random = SeededRandom(seed: 0, stream: "dropout")
    var counts = [0, 0, 0]
    for _ in 0..<20_000 {
      switch dropout.draw(from: &random) {
      case (true, true): counts[0] += 1
      case (false, true): counts[1] += 1
      case (true, false): counts[2] += 1
      case (false, false): Issue.record("both were dropped")
      }
    }
    for (count, share) in zip(counts, [0.9, 0.05, 0.05]) {
      let deviation = (20_000 * share * (1 - share)).squareRoot()
      #expect(abs(Double(count) - 20_000 * share) < 4 * deviation)
    }
  }

  @Test func `a mask blanks out whole rows, or a band of every frame in them`() {
    var audio = AudioPreprocessing()
    (audio.stack, audio.coefficientCount) = (2, 3)
    let layout = SoundLayout(audio)
    func masked(_ mask: SoundMask) -> [Float] {
      var values = [Float](repeating: 1, count: 4 * 6)
      values.withUnsafeMutableBufferPointer { mask.apply(to: $0, layout) }
      return values
    }
    #expect(masked(.time(start: 0.99, rows: 2)) == [Float](repeating: 1, count: 12) + [Float](repeating: 0, count: 12))
    let frame: [Float] = [1, 0, 0]
    #expect(masked(.coefficients(start: 1, width: 2)) == (0..<8).flatMap { _ in frame })
  }

  @Test func `masks stay within what was asked for`() {
    var settings = Regularisation()
    (settings.timeMasks, settings.coefficientMasks, settings.coefficientMaskWidth) = (3, 2, 200)
    var random = SeededRandom(seed: 0, stream: "masks")
    let layout = SoundLayout(AudioPreprocessing())
    for _ in 0..<200 {
      let masks = SoundMask.draw(settings, layout, from: &random)
      #expect(masks.count == 5)
      for mask in masks {
        switch mask {
        case .time(let start, let rows): #expect(start < 1 && rows <= settings.timeMaskRows)
        case .coefficients(let start, let width): #expect(start >= 0 && start + width <= 128)
        }
      }
    }
  }

  @Test func `settings are read back as they were recorded`() throws {
    var settings = TrainingSettings(.video)
    settings.optimizer.method = .adamw
    settings.regularisation.mixup = 0.2
    settings.foldBy = .subject
    settings.startedFrom = "abc"
    #expect(try TrainingSettings(recorded: settings.parameters()) == settings)
  }

  @Test func `a setting out of range is named`() {
    var settings = TrainingSettings(.audio)
    settings.factor = 2
    let error = #expect(throws: FormatError.self) { try settings.parameters() }
    #expect(error?.description == "parameter factor: expected 0.0 to 1.0, found 2.0")
  }

  @Test func `folds have every sample once and differ by one at most`() throws {
    let samples = PlantedSamples(count: 23).samples
    let parts = try Folds.parts(5, of: Array(0..<23), in: samples, by: .clip, seed: 0)
    #expect(parts.flatMap { $0 }.sorted() == Array(0..<23))
    #expect(parts.map(\.count).sorted() == [4, 4, 5, 5, 5])
  }

  @Test func `a subject's clips stay in one fold`() throws {
    let samples = PlantedSamples(count: 40, subjects: 9).samples
    let parts = try Folds.parts(3, of: Array(0..<40), in: samples, by: .subject, seed: 0)
    for subject in 0..<9 {
      #expect(parts.count { part in part.contains { samples[$0].subject == "subject \(subject)" } } == 1)
    }
  }

  @Test func `folds by subject need subjects, and enough of them`() {
    var error = #expect(throws: TrainError.self) {
      try Folds.parts(2, of: [0, 1], in: PlantedSamples(count: 2).samples, by: .subject, seed: 0)
    }
    #expect(
      error?.sentence
        == "clip clip 0: expected a subject to keep its clips in one fold, found none; use --fold-by clip")
    error = #expect(throws: TrainError.self) {
      try Folds.parts(5, of: [0, 1, 2], in: PlantedSamples(count: 3, subjects: 2).samples, by: .subject, seed: 0)
    }
    #expect(error?.sentence == "--folds: expected at most 2, one subject each, found 5")
  }

  @Test func `a learning curve draws each epoch of each series`() {
    let history = (1...4).map { epoch in
      EpochRecord(
        epoch: epoch, loss: 0.1 / Double(epoch), trainingPearson: 0.1 * Double(epoch), validationLoss: 0.1,
        validationPearson: 0.05 * Double(epoch), learningRate: 1e-4, gradientNorm: 1)
    }
    let svg = LearningCurve(title: "a & b", history: history).svg
    let lines = svg.matches(of: /points="([^"]*)"/)
    #expect(lines.count == 4)
    #expect(lines.allSatisfy { $0.1.split(separator: " ").count == 4 })
    #expect(svg.contains("<title>a &amp; b</title>"))
  }
}

import ERIFormat
import ERISignal
import ERITestSupport
import Testing

@testable import ERIDataset

@Suite struct ClipInputsTests {
  private let mfcc: [Float]
  private var audio = AudioPreprocessing()

  init() {
    var random = SeededRandom(seed: 1, stream: "mfcc")
    mfcc = (0..<(21 * 6)).map { _ in Float(40 * random.normal() - 300) }
    (audio.coefficientCount, audio.steps) = (6, 4)
    audio.mean = (0..<6).map { Float($0) - 300 }
    audio.deviation = (0..<6).map { Float($0) + 3 }
  }

  @Test func `rows are those of the signal library, standardised by the model's statistics`() throws {
    let inputs = try ClipInputs(Preprocessing(audio: audio), of: "model.eri")
    var expected = try AudioRows.make(mfcc: mfcc, coefficients: 6, steps: 4, selection: .uniform)
    try CoefficientStandardisation(mean: audio.mean, deviation: audio.deviation).apply(&expected)
    #expect(try inputs.rows(mfcc) == expected)
  }

  @Test func `an offset leaves out frames at the start, as far as a row is left`() throws {
    let inputs = try ClipInputs(Preprocessing(audio: audio), of: "model.eri")
    #expect(try inputs.rows(mfcc, offset: 3) == inputs.rows(Array(mfcc.dropFirst(18))))
    let short = Array(mfcc.prefix(10 * 6))
    #expect(try inputs.rows(short, offset: 7) == inputs.rows(Array(short.dropFirst(12))))
    let tiny = Array(mfcc.prefix(3 * 6))
    #expect(try inputs.rows(tiny, offset: 7) == inputs.rows(tiny))
  }

  @Test func `faces are normalised per colour, and flipped from left to right where asked`() throws {
    var video = VideoPreprocessing()
    (video.steps, video.height, video.width) = (1, 2, 2)
    let inputs = try ClipInputs(Preprocessing(video: video), of: "model.eri")
    let crop: [UInt8] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]
    let mirrored: [UInt8] = [40, 50, 60, 10, 20, 30, 100, 110, 120, 70, 80, 90]
    let normalisation = try PixelNormalisation(mean: video.mean, deviation: video.deviation)
    #expect(try inputs.faces(crop) == normalisation.apply(crop, count: 1, height: 2, width: 2))
    #expect(try inputs.faces(crop, flipped: true) == inputs.faces(mirrored))
  }

  @Test func `preprocessing that is not done here is refused with the model's name`() throws {
    var other = audio
    other.stack = 4
    let rows = #expect(throws: DatasetError.self) { try ClipInputs(Preprocessing(audio: other), of: "m.eri") }
    #expect(rows?.sentence == "m.eri: preprocessing: expected rows of 8 MFCC frames, found 4; choose another model")
    other = audio
    other.sampleRate = 16_000
    let rate = #expect(throws: DatasetError.self) { try ClipInputs(Preprocessing(audio: other), of: "m.eri") }
    #expect(
      rate?.sentence == "m.eri: preprocessing: expected a sample rate of 22050 Hz, found 16000; choose another model")
    var video = VideoPreprocessing()
    video.width = 100
    let crops = #expect(throws: DatasetError.self) { try ClipInputs(Preprocessing(video: video), of: "m.eri") }
    #expect(
      crops?.sentence
        == "m.eri: preprocessing: expected square face crops of equal width and height, found 100 x 112; choose another model"
    )
  }
}

@Suite struct CoefficientStatisticsTests {
  @Test func `mean and deviation are those of all frames together`() throws {
    var random = SeededRandom(seed: 2, stream: "frames")
    // A mean far from 0 beside a small deviation, as the first coefficient has it.
    let clips = [7, 1, 30, 12].map { frames in (0..<frames * 2).map { _ in Float(-500 + random.normal()) } }
    var statistics = CoefficientStatistics(coefficients: 2)
    for clip in clips { statistics.add(clip) }
    let all = clips.joined().map { Double($0) }
    for coefficient in 0..<2 {
      let values = all.indices.filter { $0 % 2 == coefficient }.map { all[$0] }
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
      #expect(abs(Double(statistics.mean[coefficient]) - mean) <= Tolerance.unit * abs(mean))
      #expect(abs(Double(statistics.deviation[coefficient]) - deviation) <= Tolerance.unit * deviation)
    }
    #expect(statistics.frames == 50)
    #expect(statistics.note == nil)
  }

  @Test func `a coefficient that never changes has deviation 1 and is named`() throws {
    var statistics = CoefficientStatistics(coefficients: 2)
    statistics.add([0.1, 1, 0.1, 2, 0.1, 3])
    statistics.add([0.1, 4, 0.1, 5])
    #expect(statistics.deviation[0] == 1)
    #expect(statistics.constantCoefficients == [0])
    #expect(
      statistics.note
        == "1 of 2 MFCC coefficients are the same in all 5 frames (0): their deviation is taken as 1")
    var audio = AudioPreprocessing()
    statistics.store(in: &audio)
    #expect(audio.statisticsTrained)
    #expect(audio.mean == [0.1, 3])
  }
}

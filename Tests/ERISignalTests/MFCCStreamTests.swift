import Testing

@testable import ERISignal

@Suite struct MFCCStreamTests {
  private let samples = synthesisedClip()

  private func stream(_ mfcc: MFCC, _ samples: [Float], pieces: [Int], keeping limit: Int = 1000) throws -> MFCCStream {
    var stream = MFCCStream(mfcc, keeping: limit)
    var (start, turn) = (0, 0)
    while start < samples.count {
      let end = min(start + pieces[turn % pieces.count], samples.count)
      try stream.append(Array(samples[start..<end]))
      (start, turn) = (end, turn + 1)
    }
    return stream
  }

  @Test(arguments: [[4096], [1, 700, 3], [33_075], [512], [0, 2048]])
  func `all frames together are the clip's, bit for bit, in whatever pieces it comes`(pieces: [Int]) throws {
    let mfcc = try MFCC()
    var stream = try stream(mfcc, samples, pieces: pieces)
    stream.finish()
    #expect(stream.frameCount == mfcc.frameCount(samples: samples.count))
    #expect(try stream.coefficients(count: stream.frameCount) == mfcc.compute(samples))
  }

  @Test(arguments: [(0, 0), (1023, 0), (1024, 1), (1535, 1), (1536, 2), (33_075, 63)])
  func `a frame is there once all its samples are`(count: Int, frames: Int) throws {
    #expect(try stream(MFCC(), Array(samples.prefix(count)), pieces: [400]).frameCount == frames)
  }

  @Test func `quiet bands are cut relative to the loudest of the frames that are asked for`() throws {
    // A loud second, then one 60 dB quieter: within the quiet one alone nothing of the loud one is left.
    let loud = Array(samples[..<11_000])
    let quiet = loud.map { $0 / 1000 }
    var parameters = MFCC.Parameters()
    parameters.topDecibels = 40
    let mfcc = try MFCC(parameters)
    // Frames that lie wholly in the quiet second.
    let (first, count) = ((11_000 + 1024) / 512 + 1, 16)
    let end = (first + count - 1) * 512 + 1024
    let window = try stream(mfcc, Array((loud + quiet)[..<end]), pieces: [999]).coefficients(count: count)
    // Of the quiet second alone, the same frames are the last ones too.
    let alone = try stream(mfcc, Array((loud + quiet)[(first * 512 - 1024)..<end]), pieces: [999])
    #expect(window == alone.coefficients(count: count))
    let cut = try mfcc.compute(loud + quiet)
    #expect(window != Array(cut[first * 128..<(first + count) * 128]))
  }

  @Test func `only the latest frames are kept`() throws {
    let mfcc = try MFCC()
    let kept = try stream(mfcc, samples, pieces: [3000], keeping: 20)
    let all = try stream(mfcc, samples, pieces: [3000])
    #expect(kept.keptCount == 20)
    #expect(kept.frameCount == all.frameCount)
    #expect(kept.coefficients(count: 50) == all.coefficients(count: 20))
  }

  @Test func `an infinite sample is refused and changes nothing`() throws {
    var stream = MFCCStream(try MFCC(), keeping: 10)
    #expect(throws: SignalError.self) { try stream.append([0, .infinity]) }
    try stream.append([Float](repeating: 0, count: 1024))
    #expect(stream.frameCount == 1)
  }
}

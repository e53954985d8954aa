import Testing

@testable import ERISignal

@Suite struct AudioRowsTests {
  /// Frame f, coefficient c is 100 f + c: every element tells where it came from.
  private func frames(_ count: Int, coefficients: Int = 3) -> [Float] {
    (0..<count).flatMap { frame in (0..<coefficients).map { Float(100 * frame + $0) } }
  }

  @Test(arguments: [(1, 1), (7, 1), (8, 1), (15, 1), (16, 2), (427, 53), (431, 53), (517, 64), (646, 80)])
  func `a row is eight whole frames`(frames: Int, rows: Int) {
    #expect(AudioRows.count(frames: frames) == rows)
  }

  @Test func `a row holds its frames one after another`() throws {
    let mfcc = frames(19)
    let rows = try AudioRows.make(mfcc: mfcc, coefficients: 3, selection: .full)
    // Three frames at the end are left out.
    #expect(rows == Array(mfcc.prefix(16 * 3)))
  }

  @Test func `fewer than eight frames repeat the last one`() throws {
    let rows = try AudioRows.make(mfcc: frames(2), coefficients: 3, selection: .full)
    #expect(rows == [0, 1, 2] + (0..<7).flatMap { _ in [100, 101, 102] as [Float] })
  }

  @Test func `uniform rows follow the rule of the video frames`() throws {
    let mfcc = frames(427)
    let rows = try AudioRows.make(mfcc: mfcc, coefficients: 3)
    #expect(rows.count == 32 * 24)
    for (step, row) in try FrameSampling.indices(count: 53, steps: 32).enumerated() {
      #expect(rows[step * 24] == Float(100 * 8 * row))
      #expect(rows[step * 24 + 23] == Float(100 * (8 * row + 7) + 2))
    }
  }

  @Test func `segment means average equally long segments`() throws {
    // Four rows in two steps: rows 0 and 1, rows 2 and 3.
    let rows = try AudioRows.make(mfcc: frames(32), coefficients: 3, steps: 2, selection: .segmentMean)
    #expect(rows.count == 2 * 24)
    #expect(rows[0] == 400)
    #expect(rows[24] == 2000)
  }

  @Test func `segment means of fewer rows than steps repeat rows`() throws {
    let rows = try AudioRows.make(mfcc: frames(16), coefficients: 3, steps: 4, selection: .segmentMean)
    #expect(stride(from: 0, to: 96, by: 24).map { rows[$0] } == [0, 0, 800, 800])
  }

  @Test(
    "buffers that are not whole frames are refused",
    arguments: [(0, "0"), (4, "4")])
  func refusals(count: Int, found: String) {
    let mfcc = [Float](repeating: 0, count: count)
    let error = #expect(throws: SignalError.self) { try AudioRows.make(mfcc: mfcc, coefficients: 3) }
    #expect(
      error?.sentence
        == "audio rows, MFCC: expected a positive multiple of 3 values, found \(found); pass whole frames")
  }

  @Test func `no coefficients are refused`() {
    let error = #expect(throws: SignalError.self) { try AudioRows.make(mfcc: [Float(0)], coefficients: 0) }
    #expect(
      error?.sentence
        == "audio rows, coefficients per frame: expected 1 to 2147483647, found 0; correct the preprocessing metadata")
  }

  @Test func `sizes that cannot be addressed are refused`() {
    let error = #expect(throws: SignalError.self) {
      // 2³¹ − 1 steps of 2³⁰ · 8 would need 2⁶⁴ values.
      try elementCount(2_147_483_647, 8 << 30, place: "audio rows")
    }
    #expect(error?.kind == .tooLarge)
    #expect(error?.sentence == "audio rows: expected a size that can be addressed, found more; pass a shorter clip")
  }
}

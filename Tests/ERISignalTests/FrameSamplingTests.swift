import Testing

@testable import ERISignal

@Suite struct FrameSamplingTests {
  @Test func `50 frames in 32 steps`() throws {
    let indices = try FrameSampling.indices(count: 50, steps: 32)
    #expect(Array(indices.prefix(6)) == [0, 1, 3, 4, 6, 7])
  }

  @Test func `1561 frames in 32 steps`() throws {
    let indices = try FrameSampling.indices(count: 1561, steps: 32)
    #expect(Array(indices.prefix(6)) == [0, 50, 100, 150, 201, 251])
  }

  @Test(arguments: [1, 2, 31, 32, 33, 100, 1561, 2_147_483_647])
  func `both ends are included and the order is kept`(count: Int) throws {
    let indices = try FrameSampling.indices(count: count, steps: 32)
    #expect(indices.count == 32)
    #expect(indices.first == 0)
    #expect(indices.last == count - 1)
    #expect(zip(indices, indices.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func `as many steps as frames take every frame`() throws {
    #expect(try FrameSampling.indices(count: 32, steps: 32) == Array(0..<32))
  }

  @Test func `fewer frames than steps repeat`() throws {
    #expect(try FrameSampling.indices(count: 3, steps: 7) == [0, 0, 0, 1, 1, 1, 2])
  }

  @Test func `one step takes the first frame`() throws {
    #expect(try FrameSampling.indices(count: 9, steps: 1) == [0])
  }

  @Test(
    "counts outside their range are refused",
    arguments: [
      (0, 32, "frame count: expected 1 to 2147483647, found 0"),
      (-1, 32, "frame count: expected 1 to 2147483647, found -1"),
      (Int.max, 32, "frame count: expected 1 to 2147483647, found \(Int.max)"),
      (5, 0, "step count: expected 1 to 2147483647, found 0"),
    ])
  func refusals(count: Int, steps: Int, message: String) {
    let error = #expect(throws: SignalError.self) { try FrameSampling.indices(count: count, steps: steps) }
    #expect(error?.sentence == "frame sampling, \(message); correct the preprocessing metadata")
  }
}

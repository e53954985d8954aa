import Testing

@testable import ERIFormat

@Suite struct SeededRandomTests {
  private let count = 200_000

  private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance)
  }

  // Worked out apart from this code, from the published definitions of splitmix64 and xoshiro256**.
  @Test func `the first numbers of seed 0 and 42 are xoshiro256** seeded by splitmix64`() {
    var zero = SeededRandom(seed: 0)
    #expect((0..<3).map { _ in zero.nextUInt64() } == [0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0])
    var fortyTwo = SeededRandom(seed: 42)
    #expect((0..<3).map { _ in fortyTwo.nextUInt64() } == [0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1])
  }

  @Test func `a named stream's numbers never change`() {
    var random = SeededRandom(seed: 1, stream: "conv1.weight")
    #expect((0..<3).map { _ in random.nextUInt64() } == [0xccdd520f303a4f6f, 0x47321e5656ec32ca, 0x0beb916ed8ffdc55])
  }

  @Test func `streams differ by name and by seed`() {
    var firsts = Set<UInt64>()
    for seed in 0..<100 as Range<UInt64> {
      for name in ["", "a", "b", "ab", "ba"] {
        var random = SeededRandom(seed: seed, stream: name)
        firsts.insert(random.nextUInt64())
      }
    }
    #expect(firsts.count == 500)
  }

  // Bounds are five standard errors of the mean and of the variance for 200,000 draws.
  @Test func `uniform numbers have mean 1/2 and variance 1/12`() {
    var random = SeededRandom(seed: 3)
    let values = (0..<count).map { _ in random.uniform() }
    let (mean, variance) = moments(values)
    #expect(abs(mean - 0.5) < 0.0033)
    #expect(abs(variance - 1.0 / 12) < 0.00084)
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
  }

  @Test func `normal numbers have mean 0, variance 1 and a kurtosis of 3`() {
    var random = SeededRandom(seed: 4)
    let values = (0..<count).map { _ in random.normal() }
    let (mean, variance) = moments(values)
    let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(count)
    #expect(abs(mean) < 0.0112)
    #expect(abs(variance - 1) < 0.0159)
    #expect(abs(fourth - 3) < 0.11)
  }

  @Test func `Beta(1.5, 1.2) has its mean and its variance`() {
    var random = SeededRandom(seed: 5)
    let (mean, variance) = moments((0..<count).map { _ in random.beta(1.5, 1.2) })
    #expect(abs(mean - 1.5 / 2.7) < 0.0029)
    #expect(abs(variance - 1.5 * 1.2 / (2.7 * 2.7 * 3.7)) < 0.0008)
  }

  @Test func `exponential numbers have their mean`() {
    var random = SeededRandom(seed: 6)
    let (mean, variance) = moments((0..<count).map { _ in random.exponential(mean: 0.25) })
    #expect(abs(mean - 0.25) < 0.0028)
    #expect(abs(variance - 0.0625) < 0.002)
  }

  @Test func `indices are spread evenly over their range`() {
    var random = SeededRandom(seed: 8)
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<count { counts[random.index(below: 6)] += 1 }
    // Five standard deviations of a binomial count of 200,000 at 1/6.
    #expect(counts.allSatisfy { abs(Double($0) - Double(count) / 6) < 834 })
    #expect(random.index(below: 1) == 0)
  }

  @Test func `a Bernoulli trial of probability 0 never and of 1 always succeeds`() {
    var random = SeededRandom(seed: 9)
    #expect((0..<1000).allSatisfy { _ in !random.bernoulli(0) && random.bernoulli(1) })
  }
}

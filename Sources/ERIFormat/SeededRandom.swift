/// A stream of pseudo-random numbers that depends on its seed alone: the same on every machine.
///
/// The generator is xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64. A seed has one stream per
/// name, so that what one tensor or clip draws never depends on what others drew before it.
package struct SeededRandom: Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64
  /// The second value of the last pair of normals.
  private var spare: Double?

  /// The unnamed stream of a seed.
  package init(seed: UInt64) {
    var mixer = seed
    s0 = Self.splitmix(&mixer)
    s1 = Self.splitmix(&mixer)
    s2 = Self.splitmix(&mixer)
    s3 = Self.splitmix(&mixer)
  }

  /// The stream of a seed that belongs to a name.
  package init(seed: UInt64, stream name: String) {
    // FNV-1a over the UTF-8 bytes; both halves go through splitmix64, so that seeds and names that differ little share
    // nothing.
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 {
      digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    var mixer = seed
    let mixedSeed = Self.splitmix(&mixer)
    self.init(seed: mixedSeed ^ Self.splitmix(&digest))
  }

  private static func splitmix(_ state: inout UInt64) -> UInt64 {
    state = state &+ 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// 64 uniformly distributed bits.
  package mutating func nextUInt64() -> UInt64 {
    let product = s1 &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 45) | (s3 >> 19)
    return result
  }

  /// A number in [0, 1), a multiple of 2⁻⁵³.
  package mutating func uniform() -> Double {
    Double(nextUInt64() >> 11) * 0x1p-53
  }

  /// A number in [lower, upper), which rounding may bring up to `upper`.
  package mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// An integer in 0 ..< count, without bias (Lemire's multiplication with rejection); 0 for a count below 2.
  package mutating func index(below count: Int) -> Int {
    guard count > 1 else { return 0 }
    let bound = UInt64(count)
    let threshold = (0 &- bound) % bound
    while true {
      let product = nextUInt64().multipliedFullWidth(by: bound)
      if product.low >= threshold { return Int(product.high) }
    }
  }

  /// Puts elements in a random order (Fisher and Yates).
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    var index = elements.count - 1
    while index > 0 {
      elements.swapAt(index, self.index(below: index + 1))
      index -= 1
    }
  }

  /// True with the given probability.
  package mutating func bernoulli(_ probability: Double) -> Bool {
    uniform() < probability
  }

  /// A standard normal number (Marsaglia's polar method).
  package mutating func normal() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      guard square > 0, square < 1 else { continue }
      let factor = (-2 * DeterministicMath.log(square) / square).squareRoot()
      spare = y * factor
      return x * factor
    }
  }

  /// Normal deviates rounded to float32, as a golden draws an input (FORMAT.md, drawn inputs).
  package static func deviates(_ count: Int, seed: UInt64, stream name: String) -> [Float] {
    var random = SeededRandom(seed: seed, stream: name)
    var values: [Float] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(Float(random.normal())) }
    return values
  }

  /// A number of mean `mean`, exponentially distributed.
  package mutating func exponential(mean: Double) -> Double {
    -mean * DeterministicMath.log(1 - uniform())
  }

  /// A number in (0, 1) distributed as Beta(a, b), a and b > 0 (Jöhnk's method).
  ///
  /// The method rejects more the larger a + b is: 2 tries in 3 for (1.5, 1.2), so it is meant for shapes up to about 4.
  package mutating func beta(_ a: Double, _ b: Double) -> Double {
    while true {
      let x = DeterministicMath.pow(1 - uniform(), 1 / a)
      let y = DeterministicMath.pow(1 - uniform(), 1 / b)
      if x + y <= 1, x + y > 0 { return x / (x + y) }
    }
  }
}

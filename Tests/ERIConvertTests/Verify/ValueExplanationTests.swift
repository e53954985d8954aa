import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct ValueExplanationTests {
  /// Values without a pattern.
  private static func drawn(_ count: Int, _ stream: String = "values") -> [Float] {
    var random = SeededRandom(seed: 1, stream: stream)
    return (0..<count).map { _ in Float(random.normal()) }
  }

  private func compare(_ a: Tensor, _ b: Tensor) throws -> WeightComparison.Pair {
    let sides = [a, b].map { tensor in
      var tensor = tensor
      tensor.name = "w"
      return Checkpoint(.safetensors, path: "x", entries: [Checkpoint.Entry(tensor, dtypeName: "F32")])
    }
    return try #require(try WeightComparison(sides[0], sides[1]).pairs.first)
  }

  private func explanation(_ shape: [Int], _ a: [Float], _ b: [Float], shapeOfB: [Int]? = nil) throws
    -> ValueExplanation?
  {
    try compare(Tensor("w", shape, floats: a), Tensor("w", shapeOfB ?? shape, floats: b)).explanation
  }

  @Test func `Equal bits are bit-equal and need no explanation`() throws {
    let pair = try compare(Tensor("w", [2], floats: [1, .nan]), Tensor("w", [2], floats: [1, .nan]))
    #expect(pair.verdict == .bitEqual)
    #expect(pair.explanation == nil)
    #expect(pair.sentence == "bit-equal")
  }

  @Test func `A flipped bit is named by its element, its number and both values`() throws {
    var values = Self.drawn(12)
    values[7] = 0.5
    var changed = values
    changed[7] = 0.75
    let pair = try compare(Tensor("w", [3, 4], floats: values), Tensor("w", [3, 4], floats: changed))
    #expect(pair.verdict == .different)
    #expect(pair.explanation == .flippedBit(place: [1, 3], bit: 22, from: "0.5", to: "0.75"))
    #expect(
      pair.sentence
        == "a single element differs in one bit: element [1, 3], bit 22, 0.5 → 0.75; 1 of 12 elements differ, largest "
        + "difference 0.25, relative 0.333333, 4194304 ULP")
  }

  @Test func `A single element that differs in several bits is named`() throws {
    #expect(
      try explanation([3], [1, 2, 3], [1, 2.3, 3]) == .oneElement(place: [1], from: "2.0", to: "2.3"))
  }

  @Test func `A transposed matrix is recognised, square or not`() throws {
    let values = Self.drawn(12)
    let square = Self.drawn(9)
    #expect(
      try explanation([3, 4], values, SmallStateDict.transposed(values, rows: 3), shapeOfB: [4, 3])
        == .permuted(axes: [1, 0], rounding: nil))
    #expect(
      try explanation([3, 3], square, SmallStateDict.transposed(square, rows: 3))
        == .permuted(axes: [1, 0], rounding: nil))
  }

  @Test func `A transposed and rounded matrix is both`() throws {
    let values = Self.drawn(12)
    let pair = try compare(
      Tensor("w", [3, 4], floats: values),
      Tensor("w", [4, 3], floats: SmallStateDict.bfloat16(SmallStateDict.transposed(values, rows: 3))))
    #expect(pair.explanation == .permuted(axes: [1, 0], rounding: "B is rounded to bfloat16"))
  }

  @Test func `Permuted axes of a kernel are given as both orders`() throws {
    let shape = [2, 3, 4, 5]
    let values = Self.drawn(120)
    // O I H W to H W I O.
    var moved: [Float] = []
    for h in 0..<4 {
      for w in 0..<5 {
        for i in 0..<3 {
          for o in 0..<2 { moved.append(values[((o * 3 + i) * 4 + h) * 5 + w]) }
        }
      }
    }
    let found = try explanation(shape, values, moved, shapeOfB: [4, 5, 3, 2])
    #expect(found == .permuted(axes: [2, 3, 1, 0], rounding: nil))
    #expect(found?.sentence == "B is A with its axes permuted to [2, 3, 1, 0] (OIHW to HWIO)")
  }

  @Test func `Rounding is recognised on either side`() throws {
    let values = Self.drawn(20)
    let half = values.map { Float(Float16($0)) }
    let cut = values.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
    #expect(
      try explanation([20], values, SmallStateDict.bfloat16(values)) == .rounded(.b, "rounded to bfloat16"))
    #expect(
      try explanation([20], SmallStateDict.bfloat16(values), values) == .rounded(.a, "rounded to bfloat16"))
    #expect(try explanation([20], values, half) == .rounded(.b, "rounded to float16"))
    #expect(try explanation([20], values, cut) == .rounded(.b, "cut off to bfloat16"))
  }

  @Test func `The same numbers in another type are the same numbers`() throws {
    let doubles: [Double] = [1, -0.5]
    let pair = try compare(
      Tensor("w", [2], floats: [1, -0.5]),
      Tensor("w", .f64, [2], values: .bytes(doubles.withUnsafeBytes { [UInt8]($0) })))
    #expect(pair.verdict == .sameNumbers)
    #expect(pair.sentence == "type float32 in A, float64 in B; the same numbers, float32 in A and float64 in B")
  }

  @Test func `A zero of the other sign is the same number in other bits`() throws {
    let pair = try compare(Tensor("w", [2], floats: [0, 1]), Tensor("w", [2], floats: [-0.0, 1]))
    #expect(pair.verdict == .sameNumbers)
  }

  @Test func `A reversed axis of three is RGB against BGR`() throws {
    let values = Self.drawn(24)
    let swapped = (0..<24).map { index in
      let channel = index / 4 % 3
      return values[index + (2 - 2 * channel) * 4]
    }
    let found = try explanation([2, 3, 2, 2], values, swapped)
    #expect(found == .reversed(axis: 1, extent: 3))
    #expect(found?.sentence == "B is A reversed along axis 1, as between RGB and BGR")
  }

  @Test func `Sign, factor and summand are recognised`() throws {
    let values = Self.drawn(10)
    #expect(try explanation([10], values, values.map { -$0 }) == .negated)
    #expect(try explanation([10], values, values.map { $0 * 255 })?.sentence == "B is A times 255")
    #expect(try explanation([10], values, values.map { $0 + 1 })?.kind == "shifted")
  }

  @Test func `A factor for every row is recognised`() throws {
    let values = Self.drawn(20)
    let found = try explanation([4, 5], values, values.enumerated().map { $1 * Float($0 / 5 + 2) })
    #expect(found == .scaledRows)
  }

  @Test func `Rows in another order are recognised`() throws {
    let values = Self.drawn(12)
    #expect(
      try explanation([3, 4], values, [Float](values[8...] + values[..<8])) == .reorderedRows)
  }

  @Test func `Bytes in the other order are recognised`() throws {
    let values = Self.drawn(8)
    #expect(
      try explanation([8], values, values.map { Float(bitPattern: $0.bitPattern.byteSwapped) }) == .swappedBytes)
  }

  @Test func `Another shape of the same values is recognised`() throws {
    #expect(try explanation([2, 3], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], shapeOfB: [6]) == .reshaped)
  }

  @Test func `Quantized integers stand for numbers within half a step`() throws {
    let values: [Float] = [-1, 0.24, 0.5, 0.99]
    var quantized = Tensor(
      "w", .i8, [4], values: .bytes([Int8(-100), 24, 50, 99].map { UInt8(bitPattern: $0) }))
    quantized.quantization = Quantization(stored: .i8, scales: [0.01], minimum: -127, maximum: 127)
    let pair = try compare(Tensor("w", [4], floats: values), quantized)
    #expect(pair.explanation == .quantized(.b))
    #expect(pair.isSame(under: .int8))
    #expect(!pair.isSame(under: .fp32))
  }

  @Test func `Unrelated values have figures and no explanation`() throws {
    let pair = try compare(
      Tensor("w", [6], floats: Self.drawn(6)), Tensor("w", [6], floats: Self.drawn(6, "others")))
    #expect(pair.explanation == nil)
    #expect(pair.difference?.differing == 6)
  }

  @Test func `NaN on one side is an infinite difference`() throws {
    let pair = try compare(Tensor("w", [3], floats: [1, 2, 3]), Tensor("w", [3], floats: [1, .nan, .nan]))
    #expect(pair.difference?.largestAbsolute == .infinity)
    #expect(
      pair.sentence.hasSuffix("2 of 3 elements differ, largest difference infinite, relative infinite, NaN on one side")
    )
  }

  @Test func `Integers that agree only as Doubles differ`() throws {
    func integers(_ value: Int64) -> Tensor {
      Tensor("w", .i64, [1], values: .bytes(withUnsafeBytes(of: value) { [UInt8]($0) }))
    }
    let pair = try compare(integers(1 << 60), integers(1 << 60 + 1))
    #expect(pair.verdict == .different)
  }
}

import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct LayerNormTests {
  @Test(arguments: [LayerNorm.Form.standard, .unbiasedDeviation], [2, 7, 128, 257])
  func `rows are normalised as the reference does`(form: LayerNorm.Form, width: Int) throws {
    var bench = Bench()
    let x = bench.input([3, 5, width])
    let op = LayerNorm(epsilon: form == .standard ? 1e-5 : 1e-6, form: form)
    let y = try bench.apply(.layerNorm(op), [x, bench.weight([width]), bench.weight([width])])
    try bench.expectReference(outputs: [y])
  }
}

@Suite struct BatchNormTests {
  @Test func `a batch norm that no convolution precedes agrees with the reference`() throws {
    var bench = Bench()
    let x = bench.input([2, 6, 5, 4])
    let y = try bench.apply(
      .batchNorm(BatchNorm()),
      [x, bench.weight([6]), bench.weight([6]), bench.weight([6]), bench.weight([6]) { abs($0) }])
    try bench.expectReference(outputs: [y], .elements)
  }
}

@Suite struct WeightNormTests {
  @Test func `normalised weights feed a convolution as the reference has it, computed when the plan is made`() throws {
    var bench = Bench()
    let x = bench.input([1, 8, 12])
    let w = try bench.apply(.weightNorm(WeightNorm()), [bench.weight([6, 8, 3]), bench.weight([6, 1, 1])])
    let op = Conv(strides: [1], dilations: [2], padsBegin: [4], padsEnd: [0])
    let y = try bench.apply(.conv(op), [x, w, nil])
    try bench.expectReference(outputs: [y])
    let session = try bench.session(try bench.program(outputs: [y]), SessionOptions())
    #expect(!session.kernelNames.contains("weight_norm"))
  }

  @Test func `normalising a computed value agrees with the reference`() throws {
    var bench = Bench()
    let y = try bench.apply(.weightNorm(WeightNorm()), [bench.input([6, 8, 3]), bench.input([6, 1, 1])])
    try bench.expectReference(outputs: [y])
  }
}

@Suite struct AttentionTests {
  @Test(arguments: [1, 4], [1, 6, 49]) func `every head agrees with the reference`(heads: Int, length: Int) throws {
    var bench = Bench()
    let q = bench.input([3, length, 16 * heads])
    let k = bench.input([3, length + 2, 16 * heads])
    let v = bench.input([3, length + 2, 8 * heads])
    let y = try bench.apply(.attention(Attention(heads: heads, scale: 0.25)), [q, k, v])
    try bench.expectReference(outputs: [y])
  }

  @Test func `a band hides keys outside it as the reference does`() throws {
    var bench = Bench()
    let x = bench.input([2, 32, 24])
    let op = Attention(heads: 2, scale: 0.3, band: Attention.Band(before: 5, after: 2))
    let y = try bench.apply(.attention(op), [x, x, x])
    try bench.expectReference(outputs: [y])
  }
}

@Suite struct AttentionPoolTests {
  @Test func `pooling over a sequence agrees with the reference`() throws {
    var bench = Bench()
    let x = bench.input([5, 49, 40])
    let y = try bench.apply(.attentionPool(AttentionPool()), [x, bench.weight([1, 40]), bench.weight([1])])
    try bench.expectReference(outputs: [y])
  }
}

@Suite struct UnaryTests {
  @Test(arguments: Unary.Function.allCases) func `a function of each element agrees with the reference`(
    function: Unary.Function
  ) throws {
    var bench = Bench()
    let y = try bench.apply(.unary(Unary(function)), [bench.input([3, 7, 11])])
    try bench.expectReference(outputs: [y], .elements)
  }
}

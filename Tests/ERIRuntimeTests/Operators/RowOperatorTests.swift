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

@Suite struct PReLUTests {
  @Test(arguments: [[3, 5], [2, 5, 7], [2, 5, 4, 3], [2, 3, 2, 2, 2]])
  func `each channel below zero is scaled by its slope as the reference does`(shape: [Int]) throws {
    var bench = Bench()
    let y = try bench.apply(.prelu(PReLU()), [bench.input(shape), bench.weight([shape[1]])])
    try bench.expectReference(outputs: [y], .elements)
  }

  @Test func `between convolutions an image keeps its channels last, whatever border its readers want`() throws {
    var bench = Bench()
    let plain = Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
    let padded = Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])
    let image = try bench.apply(.conv(plain), [bench.input([2, 16, 8, 9]), bench.weight([16, 16, 1, 1])])
    let first = try bench.apply(.prelu(PReLU()), [image, bench.weight([16])])
    let next = try bench.apply(.conv(padded), [first, bench.weight([16, 16, 3, 3])])
    let y = try bench.apply(.prelu(PReLU()), [next, bench.weight([16])])
    try bench.expectReference(outputs: [y], .winograd)
    var options = SessionOptions()
    options.exact = true
    try bench.expectReference(outputs: [y], options: options)
    let session = try bench.session(try bench.program(outputs: [y]), SessionOptions())
    #expect(session.kernelNames.filter { $0 == "layout" }.count == 2)
  }

  @Test func `a slope that is computed is complete before it is read`() throws {
    var bench = Bench()
    let slope = try bench.apply(.unary(Unary(.tanh)), [bench.input([6])])
    let y = try bench.apply(.prelu(PReLU()), [bench.input([6, 6]), slope])
    try bench.expectReference(outputs: [y], .elements)
  }
}

@Suite struct SoftmaxTests {
  @Test(arguments: [[3, 5], [2, 5, 7], [2, 3, 4, 17]], [0, 1]) func `shares along an axis agree with the reference`(
    shape: [Int], axis: Int
  ) throws {
    var bench = Bench()
    let y = try bench.apply(.softmax(Softmax(axis: axis)), [bench.input(shape)])
    let last = try bench.apply(.softmax(Softmax(axis: shape.count - 1)), [bench.input(shape)])
    try bench.expectReference(outputs: [y, last], .elements)
  }

  @Test func `the channels of an image are shared out without another layout`() throws {
    var bench = Bench()
    let conv = Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
    let image = try bench.apply(.conv(conv), [bench.input([2, 8, 5, 6]), bench.weight([3, 8, 1, 1])])
    let y = try bench.apply(.softmax(Softmax(axis: 1)), [image])
    try bench.expectReference(outputs: [y])
    let session = try bench.session(try bench.program(outputs: [y]), SessionOptions())
    #expect(session.kernelNames == ["layout", "conv direct", "softmax", "layout"])
  }

  @Test func `large values do not overflow`() throws {
    var builder = GraphBuilder(symbols: [])
    let x = builder.tensor(Tensor("x", [1, 3], floats: [500, 499, -500]))
    builder.output(try builder.apply(.softmax(Softmax(axis: 1)), [x], name: "y"))
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    let session = try Session(try Program(validating: model))
    try session.bind([])
    #expect(session.run() == .done)
    let shares = try #require(session.withOutput(0) { [Float]($0) })
    #expect(relativeDifference(shares, [0.7310585786, 0.2689414214, 0]) <= Tolerance.elements.bound)
  }
}

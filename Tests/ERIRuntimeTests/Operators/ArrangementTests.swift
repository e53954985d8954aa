import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct BinaryTests {
  @Test(arguments: ERIFormat.Binary.Function.allCases)
  func `operands of one shape agree with the reference`(function: ERIFormat.Binary.Function) throws {
    var bench = Bench()
    let y = try bench.apply(
      .binary(Binary(function)), [bench.input([3, 4, 5]), bench.weight([3, 4, 5]) { abs($0) + 0.5 }])
    try bench.expectReference(outputs: [y], .elements)
  }

  @Test(arguments: [
    [[2, 49, 8], [1, 49, 8]], [[2, 49, 8], [49, 8]], [[2, 3, 4], [1]], [[2, 3, 4], []], [[1, 3, 1], [4, 1, 5]],
    [[6, 1], [6]], [[2, 3, 4, 5], [3, 1, 5]], [[5], [4, 1]], [[], []],
  ])
  func `broadcast operands agree with the reference`(shapes: [[Int]]) throws {
    var bench = Bench()
    let y = try bench.apply(.binary(Binary(.subtract)), [bench.input(shapes[0]), bench.input(shapes[1])])
    try bench.expectReference(outputs: [y], .elements)
  }

  @Test func `a value that is broadcast over the items it was computed from is complete before it is read`() throws {
    var bench = Bench()
    let x = bench.input([6, 6])
    let pooled = try bench.apply(.reshape(Reshape([Dimension(6), Dimension(6), Dimension(1)])), [x])
    let means = try bench.apply(.attentionPool(AttentionPool()), [pooled, bench.weight([1, 1]), bench.weight([1])])
    let row = try bench.apply(.reshape(Reshape([Dimension(6)])), [means])
    let doubled = try bench.apply(.unary(Unary(.tanh)), [row])
    let y = try bench.apply(.binary(Binary(.add)), [x, doubled])
    try bench.expectReference(outputs: [y])
  }
}

@Suite struct ConcatTests {
  @Test(arguments: [0, 1, 2]) func `values side by side agree with the reference`(axis: Int) throws {
    var bench = Bench()
    var shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    for index in 0..<3 { shapes[index][axis] += index }
    let operands = shapes.map { bench.input($0) }
    let y = try bench.apply(.concat(Concat(axis: axis)), operands)
    try bench.expectReference(outputs: [y], .exact)
  }
}

@Suite struct TransposeTests {
  @Test(arguments: [[0, 2, 1, 3], [0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 1, 0], [1, 0, 2, 3], [0, 1, 2, 3]])
  func `axes in another order agree with the reference`(permutation: [Int]) throws {
    var bench = Bench()
    let y = try bench.apply(.transpose(Transpose(permutation)), [bench.input([2, 3, 4, 5])])
    try bench.expectReference(outputs: [y], .exact)
  }

  @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0]])
  func `three axes in another order, or in their own, agree with the reference`(permutation: [Int]) throws {
    var bench = Bench()
    let y = try bench.apply(.transpose(Transpose(permutation)), [bench.input([2, 3, 4])])
    try bench.expectReference(outputs: [y], .exact)
  }

  @Test func `an image turned into tokens needs one copy at most and agrees with the reference`() throws {
    var bench = Bench()
    let x = bench.input([2, 8, 5, 5])
    let op = Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
    let image = try bench.apply(.conv(op), [x, bench.weight([12, 8, 3, 3])])
    let flat = try bench.apply(.reshape(Reshape([Dimension(2), Dimension(12), Dimension(9)])), [image])
    let tokens = try bench.apply(.transpose(Transpose([0, 2, 1])), [flat])
    let y = try bench.apply(.linear(Linear()), [tokens, bench.weight([4, 12])])
    try bench.expectReference(outputs: [y])
    let session = try bench.session(try bench.program(outputs: [y]), SessionOptions())
    #expect(session.kernelNames == ["layout", "conv direct", "linear"])
  }
}

@Suite struct ReshapeTests {
  @Test func `a channels-last image under another shape keeps its row-major order`() throws {
    var bench = Bench()
    let x = bench.input([2, 8, 4, 6])
    let op = MaxPool(kernel: [1, 1], strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
    let image = try bench.apply(.maxPool(op), [x])
    let y = try bench.apply(.reshape(Reshape([Dimension(4), Dimension(96)])), [image])
    try bench.expectReference(outputs: [y], .exact)
  }
}

@Suite struct GateTests {
  @Test func `a gate multiplies by its column and hides what is behind zero, NaN included`() throws {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(3)]), omission: .gated)
    let present = builder.input("present", ValueType(.f32, [Dimension(symbol: 0), Dimension(2)]), omission: .filled(1))
    let y = try builder.apply(.gate(Gate(index: 1)), [x, present], name: "y")
    builder.output(y)
    var model = Model()
    model.graph = builder.graph
    let session = try Session(try Program(validating: model))
    try session.bind([.init("x", [2, 3]), .init("present", [2, 2])])
    session.withInput("x") { for index in 0..<6 { $0[index] = index < 3 ? .nan : Float(index) } }
    session.withInput("present") {
      for (index, value) in [Float(1), 0, 1, 2].enumerated() { $0[index] = value }
    }
    #expect(session.run() == .done)
    #expect(session.withOutput(0) { [Float]($0) } == [0, 0, 0, 6, 8, 10])
  }
}

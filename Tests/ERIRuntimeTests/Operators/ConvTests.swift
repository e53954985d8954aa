import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct ConvTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    var input: [Int]
    var weight: [Int]
    var strides: [Int]
    var dilations: [Int]
    var begin: [Int]
    var end: [Int]
    var groups = 1
    var testDescription: String {
      "\(input) ∗ \(weight) / \(strides), dilation \(dilations), pads \(begin) \(end), groups \(groups)"
    }
  }

  static let shapes = [
    // A first layer's few channels.
    Shape(
      input: [2, 3, 19, 17], weight: [10, 3, 7, 7], strides: [2, 2], dilations: [1, 1], begin: [3, 3], end: [3, 3]),
    Shape(
      input: [1, 1, 9, 9], weight: [4, 1, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
    // Strided, dilated, asymmetric.
    Shape(
      input: [3, 8, 14, 14], weight: [24, 8, 3, 3], strides: [2, 2], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
    Shape(
      input: [2, 16, 7, 9], weight: [5, 16, 1, 1], strides: [2, 2], dilations: [1, 1], begin: [0, 0], end: [0, 0]),
    Shape(
      input: [1, 6, 11, 12], weight: [7, 6, 3, 2], strides: [1, 3], dilations: [2, 1], begin: [2, 0], end: [0, 1]),
    Shape(
      input: [1, 5, 1, 1], weight: [3, 5, 1, 1], strides: [1, 1], dilations: [1, 1], begin: [0, 0], end: [0, 0]),
    // Groups, and a depthwise one.
    Shape(
      input: [2, 12, 8, 8], weight: [8, 3, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1],
      groups: 4),
    Shape(
      input: [1, 9, 8, 7], weight: [9, 1, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1],
      groups: 9),
    // Sequences, causal at every dilation of the temporal network.
    Shape(input: [2, 20, 32], weight: [16, 20, 3], strides: [1], dilations: [1], begin: [2], end: [0]),
    Shape(input: [1, 16, 32], weight: [16, 16, 3], strides: [1], dilations: [16], begin: [32], end: [0]),
    Shape(input: [3, 33, 5], weight: [17, 33, 1], strides: [1], dilations: [1], begin: [0], end: [0]),
  ]

  static let winogradShapes = [
    Shape(
      input: [2, 16, 7, 7], weight: [16, 16, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
    Shape(
      input: [5, 32, 14, 14], weight: [48, 32, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
    Shape(
      input: [1, 17, 5, 9], weight: [19, 17, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
    Shape(
      input: [3, 16, 1, 2], weight: [18, 16, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
    Shape(
      input: [1, 64, 28, 28], weight: [64, 64, 3, 3], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]),
  ]

  private func conv(_ shape: Shape) -> Operator {
    .conv(
      Conv(
        strides: shape.strides, dilations: shape.dilations, padsBegin: shape.begin, padsEnd: shape.end,
        groups: shape.groups))
  }

  @Test(arguments: shapes) func `a convolution with bias agrees with the reference`(shape: Shape) throws {
    var bench = Bench()
    let x = bench.input(shape.input)
    let y = try bench.apply(conv(shape), [x, bench.weight(shape.weight), bench.weight([shape.weight[0]])])
    try bench.expectReference(outputs: [y])
  }

  @Test(arguments: winogradShapes) func `a Winograd convolution agrees with the reference within its own tolerance`(
    shape: Shape
  ) throws {
    var bench = Bench()
    let x = bench.input(shape.input)
    let y = try bench.apply(conv(shape), [x, bench.weight(shape.weight), bench.weight([shape.weight[0]])])
    try bench.expectReference(outputs: [y], .winograd)
    let session = try bench.session(try bench.program(outputs: [y]), SessionOptions())
    #expect(session.kernelNames.contains { $0.hasPrefix("conv winograd") })
  }

  @Test(arguments: winogradShapes) func `an exact plan uses no Winograd and keeps the direct tolerance`(shape: Shape)
    throws
  {
    var bench = Bench()
    let x = bench.input(shape.input)
    let y = try bench.apply(conv(shape), [x, bench.weight(shape.weight), nil])
    var options = SessionOptions()
    options.exact = true
    try bench.expectReference(outputs: [y], options: options)
  }

  /// A residual block: convolution, norm, activation, convolution, norm, sum with its input, activation.
  private func block(_ bench: inout Bench, channels: Int, size: Int, images: Int) throws -> Int {
    let x = bench.input([images, channels, size, size])
    let unit = conv(
      Shape(input: [], weight: [], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]))
    var value = x
    for layer in 0..<2 {
      value = try bench.apply(unit, [value, bench.weight([channels, channels, 3, 3]) { $0 * 0.1 }])
      value = try bench.apply(
        .batchNorm(BatchNorm()),
        [
          value, bench.weight([channels]), bench.weight([channels]), bench.weight([channels]),
          bench.weight([channels]) { abs($0) + 0.1 },
        ])
      if layer == 0 { value = try bench.apply(.unary(Unary(.relu)), [value]) }
    }
    value = try bench.apply(.binary(Binary(.add)), [value, x])
    return try bench.apply(.unary(Unary(.relu)), [value])
  }

  @Test func `a residual block is two convolution steps and agrees with the reference`() throws {
    var bench = Bench()
    let inner = try block(&bench, channels: 16, size: 10, images: 3)
    try bench.expectReference(outputs: [inner], .winograd)
    let session = try bench.session(try bench.program(outputs: [inner]), SessionOptions())
    #expect(session.kernelNames.filter { $0.hasPrefix("conv") }.count == 2)
    #expect(!session.kernelNames.contains("batch_norm"))
    #expect(!session.kernelNames.contains("unary"))
  }

  @Test func `a plan that keeps its values fuses nothing and gives every value of the reference`() throws {
    var bench = Bench()
    let output = try block(&bench, channels: 16, size: 9, images: 2)
    let program = try bench.program(outputs: [output])
    var options = SessionOptions()
    options.keepsValues = true
    let session = try bench.session(program, options)
    let expected = try bench.reference(program)
    for node in program.graph.nodes {
      let name = program.graph.values[node.outputs[0]].name
      let reference = try #require(expected[name])
      let values = try #require(session.value(named: name))
      #expect(relativeDifference(values, reference.values) <= Tolerance.winograd.bound, "\(name)")
    }
  }

  @Test func `a Winograd convolution of many images at once keeps to its scratch memory`() throws {
    var bench = Bench()
    let unit = conv(Shape(input: [], weight: [], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]))
    let x = bench.input([32, 160, 7, 7])
    let y = try bench.apply(unit, [x, bench.weight([128, 160, 3, 3]) { $0 * 0.05 }])
    var options = SessionOptions()
    // Every step gets all items in one call.
    options.keepsValues = true
    try bench.expectReference(outputs: [y], .winograd, options: options)
  }

  @Test func `a value with a second reader is not fused away`() throws {
    var bench = Bench()
    let x = bench.input([2, 16, 6, 6])
    let unit = conv(Shape(input: [], weight: [], strides: [1, 1], dilations: [1, 1], begin: [1, 1], end: [1, 1]))
    let product = try bench.apply(unit, [x, bench.weight([16, 16, 3, 3])])
    let active = try bench.apply(.unary(Unary(.relu)), [product])
    try bench.expectReference(outputs: [product, active], .winograd)
  }

  @Test func `a convolution over three axes is refused by name`() throws {
    var bench = Bench()
    let x = bench.input([1, 2, 3, 3, 3])
    let op = Conv(strides: [1, 1, 1], dilations: [1, 1, 1], padsBegin: [0, 0, 0], padsEnd: [0, 0, 0])
    let y = try bench.apply(.conv(op), [x, bench.weight([2, 2, 1, 1, 1])])
    let error = #expect(throws: RuntimeError.self) { try bench.run(bench.program(outputs: [y])) }
    #expect(
      error?.description
        == "node 0 (conv y0): expected convolution over 1 or 2 spatial axes, found 3; this runtime cannot compute it")
  }

  @Test func `a computed weight is refused by name`() throws {
    var bench = Bench()
    let x = bench.input([1, 2, 3, 3])
    let w = bench.input([2, 2, 1, 1])
    let y = try bench.apply(conv(ConvTests.shapes[5]), [x, w])
    let error = #expect(throws: RuntimeError.self) { try bench.run(bench.program(outputs: [y])) }
    #expect(
      error?.description
        == "node 0 (conv y0): expected constant weights, found the computed value \"x1\"; this runtime cannot compute it"
    )
  }
}

import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct MaxPoolTests {
  @Test(arguments: [false, true]) func `pooling with padding agrees with the reference`(ceil: Bool) throws {
    var bench = Bench()
    let x = bench.input([2, 11, 12, 13])
    let op = MaxPool(
      kernel: [3, 3], strides: [2, 2], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1], ceilMode: ceil)
    let y = try bench.apply(.maxPool(op), [x])
    try bench.expectReference(outputs: [y], .exact)
  }

  @Test func `pooling a sequence agrees with the reference`() throws {
    var bench = Bench()
    let x = bench.input([2, 5, 17])
    let op = MaxPool(kernel: [4], strides: [3], dilations: [2], padsBegin: [2], padsEnd: [1])
    let y = try bench.apply(.maxPool(op), [x])
    try bench.expectReference(outputs: [y], .exact)
  }

  /// Three planes → 7×7/2 convolution → relu → maximum, and a convolution that wants a halo; `pads` are the maximum's.
  private func firstLayers(_ bench: inout Bench, pads: (begin: Int, end: Int) = (1, 1)) throws -> (active: Int, y: Int)
  {
    let x = bench.input([2, 3, 36, 30])
    let first = Operator.conv(Conv(strides: [2, 2], dilations: [1, 1], padsBegin: [3, 3], padsEnd: [3, 3]))
    let product = try bench.apply(first, [x, bench.weight([19, 3, 7, 7]), bench.weight([19])])
    let active = try bench.apply(.unary(Unary(.relu)), [product])
    let (begin, end) = ([pads.begin, pads.begin], [pads.end, pads.end])
    let pool = Operator.maxPool(
      MaxPool(kernel: [3, 3], strides: [2, 2], dilations: [1, 1], padsBegin: begin, padsEnd: end))
    let greatest = try bench.apply(pool, [active])
    let same = Operator.conv(Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1]))
    return (active, try bench.apply(same, [greatest, bench.weight([16, 19, 3, 3])]))
  }

  @Test(arguments: [1, 2, 3]) func `a first layer that takes the maximum along gives the bits of two steps`(
    threads: Int
  ) throws {
    var bench = Bench()
    let y = try firstLayers(&bench).y
    let program = try bench.program(outputs: [y])
    var options = SessionOptions()
    options.threads = threads
    let along = try bench.session(program, options)
    #expect(along.kernelNames.contains("conv phases max_pool") && !along.kernelNames.contains("max_pool"))
    options.keepsValues = true
    let apart = try bench.session(program, options)
    #expect(apart.kernelNames.contains("conv phases") && apart.kernelNames.contains("max_pool"))
    #expect(along.withOutput(0) { [Float]($0) } == apart.withOutput(0) { [Float]($0) })
    try bench.expectReference(outputs: [y], .winograd)
  }

  @Test func `a maximum stays a step of its own where another reads its input or its window is another`() throws {
    var bench = Bench()
    let (active, y) = try firstLayers(&bench)
    #expect(try bench.session(bench.program(outputs: [y, active]), SessionOptions()).kernelNames.contains("max_pool"))
    for pads in [(0, 1), (1, 2)] {
      var bench = Bench()
      let y = try firstLayers(&bench, pads: pads).y
      #expect(try bench.session(bench.program(outputs: [y]), SessionOptions()).kernelNames.contains("max_pool"))
    }
  }
}

import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct LinearTests {
  @Test(arguments: [[1, 1, 1], [7, 5, 3], [1, 33, 17], [98, 64, 48], [5, 256, 7]])
  func `a product of rows agrees with the reference`(extents: [Int]) throws {
    var bench = Bench()
    let x = bench.input([2, extents[0], extents[1]])
    let y = try bench.apply(
      .linear(Linear()), [x, bench.weight([extents[2], extents[1]]), bench.weight([extents[2]])])
    try bench.expectReference(outputs: [y])
  }

  @Test func `a product without bias of a plain vector agrees with the reference`() throws {
    var bench = Bench()
    let x = bench.input([40])
    let y = try bench.apply(.linear(Linear()), [x, bench.weight([9, 40]), nil])
    try bench.expectReference(outputs: [y])
  }

  @Test(arguments: Unary.Function.allCases)
  func `an activation, a sum and a second activation are fused and agree with the reference`(function: Unary.Function)
    throws
  {
    var bench = Bench()
    let x = bench.input([3, 5, 24])
    let product = try bench.apply(.linear(Linear()), [x, bench.weight([24, 24]) { $0 * 0.2 }, bench.weight([24])])
    let active = try bench.apply(.unary(Unary(function)), [product])
    let sum = try bench.apply(.binary(Binary(.add)), [x, active])
    let last = try bench.apply(.unary(Unary(.tanh)), [sum])
    try bench.expectReference(outputs: [last])
    let session = try bench.session(try bench.program(outputs: [last]), SessionOptions())
    #expect(session.kernelNames == ["linear"])
  }
}

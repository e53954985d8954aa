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
}

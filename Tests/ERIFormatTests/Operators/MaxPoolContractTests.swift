import Testing

@testable import ERIFormat

@Suite struct `Contract of a maximum pool` {
  private static func pool(
    _ kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, begin: [Int]? = nil, end: [Int]? = nil,
    ceil: Bool = false
  ) -> Operator {
    let (ones, zeros) = (kernel.map { _ in 1 }, kernel.map { _ in 0 })
    return .maxPool(
      MaxPool(
        kernel: kernel, strides: strides ?? ones, dilations: dilations ?? ones, padsBegin: begin ?? zeros,
        padsEnd: end ?? zeros, ceilMode: ceil))
  }

  static let accepted = [
    Application(pool([3, 3], strides: [2, 2], begin: [1, 1], end: [1, 1]), ["N 64 56 56"], "[N, 64, 28, 28]"),
    Application(pool([2], strides: [2]), ["1 1 5"], "[1, 1, 2]"),
    Application(pool([2], strides: [2], ceil: true), ["1 1 5"], "[1, 1, 3]"),
    Application(pool([2], strides: [3], end: [1], ceil: true), ["1 1 3"], "[1, 1, 1]"),
    Application(pool([3], dilations: [2]), ["N 2 9"], "[N, 2, 5]"),
    Application(pool([1, 2, 3]), ["1 1 4 4 4"], "[1, 1, 4, 3, 2]"),
    Application(pool([2, 2]), ["N T 4 T"], "[N, T, 3, ?]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(pool([2]), [], "expected 1 input, found 0"),
    Application(pool([2]), ["N 3 8", "2"], "expected 1 input, found 2"),
    Application(pool([]), ["N 3"], "expected a kernel of 1 to 3 extents, found 0"),
    Application(pool([1, 1, 1, 1]), ["N 3 1 1 1 1"], "expected a kernel of 1 to 3 extents, found 4"),
    Application(pool([0]), ["N 3 8"], "expected kernel extents from 1 to 32767, found 0"),
    Application(pool([32_768]), ["N 3 8"], "expected kernel extents from 1 to 32767, found 32768"),
    Application(pool([2], strides: []), ["N 3 8"], "expected as many strides as spatial axes (1), found 0"),
    Application(pool([2], strides: [0]), ["N 3 8"], "expected strides from 1 to 32767, found 0"),
    Application(pool([2], dilations: [1, 1]), ["N 3 8"], "expected as many dilations as spatial axes (1), found 2"),
    Application(pool([2], dilations: [0]), ["N 3 8"], "expected dilations from 1 to 32767, found 0"),
    Application(pool([2], begin: []), ["N 3 8"], "expected as many pads at the beginning as spatial axes (1), found 0"),
    Application(pool([2], begin: [-1]), ["N 3 8"], "expected pads at the beginning from 0 to 32767, found -1"),
    Application(pool([2], end: []), ["N 3 8"], "expected as many pads at the end as spatial axes (1), found 0"),
    Application(pool([2], end: [-1]), ["N 3 8"], "expected pads at the end from 0 to 32767, found -1"),
    Application(pool([2]), ["-"], "expected x at position 0, found no input"),
    Application(pool([2]), ["int64 N 3 8"], "expected x of type float32, found int64"),
    Application(pool([2]), ["N 3"], "expected x with 3 dimensions, found 2: [N, 3]"),
    Application(pool([2], begin: [2]), ["N 3 8"], "expected pads smaller than the window's reach of 2, found 2 and 0"),
    Application(
      pool([2], dilations: [3], begin: [3], end: [4]), ["N 3 8"],
      "expected pads smaller than the window's reach of 4, found 3 and 4"),
    Application(pool([3]), ["N 3 2"], "expected an extent of at least 3 with its padding, found 2"),
    Application(
      pool([3], begin: [2], end: [2]), ["1 1 2147483647"],
      "expected a shorter extent, found 2147483651 with its padding"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

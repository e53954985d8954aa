import Testing

@testable import ERIFormat

@Suite struct `Contract of a convolution` {
  private static func conv(
    _ strides: [Int], dilations: [Int]? = nil, begin: [Int]? = nil, end: [Int]? = nil, groups: Int = 1
  ) -> Operator {
    let (ones, zeros) = (strides.map { _ in 1 }, strides.map { _ in 0 })
    return .conv(
      Conv(
        strides: strides, dilations: dilations ?? ones, padsBegin: begin ?? zeros, padsEnd: end ?? zeros, groups: groups
      ))
  }

  static let accepted = [
    Application(conv([1]), ["N 3 8", "4 3 3"], "[N, 4, 6]"),
    Application(conv([2, 2], begin: [3, 3], end: [3, 3]), ["N 3 112 112", "64 3 7 7"], "[N, 64, 56, 56]"),
    Application(conv([1, 1, 1]), ["1 1 4 5 6", "2 1 2 3 1"], "[1, 2, 3, 3, 6]"),
    Application(conv([1], dilations: [4], begin: [8]), ["N 8 32", "4 8 3"], "[N, 4, 32]"),
    Application(conv([2]), ["N 3 6", "1 3 3"], "[N, 1, 2]"),
    Application(conv([1], dilations: [3]), ["1 1 7", "1 1 3"], "[1, 1, 1]"),
    Application(conv([1, 1], groups: 4), ["N 4 5 5", "8 1 3 3"], "[N, 8, 3, 3]"),
    Application(conv([1]), ["N 3 8", "4 3 1", "4"], "[N, 4, 8]"),
    Application(conv([1]), ["N 3 8", "4 3 1", "-"], "[N, 4, 8]"),
    Application(conv([1]), ["N 3 8", "4 3 1", "T"], "[N, 4, 8]"),
    Application(conv([1]), ["N T 8", "4 3 1"], "[N, 4, 8]"),
    Application(conv([3]), ["N 3 T", "4 3 3"], "[N, 4, ?]"),
    Application(conv([1]), ["0 3 8", "4 3 1"], "[0, 4, 8]"),
    Application(conv([1]), ["1 1 32767", "1 1 32767"], "[1, 1, 1]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(conv([1]), ["N 3 8"], "expected 2 to 3 inputs, found 1"),
    Application(conv([1]), ["N 3 8", "4 3 1", "4", "4"], "expected 2 to 3 inputs, found 4"),
    Application(conv([]), ["N 3", "4 3"], "expected 1 to 3 strides, found 0"),
    Application(conv([1, 1, 1, 1]), ["N 3 1 1 1 1", "4 3 1 1 1 1"], "expected 1 to 3 strides, found 4"),
    Application(conv([0]), ["N 3 8", "4 3 1"], "expected strides from 1 to 32767, found 0"),
    Application(conv([32_768]), ["N 3 8", "4 3 1"], "expected strides from 1 to 32767, found 32768"),
    Application(
      conv([1, 1], dilations: [1]), ["N 3 8 8", "4 3 1 1"], "expected as many dilations as spatial axes (2), found 1"),
    Application(conv([1], dilations: [0]), ["N 3 8", "4 3 1"], "expected dilations from 1 to 32767, found 0"),
    Application(conv([1], dilations: [32_768]), ["N 3 8", "4 3 1"], "expected dilations from 1 to 32767, found 32768"),
    Application(
      conv([1], begin: []), ["N 3 8", "4 3 1"], "expected as many pads at the beginning as spatial axes (1), found 0"),
    Application(
      conv([1], begin: [-1]), ["N 3 8", "4 3 1"], "expected pads at the beginning from 0 to 32767, found -1"),
    Application(
      conv([1], begin: [32_768]), ["N 3 8", "4 3 1"], "expected pads at the beginning from 0 to 32767, found 32768"),
    Application(
      conv([1], end: [0, 0]), ["N 3 8", "4 3 1"], "expected as many pads at the end as spatial axes (1), found 2"),
    Application(conv([1], end: [-1]), ["N 3 8", "4 3 1"], "expected pads at the end from 0 to 32767, found -1"),
    Application(conv([1], end: [32_768]), ["N 3 8", "4 3 1"], "expected pads at the end from 0 to 32767, found 32768"),
    Application(conv([1], groups: 0), ["N 3 8", "4 3 1"], "expected 1 to 32767 groups, found 0"),
    Application(conv([1], groups: 32_768), ["N 3 8", "4 3 1"], "expected 1 to 32767 groups, found 32768"),
    Application(conv([1]), ["-", "4 3 1"], "expected x at position 0, found no input"),
    Application(conv([1]), ["N 3 8", "-"], "expected weight at position 1, found no input"),
    Application(conv([1]), ["int8 N 3 8", "4 3 1"], "expected x of type float32, found int8"),
    Application(conv([1]), ["N 3 8", "float16 4 3 1"], "expected weight of type float32, found float16"),
    Application(conv([1]), ["N 3 8", "4 3 1", "float64 4"], "expected bias of type float32, found float64"),
    Application(conv([1]), ["N 3 8 8", "4 3 1"], "expected x with 3 dimensions, found 4: [N, 3, 8, 8]"),
    Application(conv([1]), ["N 3 8", "4 3"], "expected weight with 3 dimensions, found 2: [4, 3]"),
    Application(conv([1]), ["N 3 8", "4 3 1", "4 1"], "expected bias with 1 dimension, found 2: [4, 1]"),
    Application(conv([1]), ["N 3 8", "T 3 1"], "expected a weight of known shape without zeros, found [T, 3, 1]"),
    Application(conv([1]), ["N 3 8", "4 0 1"], "expected a weight of known shape without zeros, found [4, 0, 1]"),
    Application(conv([1], groups: 2), ["N 6 8", "3 3 1"], "expected output channels divisible by 2 groups, found 3"),
    Application(conv([1], groups: 2), ["N 6 8", "2 9223372036854775807 1"], "expected fewer groups, found 2"),
    Application(
      conv([1], groups: 2), ["N 3 8", "2 2 1"], "expected x's channels (the weight's × 2 groups) to be 4, found 3"),
    Application(conv([1]), ["N 3 8", "4 3 1", "3"], "expected the bias's length to be 4, found 3"),
    Application(conv([1]), ["1 1 40000", "1 1 32768"], "expected a kernel of at most 32767, found 32768"),
    Application(conv([1]), ["N 3 2", "4 3 3"], "expected an extent of at least 3 with its padding, found 2"),
    Application(
      conv([1], dilations: [3], begin: [1], end: [1]), ["N 3 4", "4 3 3"],
      "expected an extent of at least 7 with its padding, found 6"),
    Application(
      conv([1], begin: [1]), ["1 1 2147483647", "1 1 1"], "expected a shorter extent, found 2147483648 with its padding"
    ),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

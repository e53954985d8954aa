import Testing

@testable import ERIFormat

@Suite struct `Contract of a reshape` {
  private static func reshape(_ shape: [Dimension]) -> Operator { .reshape(Reshape(shape)) }

  /// coefficient · N · T^count.
  private static func symbolic(_ coefficient: Int, t count: Int = 0) -> Dimension {
    Dimension(coefficient: coefficient, symbols: [0] + [Int](repeating: 1, count: count))
  }

  static let accepted = [
    Application(reshape([symbolic(1), Dimension(20)]), ["N 4 5"], "[N, 20]"),
    Application(reshape([symbolic(1, t: 1), Dimension(3)]), ["N T 3"], "[N·T, 3]"),
    Application(reshape([Dimension(6)]), ["2 3"], "[6]"),
    Application(reshape([]), ["1 1"], "[]"),
    Application(reshape([Dimension(2), symbolic(2)]), ["4·N"], "[2, 2·N]"),
    Application(reshape([Dimension(12)]), ["N 3"], "[12]"),
    Application(reshape([Dimension(0), Dimension(7)]), ["3 0"], "[0, 7]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(reshape([Dimension(6)]), [], "expected 1 input, found 0"),
    Application(reshape([Dimension(6)]), ["6", "6"], "expected 1 input, found 2"),
    Application(reshape([Dimension(6)]), ["-"], "expected x at position 0, found no input"),
    Application(reshape([Dimension(6)]), ["uint32 6"], "expected x of type float32, found uint32"),
    Application(reshape([Dimension(symbol: 2)]), ["6"], "expected symbols below 2, found 2"),
    Application(reshape([Dimension(symbol: -1)]), ["6"], "expected symbols below 2, found -1"),
    Application(reshape([Dimension(3), Dimension(7)]), ["4 5"], "expected 20 elements, found 21 in [3, 7]"),
    Application(reshape([Dimension(0)]), ["4"], "expected 4 elements, found 0 in [0]"),
    Application(
      reshape([Dimension(-2), Dimension(-3)]), ["6"], "expected extents of at least 0, found shape [-2, -3]"),
    Application(
      reshape([Dimension(65536), Dimension(65536)]), ["6"],
      "expected at most 2147483647 elements, found more in shape [65536, 65536]", .limitExceeded),
    Application(
      reshape([Dimension(6)]), ["65536 65536"],
      "expected at most 2147483647 elements, found more in shape [65536, 65536]", .limitExceeded),
    Application(
      reshape([symbolic(1, t: 16)]), ["N"],
      "expected at most 2147483647 elements, found more in shape [N·T·T·T·T·T·T·T·T·T·T·T·T·T·T·T·T]", .limitExceeded),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

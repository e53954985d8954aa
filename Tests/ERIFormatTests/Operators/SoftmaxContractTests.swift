import Testing

@testable import ERIFormat

@Suite struct `Contract of a softmax` {
  private static func softmax(_ axis: Int) -> Operator { .softmax(Softmax(axis: axis)) }

  static let accepted = [
    Application(softmax(1), ["N 2 T T"], "[N, 2, T, T]"),
    Application(softmax(0), ["3"], "[3]"),
    Application(softmax(2), ["N T 2·N"], "[N, T, 2·N]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(softmax(0), [], "expected 1 input, found 0"),
    Application(softmax(0), ["3", "3"], "expected 1 input, found 2"),
    Application(softmax(0), ["-"], "expected x at position 0, found no input"),
    Application(softmax(0), ["float16 3"], "expected x of type float32, found float16"),
    Application(softmax(2), ["N 3"], "expected an axis below 2, found 2"),
    Application(softmax(-1), ["N 3"], "expected an axis below 2, found -1"),
    Application(softmax(0), ["scalar"], "expected an axis below 0, found 0"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

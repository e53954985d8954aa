import Testing

@testable import ERIFormat

@Suite struct `Contract of a function of each element` {
  private static let relu = Operator.unary(Unary(.relu))

  static let accepted = [
    Application(.unary(Unary(.relu)), ["N T 8"], "[N, T, 8]"),
    Application(.unary(Unary(.sigmoid)), ["3"], "[3]"),
    Application(.unary(Unary(.gelu)), ["0 2"], "[0, 2]"),
    Application(.unary(Unary(.geluTanh)), ["2·N"], "[2·N]"),
    Application(.unary(Unary(.tanh)), ["N N"], "[N, N]"),
    Application(.unary(Unary(.exp)), ["1 1 1 1 1 1 1 1"], "[1, 1, 1, 1, 1, 1, 1, 1]"),
    Application(relu, ["scalar"], "[]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(relu, [], "expected 1 input, found 0"),
    Application(relu, ["3", "3"], "expected 1 input, found 2"),
    Application(relu, ["-"], "expected x at position 0, found no input"),
    Application(relu, ["bool 3"], "expected x of type float32, found bool"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

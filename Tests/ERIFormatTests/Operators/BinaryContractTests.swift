import Testing

@testable import ERIFormat

@Suite struct `Contract of a function of two elements` {
  private static let add = Operator.binary(Binary(.add))

  static let accepted = [
    Application(.binary(Binary(.add)), ["N 3", "N 3"], "[N, 3]"),
    Application(.binary(Binary(.subtract)), ["N 3", "N 3"], "[N, 3]"),
    Application(.binary(Binary(.multiply)), ["N 3", "N 3"], "[N, 3]"),
    Application(.binary(Binary(.divide)), ["N 3", "N 3"], "[N, 3]"),
    Application(add, ["N T 3", "3"], "[N, T, 3]"),
    Application(add, ["3", "N T 3"], "[N, T, 3]"),
    Application(add, ["N 1 3", "T 1"], "[N, T, 3]"),
    Application(add, ["scalar", "N"], "[N]"),
    Application(add, ["scalar", "scalar"], "[]"),
    Application(add, ["2 1 4", "3 1"], "[2, 3, 4]"),
    Application(add, ["N", "3"], "[3]"),
    Application(add, ["3", "N"], "[3]"),
    Application(add, ["N", "T"], "[?]"),
    Application(add, ["1", "N"], "[N]"),
    Application(add, ["2·N", "2·N"], "[2·N]"),
    Application(add, ["0", "1"], "[0]"),
    Application(add, ["1", "0"], "[0]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(add, ["3"], "expected 2 inputs, found 1"),
    Application(add, ["3", "3", "3"], "expected 2 inputs, found 3"),
    Application(add, ["-", "3"], "expected a at position 0, found no input"),
    Application(add, ["3", "-"], "expected b at position 1, found no input"),
    Application(add, ["int8 3", "3"], "expected a of type float32, found int8"),
    Application(add, ["3", "int8 3"], "expected b of type float32, found int8"),
    Application(add, ["N 3", "N 4"], "expected shapes that broadcast, found [N, 3] and [N, 4]"),
    Application(add, ["2 3", "3 1 2"], "expected shapes that broadcast, found [2, 3] and [3, 1, 2]"),
    Application(add, ["0", "2"], "expected shapes that broadcast, found [0] and [2]"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

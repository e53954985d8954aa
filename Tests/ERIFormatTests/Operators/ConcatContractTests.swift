import Testing

@testable import ERIFormat

@Suite struct `Contract of a concatenation` {
  private static func concat(_ axis: Int) -> Operator { .concat(Concat(axis: axis)) }

  static let accepted = [
    Application(concat(0), ["3"], "[3]"),
    Application(concat(1), ["N 3", "N 4", "N 5"], "[N, 12]"),
    Application(concat(1), ["N 3", "2 4"], "[2, 7]"),
    Application(concat(0), ["N 3", "T 3"], "[?, 3]"),
    Application(concat(1), ["N T 3", "N 4 3"], "[N, ?, 3]"),
    Application(concat(0), ["0 3", "2 3"], "[2, 3]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(concat(0), [], "expected 1 to 1024 inputs, found 0"),
    Application(concat(0), [String](repeating: "3", count: 1025), "expected 1 to 1024 inputs, found 1025"),
    Application(concat(0), ["-", "3"], "expected input 0 at position 0, found no input"),
    Application(concat(0), ["3", "-"], "expected input 1 at position 1, found no input"),
    Application(concat(0), ["int8 3"], "expected input 0 of type float32, found int8"),
    Application(concat(0), ["3", "int8 3"], "expected input 1 of type float32, found int8"),
    Application(concat(2), ["N 3"], "expected an axis below 2, found 2"),
    Application(concat(-1), ["N 3"], "expected an axis below 2, found -1"),
    Application(concat(0), ["scalar"], "expected an axis below 0, found 0"),
    Application(concat(0), ["N 3", "3"], "expected input 1 with 2 dimensions, found 1: [3]"),
    Application(concat(1), ["2 3", "3 3"], "expected extent 0 of the inputs to agree, found 2 and 3"),
    Application(concat(1), ["N 3", "2 3", "3 3"], "expected extent 0 of the inputs to agree, found 2 and 3"),
    Application(concat(0), ["2147483647", "1"], "expected a shorter axis, found 2147483647 + 1"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

import Testing

@testable import ERIFormat

@Suite struct `Contract of a transposition` {
  private static func transpose(_ permutation: Int...) -> Operator { .transpose(Transpose(permutation)) }

  static let accepted = [
    Application(transpose(0, 2, 1), ["N T 3"], "[N, 3, T]"),
    Application(transpose(2, 0, 1), ["2 3 4"], "[4, 2, 3]"),
    Application(transpose(0), ["5"], "[5]"),
    Application(transpose(), ["scalar"], "[]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(transpose(0), [], "expected 1 input, found 0"),
    Application(transpose(0), ["3", "3"], "expected 1 input, found 2"),
    Application(transpose(0), ["-"], "expected x at position 0, found no input"),
    Application(transpose(0), ["int16 3"], "expected x of type float32, found int16"),
    Application(transpose(1, 0), ["2 3 4"], "expected x with 2 dimensions, found 3: [2, 3, 4]"),
    Application(transpose(0, 0, 1), ["2 3 4"], "expected a permutation of 0..<3, found [0, 0, 1]"),
    Application(transpose(0, 1, 3), ["2 3 4"], "expected a permutation of 0..<3, found [0, 1, 3]"),
    Application(transpose(-1, 0, 1), ["2 3 4"], "expected a permutation of 0..<3, found [-1, 0, 1]"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

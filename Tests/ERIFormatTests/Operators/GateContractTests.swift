import Testing

@testable import ERIFormat

@Suite struct `Contract of a gate` {
  private static func gate(_ index: Int) -> Operator { .gate(Gate(index: index)) }

  static let accepted = [
    Application(gate(1), ["N T 8", "N 2"], "[N, T, 8]"),
    Application(gate(0), ["3", "T 1"], "[3]"),
    Application(gate(0), ["0", "0 1"], "[0]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(gate(0), ["N 8"], "expected 2 inputs, found 1"),
    Application(gate(0), ["N 8", "N 2", "N 2"], "expected 2 inputs, found 3"),
    Application(gate(0), ["-", "N 2"], "expected x at position 0, found no input"),
    Application(gate(0), ["N 8", "-"], "expected present at position 1, found no input"),
    Application(gate(0), ["int8 N 8", "N 2"], "expected x of type float32, found int8"),
    Application(gate(0), ["N 8", "bool N 2"], "expected present of type float32, found bool"),
    Application(gate(0), ["scalar", "N 2"], "expected x with at least 1 dimension, found a scalar"),
    Application(gate(0), ["N 8", "N"], "expected present with 2 dimensions, found 1: [N]"),
    Application(gate(0), ["2 8", "3 2"], "expected the batches of x and present to agree, found 2 and 3"),
    Application(gate(2), ["N 8", "N 2"], "expected a column of present [N, 2], found 2"),
    Application(gate(-1), ["N 8", "N 2"], "expected a column of present [N, 2], found -1"),
    Application(gate(0), ["N 8", "N T"], "expected a column of present [N, T], found 0"),
    Application(gate(0), ["N 8", "N 0"], "expected a column of present [N, 0], found 0"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

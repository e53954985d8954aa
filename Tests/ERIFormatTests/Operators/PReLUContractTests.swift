import Testing

@testable import ERIFormat

@Suite struct `Contract of a rectifier with slopes` {
  private static let prelu = Operator.prelu(PReLU())

  static let accepted = [
    Application(prelu, ["N 10 T T", "10"], "[N, 10, T, T]"),
    Application(prelu, ["N 128", "128"], "[N, 128]"),
    Application(prelu, ["2 N 5", "3"], "[2, N, 5]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(prelu, ["N 3"], "expected 2 inputs, found 1"),
    Application(prelu, ["N 3", "3", "3"], "expected 2 inputs, found 3"),
    Application(prelu, ["-", "3"], "expected x at position 0, found no input"),
    Application(prelu, ["int8 N 3", "3"], "expected x of type float32, found int8"),
    Application(prelu, ["3", "3"], "expected x with at least 2 dimensions, found [3]"),
    Application(prelu, ["N 3", "-"], "expected slope at position 1, found no input"),
    Application(prelu, ["N 3", "float64 3"], "expected slope of type float32, found float64"),
    Application(prelu, ["N 3", "3 1"], "expected slope with 1 dimension, found 2: [3, 1]"),
    Application(prelu, ["N 3 5", "5"], "expected slope's length and x's channels to agree, found 5 and 3"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

import Testing

@testable import ERIFormat

@Suite struct `Contract of a linear layer` {
  private static let linear = Operator.linear(Linear())

  static let accepted = [
    Application(linear, ["N T 8", "4 8"], "[N, T, 4]"),
    Application(linear, ["8", "4 8"], "[4]"),
    Application(linear, ["N 8", "4 8", "4"], "[N, 4]"),
    Application(linear, ["N 8", "4 8", "-"], "[N, 4]"),
    Application(linear, ["N T", "4 8"], "[N, 4]"),
    Application(linear, ["N 8", "4 8", "T"], "[N, 4]"),
    Application(linear, ["0 8", "0 8", "0"], "[0, 0]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(linear, ["N 8"], "expected 2 to 3 inputs, found 1"),
    Application(linear, ["N 8", "4 8", "4", "4"], "expected 2 to 3 inputs, found 4"),
    Application(linear, ["-", "4 8"], "expected x at position 0, found no input"),
    Application(linear, ["N 8", "-"], "expected weight at position 1, found no input"),
    Application(linear, ["uint8 N 8", "4 8"], "expected x of type float32, found uint8"),
    Application(linear, ["N 8", "bfloat16 4 8"], "expected weight of type float32, found bfloat16"),
    Application(linear, ["N 8", "4 8", "int32 4"], "expected bias of type float32, found int32"),
    Application(linear, ["scalar", "4 8"], "expected x with at least 1 dimension, found a scalar"),
    Application(linear, ["N 8", "4 8 1"], "expected weight with 2 dimensions, found 3: [4, 8, 1]"),
    Application(linear, ["N 7", "4 8"], "expected x's last extent and the weight's second to agree, found 7 and 8"),
    Application(linear, ["N 8", "4 8", "1 4"], "expected bias with 1 dimension, found 2: [1, 4]"),
    Application(
      linear, ["N 8", "4 8", "5"], "expected the bias's length and the weight's first extent to agree, found 5 and 4"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

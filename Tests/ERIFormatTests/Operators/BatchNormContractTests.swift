import Testing

@testable import ERIFormat

@Suite struct `Contract of batch norm` {
  private static let norm = Operator.batchNorm(BatchNorm())

  private static func norm(epsilon: Float) -> Operator { .batchNorm(BatchNorm(epsilon: epsilon)) }

  static let accepted = [
    Application(norm, ["N 3 8 8", "3", "3", "3", "3"], "[N, 3, 8, 8]"),
    Application(norm, ["N 3", "3", "3", "3", "3"], "[N, 3]"),
    Application(norm, ["N T 4", "T", "T", "T", "T"], "[N, T, 4]"),
    Application(norm, ["N T 4", "3", "3", "3", "3"], "[N, T, 4]"),
    Application(norm(epsilon: 0), ["2 3 5", "3", "3", "3", "3"], "[2, 3, 5]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(norm, ["N 3 8", "3", "3", "3"], "expected 5 inputs, found 4"),
    Application(norm, ["N 3 8", "3", "3", "3", "3", "3", "3", "3", "3"], "expected 5 inputs, found 9"),
    Application(
      norm(epsilon: -1), ["N 3 8", "3", "3", "3", "3"], "expected a finite epsilon of at least 0, found -1.0"),
    Application(
      norm(epsilon: .infinity), ["N 3 8", "3", "3", "3", "3"], "expected a finite epsilon of at least 0, found inf"),
    Application(
      norm(epsilon: .nan), ["N 3 8", "3", "3", "3", "3"], "expected a finite epsilon of at least 0, found nan"),
    Application(norm, ["-", "3", "3", "3", "3"], "expected x at position 0, found no input"),
    Application(norm, ["int32 N 3 8", "3", "3", "3", "3"], "expected x of type float32, found int32"),
    Application(norm, ["3", "3", "3", "3", "3"], "expected x with at least 2 dimensions, found [3]"),
    Application(
      norm, ["N 3 8", "4", "3", "3", "3"], "expected scale's length and x's channels to agree, found 4 and 3"),
    Application(norm, ["N 3 8", "3 1", "3", "3", "3"], "expected scale with 1 dimension, found 2: [3, 1]"),
    Application(norm, ["N 3 8", "-", "3", "3", "3"], "expected scale at position 1, found no input"),
    Application(norm, ["N 3 8", "bool 3", "3", "3", "3"], "expected scale of type float32, found bool"),
    Application(
      norm, ["N 3 8", "3", "4", "3", "3"], "expected bias's length and x's channels to agree, found 4 and 3"),
    Application(norm, ["N 3 8", "3", "3 1", "3", "3"], "expected bias with 1 dimension, found 2: [3, 1]"),
    Application(norm, ["N 3 8", "3", "-", "3", "3"], "expected bias at position 2, found no input"),
    Application(norm, ["N 3 8", "3", "bool 3", "3", "3"], "expected bias of type float32, found bool"),
    Application(
      norm, ["N 3 8", "3", "3", "4", "3"], "expected mean's length and x's channels to agree, found 4 and 3"),
    Application(norm, ["N 3 8", "3", "3", "3 1", "3"], "expected mean with 1 dimension, found 2: [3, 1]"),
    Application(norm, ["N 3 8", "3", "3", "-", "3"], "expected mean at position 3, found no input"),
    Application(norm, ["N 3 8", "3", "3", "bool 3", "3"], "expected mean of type float32, found bool"),
    Application(
      norm, ["N 3 8", "3", "3", "3", "4"], "expected variance's length and x's channels to agree, found 4 and 3"),
    Application(norm, ["N 3 8", "3", "3", "3", "3 1"], "expected variance with 1 dimension, found 2: [3, 1]"),
    Application(norm, ["N 3 8", "3", "3", "3", "-"], "expected variance at position 4, found no input"),
    Application(norm, ["N 3 8", "3", "3", "3", "bool 3"], "expected variance of type float32, found bool"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

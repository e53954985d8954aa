import Testing

@testable import ERIFormat

@Suite struct `Contract of weight norm` {
  private static let norm = Operator.weightNorm(WeightNorm())

  static let accepted = [
    Application(norm, ["64 32 3", "64 1 1"], "[64, 32, 3]"),
    Application(norm, ["N 3", "N 1"], "[N, 3]"),
    Application(norm, ["N 3", "4 1"], "[N, 3]"),
    Application(norm, ["4 3", "4 T"], "[4, 3]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(norm, ["4 3"], "expected 2 inputs, found 1"),
    Application(norm, ["4 3", "4 3", "4 3"], "expected 2 inputs, found 3"),
    Application(norm, ["-", "4 1"], "expected v at position 0, found no input"),
    Application(norm, ["4 3", "-"], "expected g at position 1, found no input"),
    Application(norm, ["int8 4 3", "4 1"], "expected v of type float32, found int8"),
    Application(norm, ["4 3", "int8 4 1"], "expected g of type float32, found int8"),
    Application(norm, ["3", "3"], "expected v with at least 2 dimensions, found [3]"),
    Application(norm, ["4 3 1", "4 1"], "expected g with 3 dimensions, found 2: [4, 1]"),
    Application(norm, ["4 3", "3 1"], "expected the first extents of g and v to agree, found 3 and 4"),
    Application(norm, ["4 3 5", "4 2 1"], "expected g's extent 1 to be 1, found 2"),
    Application(norm, ["4 3 5", "4 1 5"], "expected g's extent 2 to be 1, found 5"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

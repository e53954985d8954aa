import Testing

@testable import ERIFormat

@Suite struct `Contract of attention pooling` {
  private static let pool = Operator.attentionPool(AttentionPool())

  static let accepted = [
    Application(pool, ["N 32 512", "1 512", "1"], "[N, 512]"),
    Application(pool, ["N T 8", "1 8", "1"], "[N, 8]"),
    Application(pool, ["2 3 T", "N T", "N"], "[2, T]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(pool, ["N 5 4", "1 4"], "expected 3 inputs, found 2"),
    Application(pool, ["N 5 4", "1 4", "1", "1"], "expected 3 inputs, found 4"),
    Application(pool, ["-", "1 4", "1"], "expected x at position 0, found no input"),
    Application(pool, ["float16 N 5 4", "1 4", "1"], "expected x of type float32, found float16"),
    Application(pool, ["5 4", "1 4", "1"], "expected x with 3 dimensions, found 2: [5, 4]"),
    Application(pool, ["N 5 4", "-", "1"], "expected weight at position 1, found no input"),
    Application(pool, ["N 5 4", "float16 1 4", "1"], "expected weight of type float32, found float16"),
    Application(pool, ["N 5 4", "4", "1"], "expected weight with 2 dimensions, found 1: [4]"),
    Application(pool, ["N 5 4", "1 4", "-"], "expected bias at position 2, found no input"),
    Application(pool, ["N 5 4", "1 4", "float16 1"], "expected bias of type float32, found float16"),
    Application(pool, ["N 5 4", "1 4", "1 1"], "expected bias with 1 dimension, found 2: [1, 1]"),
    Application(pool, ["N 5 4", "2 4", "1"], "expected the weight's first extent to be 1, found 2"),
    Application(
      pool, ["N 5 4", "1 5", "1"], "expected the weight's second extent and x's width to agree, found 5 and 4"),
    Application(pool, ["N 5 4", "1 4", "2"], "expected the bias's length to be 1, found 2"),
    Application(pool, ["N 0 4", "1 4", "1"], "expected at least one element to pool, found none"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

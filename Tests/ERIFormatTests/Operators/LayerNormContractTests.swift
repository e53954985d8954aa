import Testing

@testable import ERIFormat

@Suite struct `Contract of layer norm` {
  private static let norm = Operator.layerNorm(LayerNorm())
  private static let unbiased = Operator.layerNorm(LayerNorm(form: .unbiasedDeviation))

  private static func norm(epsilon: Float) -> Operator { .layerNorm(LayerNorm(epsilon: epsilon)) }

  static let accepted = [
    Application(norm, ["N T 8", "8", "8"], "[N, T, 8]"),
    Application(unbiased, ["N 2", "2", "2"], "[N, 2]"),
    Application(norm, ["1", "1", "1"], "[1]"),
    Application(norm, ["N T", "8", "T"], "[N, T]"),
    Application(norm(epsilon: 0), ["N 8", "8", "8"], "[N, 8]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(norm, ["N 8", "8"], "expected 3 inputs, found 2"),
    Application(norm, ["N 8", "8", "8", "8"], "expected 3 inputs, found 4"),
    Application(norm(epsilon: -1), ["N 8", "8", "8"], "expected a finite epsilon of at least 0, found -1.0"),
    Application(norm(epsilon: .infinity), ["N 8", "8", "8"], "expected a finite epsilon of at least 0, found inf"),
    Application(norm(epsilon: .nan), ["N 8", "8", "8"], "expected a finite epsilon of at least 0, found nan"),
    Application(norm, ["-", "8", "8"], "expected x at position 0, found no input"),
    Application(norm, ["uint16 N 8", "8", "8"], "expected x of type float32, found uint16"),
    Application(norm, ["scalar", "8", "8"], "expected x with at least 1 dimension, found a scalar"),
    Application(norm, ["N 0", "0", "0"], "expected a last extent of at least 1, found 0"),
    Application(unbiased, ["N 1", "1", "1"], "expected a last extent of at least 2, found 1"),
    Application(norm, ["N 8", "7", "8"], "expected gain's length and x's last extent to agree, found 7 and 8"),
    Application(norm, ["N 8", "8 1", "8"], "expected gain with 1 dimension, found 2: [8, 1]"),
    Application(norm, ["N 8", "-", "8"], "expected gain at position 1, found no input"),
    Application(norm, ["N 8", "uint64 8", "8"], "expected gain of type float32, found uint64"),
    Application(norm, ["N 8", "8", "7"], "expected bias's length and x's last extent to agree, found 7 and 8"),
    Application(norm, ["N 8", "8", "8 1"], "expected bias with 1 dimension, found 2: [8, 1]"),
    Application(norm, ["N 8", "8", "-"], "expected bias at position 2, found no input"),
    Application(norm, ["N 8", "8", "uint64 8"], "expected bias of type float32, found uint64"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}

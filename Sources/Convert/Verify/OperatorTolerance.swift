import ERIFormat

/// How far float32 may stay from Double at one operator, as a share of the largest absolute value of its output.
enum OperatorTolerance {
  /// The rounding error of one operation relative to its result.
  static let unit = 0x1p-24

  /// Operators that mean the same lie no further apart than this in Double: a few roundings of their weights to float32.
  static let meaning = 8 * unit

  /// Rounding errors of a sum of n products grow like √n u where they are independent; 8 covers the largest of many outputs, and
  /// 4 the roundings of bias, activation and result (activations are fits good to about 7 u).
  static func share(_ op: Operator, _ inputs: [[Int]?]) -> Double {
    8 * (Double(reductionLength(op, inputs)).squareRoot() + 4) * unit
  }

  /// Terms of the sums that an output element is made of.
  static func reductionLength(_ op: Operator, _ inputs: [[Int]?]) -> Int {
    func shape(_ index: Int) -> [Int] { index < inputs.count ? inputs[index] ?? [] : [] }
    switch op {
    case .conv: return max(1, shape(1).dropFirst().reduce(1, *))
    case .linear: return max(1, shape(1).last ?? 1)
    // The exponential turns a score's absolute error into a relative one, so scores count several times.
    case .attention(let op):
      let width = (shape(0).last ?? 1) / max(1, op.heads)
      return max(1, 16 * width + (shape(1).count > 1 ? shape(1)[1] : 1))
    case .attentionPool: return max(1, 16 * (shape(0).last ?? 1))
    // Mean and variance are two sums, each over the row.
    case .layerNorm: return max(1, 2 * (shape(0).last ?? 1))
    case .weightNorm: return max(1, shape(0).dropFirst().reduce(1, *))
    case .softmax: return max(1, 16 * (shape(0).max() ?? 1))
    // A product's second operand without its outputs, or a reduction over most of the first.
    case .onnx: return max(1, shape(1).dropFirst().reduce(1, *), shape(0).suffix(2).reduce(1, *))
    case .batchNorm, .maxPool, .unary, .binary, .concat, .reshape, .transpose, .gate, .prelu: return 1
    }
  }
}

import ERIFormat

/// How far float32 may stay from Double at one operator, as a share of the largest absolute value of its output.
enum OperatorTolerance {
  /// The rounding error of one operation relative to its result.
  static let unit = 0x1p-24

  /// Operators that mean the same lie no further apart than this in Double: a few roundings of their weights to float32.
  static let meaning = 8 * unit

  /// Rounding errors of a sum of n products grow like √n u where they are independent; 8 covers the largest of many outputs, and
  /// 4 the roundings of bias, activation and result (activations are fits good to about 7 u).
  static func share(_ op: Operator, _ inputs: [[Int]?], _ output: [Int], _ dtype: DType) -> Double {
    8 * (Double(reductionLength(op, inputs, output)).squareRoot() + 4) * unit(dtype)
  }

  /// Integers are exact; Double is held to float32's rounding.
  private static func unit(_ dtype: DType) -> Double {
    switch dtype {
    case .f64, .f32: unit
    case .f16: 0x1p-11
    case .bf16: 0x1p-8
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4: 0
    }
  }

  /// Terms of the sums that an output element is made of.
  private static func reductionLength(_ op: Operator, _ inputs: [[Int]?], _ output: [Int]) -> Int {
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
    case .onnx(let op): return max(1, reductionLength(op, shape, output))
    case .batchNorm, .maxPool, .unary, .binary, .concat, .reshape, .transpose, .gate, .prelu: return 1
    }
  }

  private static func reductionLength(_ op: ONNXOperator, _ shape: (Int) -> [Int], _ output: [Int]) -> Int {
    let first = shape(0)
    switch op.qualifiedName {
    case "Conv", "DeformConv", "CausalConvWithState": return shape(1).dropFirst().reduce(1, *)
    case "ConvTranspose": return shape(1).reduce(1, *) / max(1, shape(1).count > 1 ? shape(1)[1] : 1)
    case "MatMul": return first.last ?? 1
    case "Gemm": return op.attribute("transA") == .integer(1) ? first.first ?? 1 : first.last ?? 1
    // Some axes of the operands are summed over; all of them are an upper bound.
    case "Einsum": return max(first.reduce(1, *), shape(1).reduce(1, *))
    case "Attention", "LinearAttention", "FlexAttention":
      // Scores as above; axis -2 of the keys is their number.
      return 16 * (first.last ?? 1) + (shape(1).suffix(2).first ?? 1)
    case "LSTM", "GRU", "RNN":
      // Errors travel on from step to step.
      return (max(1, shape(1).last ?? 1) + (shape(2).last ?? 1)) * max(1, first.max() ?? 1)
    case "Softmax", "LogSoftmax", "SoftmaxCrossEntropyLoss": return 16 * (first.max() ?? 1)
    case "LayerNormalization", "RMSNormalization", "MeanVarianceNormalization", "LpNormalization":
      return 2 * first.dropFirst().reduce(1, *)
    case "InstanceNormalization", "GroupNormalization": return 2 * first.dropFirst().reduce(1, *)
    case "LRN", "CumSum", "CumProd": return first.max() ?? 1
    case "AveragePool", "LpPool":
      guard case .integers(let kernel)? = op.attribute("kernel_shape") else { return 1 }
      return kernel.reduce(1) { $0 * Int(clamping: max(1, $1)) }
    case "DFT", "STFT": return 16 * (first.max() ?? 1)
    case "Det": return first.suffix(2).reduce(1, *)
    // Sixteen pixels, each by a weight that is computed from its place.
    case "Resize", "Upsample", "GridSample", "RoiAlign", "AffineGrid": return 256
    case "ai.onnx.ml.LinearClassifier", "ai.onnx.ml.LinearRegressor", "ai.onnx.ml.SVMClassifier",
      "ai.onnx.ml.SVMRegressor":
      return 16 * (first.last ?? 1)
    case "ai.onnx.ml.TreeEnsemble", "ai.onnx.ml.TreeEnsembleClassifier", "ai.onnx.ml.TreeEnsembleRegressor": return 1024
    // An element-wise operator gives as much as it takes, a reduction less by what it sums.
    default: return first.reduce(1, *) / max(1, output.reduce(1, *))
    }
  }
}

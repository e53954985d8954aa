import CAllocationCounter
import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct AllocationTests {
  private typealias Operand = Application.Operand
  private typealias Run = (op: Application, operands: [Operand?])

  @Test func `no run allocates`() throws {
    for (op, operands) in runs {
      let prepared = try op.prepare(operands)
      // Whatever is made once, at the first call, is no allocation of a run.
      let first = prepared.run()
      let before = allocation_count()
      let fault = prepared.run()
      let count = allocation_count() - before
      #expect(first == nil && fault == nil, "\(op.op.qualifiedName)")
      #expect(count == 0, "\(op.op.qualifiedName)")
    }
  }

  @Test func `a fault allocates nothing either`() throws {
    let x = Operand.f32([1, 1, 1, 2], [1, 2])
    let prepared = try Application("RotaryEmbedding", opset: 23)
      .prepare([x, .f32([2, 1], 0), .f32([2, 1], 0), .i64([1, 1], [7])])
    let before = allocation_count()
    let fault = prepared.run()
    #expect(allocation_count() == before)
    #expect(fault != nil)
  }

  private var runs: [Run] { attention + recurrent + signals + moved + elementwise + folded + windows }

  private var attention: [Run] {
    let tokens = Operand.f32([2, 2, 3, 4], 0.5)
    let half = Operand(.f16, [2, 2, 3, 4], [Float16](repeating: 0.5, count: 48))
    let double = Operand(.f64, [2, 2, 3, 4], [Double](repeating: 0.5, count: 48))
    let causal = Application(
      "Attention", opset: 23, [ONNXAttribute("is_causal", .integer(1)), ONNXAttribute("softcap", .number(2))],
      outputs: 4)
    let heads = [ONNXAttribute("q_num_heads", .integer(2)), ONNXAttribute("kv_num_heads", .integer(1))]
    return [
      (causal, [tokens, tokens, tokens, .bool([3, 6], [Bool](repeating: true, count: 18)), tokens, tokens]),
      (causal, [half, half, half]), (causal, [double, double, double]),
      (
        Application("RotaryEmbedding", opset: 23),
        [tokens, .f32([4, 2], 1), .f32([4, 2], 0), .i64([2, 3], [0, 1, 2, 3, -1, 0])]
      ),
      (
        Application("LinearAttention", opset: 27, heads, outputs: 2),
        [.f32([1, 3, 4], 1), .f32([1, 3, 2], 1), .f32([1, 3, 2], 1), nil, .f32([1, 3, 1], -1), .f32([1, 3, 1], 1)]
      ),
    ]
  }

  private var recurrent: [Run] {
    let x = Operand.f32([3, 2, 4], 0.5)
    return [("RNN", 1), ("GRU", 3), ("LSTM", 4)].flatMap { name, gates -> [Run] in
      let weights = [Operand.f32([2, gates * 5, 4], 0.1), .f32([2, gates * 5, 5], 0.1), .f32([2, gates * 10], 0.1)]
      let lengths = Operand(.i32, [2], [Int32(3), 1])
      return [Int64(0), 1].map { resets in
        let attributes = [
          ONNXAttribute("direction", .text("bidirectional")), ONNXAttribute("clip", .number(0.3)),
          ONNXAttribute("linear_before_reset", .integer(resets)),
        ]
        return (Application(name, opset: 22, attributes, outputs: 2), [x] + weights + [lengths])
      }
    }
  }

  private var signals: [Run] {
    let oneSided = [ONNXAttribute("onesided", .integer(1))]
    return [
      (Application("DFT", opset: 20, oneSided), [.f32([2, 12, 1], 1)]),
      (Application("DFT", opset: 20, [ONNXAttribute("inverse", .integer(1))]), [.f32([2, 8, 2], 1)]),
      (Application("STFT", opset: 17), [.f32([1, 20, 1], 1), .i64([], [3]), .f32([6], 0.5)]),
      (Application("HammingWindow", opset: 17), [.i64([], [9])]),
      (
        Application("MelWeightMatrix", opset: 17),
        [.i64([], [4]), .i64([], [32]), .i64([], [8000]), .f32([], 0), .f32([], 4000)]
      ),
    ]
  }

  private let x = Operand.f32([2, 3, 4], 0.5)

  private var moved: [Run] {
    let indices = Operand.i64([2, 3, 4], [Int64](repeating: 1, count: 24))
    return [
      (Application("Reshape", opset: 14), [x, .i64([0, -1])]),
      (Application("Transpose", opset: 21), [x]),
      (Application("Slice", opset: 13), [x, .i64([0]), .i64([3]), .i64([2]), .i64([2])]),
      (Application("Concat", opset: 13, [ONNXAttribute("axis", .integer(1))]), [x, x]),
      (Application("Pad", opset: 21), [x, .i64([1, 0, 0, 0, 1, 0])]),
      (Application("Gather", opset: 13), [x, .i64([1, -1])]),
      (Application("ScatterElements", opset: 18), [x, indices, x]),
      (Application("NonZero", opset: 13), [x]),
      (Application("Unique", opset: 11, outputs: 4), [x]),
      (Application("Cast", opset: 21, [ONNXAttribute("to", .integer(10))]), [x]),
    ]
  }

  private var elementwise: [Run] {
    let half = Operand(.f16, [4], [Float16](repeating: 2, count: 4))
    return [
      (Application("Add", opset: 14), [x, .f32([4], 1)]), (Application("Mul", opset: 14), [half, half]),
      (Application("Exp", opset: 13), [x]), (Application("Gelu", opset: 20), [x]),
      (Application("Pow", opset: 15), [x, .i64([], [2])]), (Application("Max", opset: 13), [x, .f32([3, 1], 1), x]),
      (Application("Less", opset: 13), [x, .f32([1], 1)]), (Application("Clip", opset: 13), [x, .f32([], 0), nil]),
      (Application("Where", opset: 16), [.bool([4], [true, false, true, false]), x, .f32([], 0)]),
      (Application("QuantizeLinear", opset: 21), [x, .f32([], 0.1)]),
    ]
  }

  private var folded: [Run] {
    [
      (Application("ReduceSum", opset: 18), [x, .i64([1])]), (Application("ArgMax", opset: 13), [x]),
      (Application("CumSum", opset: 14), [x, .i64([], [2])]),
      (Application("TopK", opset: 11, outputs: 2), [x, .i64([2])]),
      (Application("Softmax", opset: 13), [x]), (Application("LayerNormalization", opset: 17), [x, .f32([4], 1)]),
      (Application("MatMul", opset: 13), [x, .f32([4, 2], 1)]),
      (Application("Einsum", opset: 12, [ONNXAttribute("equation", .text("bij,bkj->bik"))]), [x, x]),
    ]
  }

  private var windows: [Run] {
    let image = Operand.f32([1, 2, 5, 5], 0.5)
    let kernel = ONNXAttribute("kernel_shape", .integers([3, 3]))
    return [
      (Application("Conv", opset: 22), [image, .f32([3, 2, 3, 3], 1), .f32([3], 1)]),
      (Application("ConvTranspose", opset: 22), [image, .f32([2, 3, 3, 3], 1)]),
      (Application("MaxPool", opset: 22, [kernel], outputs: 2), [image]),
      (Application("AveragePool", opset: 22, [kernel]), [image]),
      (Application("GlobalAveragePool", opset: 22), [image]),
    ]
  }
}

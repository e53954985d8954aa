import ERIFormat
import ERITestSupport
import Testing

@testable import ERIONNX

/// With queries of 0 every key that is seen weighs the same, so that results are means of values.
@Suite struct AttentionTests {
  private let query = Application.Operand.f32([1, 1, 2, 1], 0)
  private let key = Application.Operand.f32([1, 1, 2, 1], 0)
  private let value = Application.Operand.f32([1, 1, 2, 1], [2, 4])

  private func attention(opset: Int = 24, _ attributes: [ONNXAttribute] = [], outputs: Int = 1) -> Application {
    Application("Attention", opset: opset, attributes, outputs: outputs)
  }

  @Test func `a causal query sees what was cached and no key after its own`() throws {
    let causal = attention([ONNXAttribute("is_causal", .integer(1))])
    let past = (key: Application.Operand.f32([1, 1, 1, 1], 0), value: Application.Operand.f32([1, 1, 1, 1], 9))
    #expect(try causal.floats([query, key, value]) == [2, 3])
    #expect(try causal.floats([query, key, value, nil, past.key, past.value]) == [5.5, 5])
  }

  @Test func `present values are those of the past and the new ones behind them`() throws {
    let past = (key: Application.Operand.f32([1, 1, 1, 1], 0), value: Application.Operand.f32([1, 1, 1, 1], 9))
    let operands = [query, key, value, nil, past.key, past.value]
    #expect(try attention(outputs: 3).floats(operands, output: 2) == [9, 2, 4])
  }

  @Test func `a query that sees no key gets zeros, not NaN`() throws {
    let mask = Application.Operand.bool([2, 2], [false, false, true, false])
    #expect(try attention().floats([query, key, value, mask]) == [0, 2])
  }

  @Test func `keys of padding are not seen, whatever number counts the others`() throws {
    func counted(_ count: Int64) throws -> [Float] {
      try attention().floats([query, key, value, nil, nil, nil, .i64([count])])
    }
    #expect(try counted(1) == [2, 2])
    #expect(try counted(Int64.min) == [0, 0])
    #expect(try counted(Int64.max) == [3, 3])
  }

  @Test func `a window restricts a query to keys about its own position`() throws {
    let window = attention(
      opset: 25,
      [ONNXAttribute("left_window_size", .integer(0)), ONNXAttribute("right_window_size", .integer(0))])
    #expect(try window.floats([query, key, value]) == [2, 4])
  }

  @Test func `a mask shorter than the keys hides the rest from operator set 24 on`() throws {
    let mask = Application.Operand.bool([2, 1], [true, true])
    #expect(try attention(opset: 24).floats([query, key, value, mask]) == [2, 2])
    #expect(try attention(opset: 23).floats([query, key, value, mask]) == [3, 3])
  }

  @Test func `query heads share a key head in groups, packed into the last of 3 dimensions`() throws {
    let grouped = attention([ONNXAttribute("q_num_heads", .integer(4)), ONNXAttribute("kv_num_heads", .integer(2))])
    let operands = [Application.Operand.f32([1, 1, 4], 0), .f32([1, 1, 2], 0), .f32([1, 1, 2], [2, 4])]
    #expect(try grouped.floats(operands) == [2, 2, 4, 4])
  }

  @Test func `the fourth output holds the scores before or after the softcap`() throws {
    func scores(_ mode: Int64) throws -> [Float] {
      let capped = attention(
        [
          ONNXAttribute("softcap", .number(4)), ONNXAttribute("scale", .number(1)),
          ONNXAttribute("qk_matmul_output_mode", .integer(mode)),
        ], outputs: 4)
      let one = [1, 1, 1, 1]
      return try capped.floats([.f32(one, 2), .f32(one, 3), .f32(one, 1)], output: 3)
    }
    #expect(try scores(0) == [6])
    // 4 tanh(6 / 4)
    #expect(relativeDifference(try scores(1), [3.62059301459]) <= Tolerance.elements.bound)
  }

  @Test func `present values keep their own type beside a query of float16`() throws {
    let half = Application.Operand(.f16, [1, 1, 1, 1], [Float16(1)])
    let kernel = try attention(outputs: 3).kernel([half, half, .f32([1, 1, 1, 1], 2)])
    #expect(kernel.outputs.map { $0.dtype } == [.f16, .f16, .f32])
  }

  @Test func `heads that do not divide are refused`() {
    let error = #expect(throws: FormatError.self) {
      try attention().kernel([.f32([1, 3, 1, 1], 0), .f32([1, 2, 1, 1], 0), .f32([1, 2, 1, 1], 0)])
    }
    #expect(error?.message == "expected the heads of q to be a multiple of k's, found 3 and 2")
  }

  @Test func `a cache of keys alone is refused`() {
    let error = #expect(throws: FormatError.self) { try attention().kernel([query, key, value, nil, key]) }
    #expect(error?.message == "expected past_key and past_value together, found one of them")
  }
}

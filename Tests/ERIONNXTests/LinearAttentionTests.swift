import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct LinearAttentionTests {
  private func attention(_ rule: String, heads: Int64 = 1) -> Application {
    Application(
      "LinearAttention", opset: 27,
      [
        ONNXAttribute("q_num_heads", .integer(heads)), ONNXAttribute("kv_num_heads", .integer(1)),
        ONNXAttribute("scale", .number(1)), ONNXAttribute("update_rule", .text(rule)),
      ], outputs: 2)
  }
  /// Two tokens of one element.
  private let ones = Application.Operand.f32([1, 2, 1], 1)
  private let value = Application.Operand.f32([1, 2, 1], [2, 6])

  @Test func `a linear state sums values along their keys`() throws {
    #expect(try attention("linear").floats([ones, ones, value]) == [2, 8])
  }

  @Test func `a delta moves the state by a share of what it lacks`() throws {
    let half = Application.Operand.f32([1, 2, 1], 0.5)
    #expect(try attention("delta").floats([ones, ones, value, nil, nil, half]) == [1, 3.5])
  }

  @Test func `query heads read the state that they share`() throws {
    let queries = Application.Operand.f32([1, 2, 2], [1, 2, 3, 4])
    #expect(try attention("linear", heads: 2).floats([queries, ones, value]) == [2, 4, 24, 32])
  }

  @Test func `a state of float32 beside tokens of float16 stays float32`() throws {
    let half = Application.Operand(.f16, [1, 1, 1], [Float16(1)])
    let kernel = try attention("linear").kernel([half, half, half, .f32([1, 1, 1, 1], 0)])
    #expect(kernel.outputs.map { $0.dtype } == [.f16, .f32])
  }

  @Test func `a gated rule without decay is refused`() {
    let error = #expect(throws: FormatError.self) { try attention("gated").kernel([ones, ones, value]) }
    #expect(error?.message == "expected decay and no beta with update_rule gated, found otherwise")
  }
}

import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct QuantizationTests {
  @Test func `a quotient rounds to even and saturates`() throws {
    let operands: [Application.Operand] = [
      .f32([4], [1, 3, 1000, -1000]), .f32([], 2), .init(.u8, [], [UInt8(10)]),
    ]
    let result = try Application("QuantizeLinear", opset: 13).run(operands)
    #expect(result.results[0].values(UInt8.self) == [10, 12, 255, 0])
  }

  @Test func `each index of an axis has its scale`() throws {
    let operands: [Application.Operand] = [
      .init(.i8, [2, 2], [Int8(1), 2, 3, 4]), .f32([2], [1, 10]), .init(.i8, [2], [Int8(0), 1]),
    ]
    let result = try Application("DequantizeLinear", opset: 13, [ONNXAttribute("axis", .integer(0))]).run(operands)
    #expect(result.results[0].values(Float.self) == [1, 2, 20, 30])
  }

  @Test func `a block of an axis shares a scale, the last one being shorter`() throws {
    let attributes = [ONNXAttribute("axis", .integer(0)), ONNXAttribute("block_size", .integer(2))]
    let result = try Application("DequantizeLinear", opset: 21, attributes).run(
      [.init(.i8, [3, 1], [Int8(1), 2, 3]), .f32([2, 1], [1, 10])])
    #expect(result.results[0].values(Float.self) == [1, 2, 30])
  }

  @Test func `a scale of another length than the axis is refused`() {
    #expect(
      text(Application("QuantizeLinear", opset: 13), [.f32([2, 3], 0), .f32([2], 1)])
        == "expected a scale of shape [3], found [2]")
  }

  @Test func `a range of one number gives a scale that divides`() throws {
    let result = try Application("DynamicQuantizeLinear", opset: 11, outputs: 3).run([.f32([2], 0)])
    #expect(result.results[0].values(UInt8.self) == [0, 0])
    #expect(result.results[1].values(Float.self) == [1.0 / 255])
  }
}

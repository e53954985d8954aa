import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct ReductionTests {
  private let x = Application.Operand.f32([2, 3, 2], (0..<12).map { Float($0) })

  @Test func `axes apart from each other are folded together`() throws {
    let result = try Application("ReduceSum", opset: 13).run([x, .i64([0, -1])])
    #expect(result.results[0].shape == [1, 3, 1])
    #expect(result.results[0].values(Float.self) == [14, 22, 30])
  }

  @Test func `older operator sets have axes as an attribute`() throws {
    let attributes = [ONNXAttribute("axes", .integers([1])), ONNXAttribute("keepdims", .integer(0))]
    let result = try Application("ReduceMax", opset: 7, attributes).run([x])
    #expect(result.results[0].shape == [2, 2])
    #expect(result.results[0].values(Float.self) == [4, 5, 10, 11])
  }

  @Test func `without axes nothing is folded if told so, but each element is squared`() throws {
    let result = try Application("ReduceSumSquare", opset: 18, [ONNXAttribute("noop_with_empty_axes", .integer(1))])
      .run([.f32([2], [-2, 3])])
    #expect(result.results[0].values(Float.self) == [4, 9])
  }

  @Test(arguments: [
    ("ReduceSum", Float(0)), ("ReduceProd", 1), ("ReduceMax", -Float.infinity), ("ReduceLogSum", -Float.infinity),
  ])
  func `the fold of nothing is its identity`(name: String, expected: Float) throws {
    let result = try Application(name, opset: 20).run([.f32([0, 1], 0), .i64([0])])
    #expect(result.results[0].values(Float.self) == [expected])
  }

  @Test func `the log of a sum of powers does not overflow`() throws {
    let result = try Application("ReduceLogSumExp", opset: 18).run([.f32([2], 1000)])
    #expect(result.results[0].values(Float.self) == [1000.6931])
  }

  @Test func `an axis given twice is refused`() {
    #expect(
      text(Application("ReduceSum", opset: 13), [x, .i64([0, -3])])
        == "expected each axis once, found -3 again")
  }

  @Test func `of equal elements the first is taken, or the last if told so`() throws {
    let operand = Application.Operand.f32([4], [1, 5, 5, 2])
    let last = [ONNXAttribute("select_last_index", .integer(1))]
    #expect(try Application("ArgMax", opset: 13).run([operand]).results[0].values(Int64.self) == [1])
    #expect(try Application("ArgMax", opset: 13, last).run([operand]).results[0].values(Int64.self) == [2])
  }

  @Test func `the greatest come first, of equal ones the earlier`() throws {
    let result = try Application("TopK", opset: 11, outputs: 2).run([.f32([5], [3, 1, 4, 4, 0]), .i64([3])])
    #expect(result.results[0].values(Float.self) == [4, 4, 3])
    #expect(result.results[1].values(Int64.self) == [2, 3, 0])
  }

  @Test func `more than there are cannot be taken`() {
    #expect(
      text(Application("TopK", opset: 11, outputs: 2), [.f32([2], 0), .i64([3])])
        == "expected k from 0 to 2, found 3")
  }

  @Test func `a sum from the end leaves the element itself out if told so`() throws {
    let attributes = [ONNXAttribute("exclusive", .integer(1)), ONNXAttribute("reverse", .integer(1))]
    let result = try Application("CumSum", opset: 14, attributes).run([.f32([3], [1, 2, 3]), .i64([], [0])])
    #expect(result.results[0].values(Float.self) == [5, 3, 0])
  }

  @Test func `a softmax before operator set 13 takes all axes from one on`() throws {
    let result = try Application("Softmax", opset: 11).run([.f32([1, 2, 2], 7)])
    #expect(result.results[0].values(Float.self) == [0.25, 0.25, 0.25, 0.25])
  }

  @Test func `a softmax since operator set 13 takes the last axis`() throws {
    let result = try Application("Softmax", opset: 13).run([.f32([1, 2, 2], 7)])
    #expect(result.results[0].values(Float.self) == [0.5, 0.5, 0.5, 0.5])
  }
}

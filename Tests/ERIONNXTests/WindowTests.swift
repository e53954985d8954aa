import ERIFormat
import ERITestSupport
import Testing

@testable import ERIONNX

@Suite struct WindowTests {
  @Test func `a periodic window repeats with its size, a symmetric one ends as it begins`() throws {
    let periodic = try Application("HannWindow", opset: 17).floats([.i64([], [4])])
    #expect(relativeDifference(periodic, [0, 0.5, 1, 0.5]) <= Tolerance.elements.bound)
    let symmetric = try Application("HannWindow", opset: 17, [ONNXAttribute("periodic", .integer(0))])
      .floats([.i64([], [3])])
    #expect(relativeDifference(symmetric, [0, 1, 0]) <= Tolerance.elements.bound)
  }

  @Test func `a symmetric window of one element is 1`() throws {
    let window = Application("BlackmanWindow", opset: 17, [ONNXAttribute("periodic", .integer(0))])
    #expect(try window.floats([.i64([], [1])]) == [1])
  }

  @Test func `a window of integers is cut towards zero`() throws {
    let window = Application("HammingWindow", opset: 17, [ONNXAttribute("output_datatype", .integer(6))])
    #expect(try window.run([.i64([], [4])]).results[0].values(Int32.self) == [0, 0, 1, 0])
  }

  private func mel(_ high: Float) -> [Application.Operand?] {
    [.i64([], [2]), .i64([], [8]), .i64([], [1000]), .f32([], 0), .f32([], high)]
  }

  @Test func `mel bands are triangles that peak at 1`() throws {
    let (results, _) = try Application("MelWeightMatrix", opset: 17).run(mel(500))
    #expect(results[0].shape == [5, 2])
    #expect(results[0].values(Float.self) == [1, 0, 0, 1, 0, 0.5, 0, 0, 0, 0])
  }

  @Test func `mel bands past half the sample rate are refused`() {
    let error = #expect(throws: FormatError.self) {
      try Application("MelWeightMatrix", opset: 17).kernel(mel(1500))
    }
    #expect(
      error?.message == "expected an upper edge of at most half the sample rate 1000, found one beyond bin 4")
  }
}

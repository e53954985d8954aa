import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct ReshapingTests {
  @Test func `a reshape copies extents at 0 and computes the one at -1`() throws {
    let kernel = try Application("Reshape", opset: 14).kernel([.f32([2, 3, 4], 0), .i64([0, -1])])
    #expect(kernel.outputs == [try BoundType(.f32, [2, 12])])
  }
}

import ERIFormat
import ERITestSupport
import Testing

@testable import ERIONNX

@Suite struct ResamplingTests {
  private func resized(
    _ x: [Float], scale: Float? = nil, size: Int64? = nil, opset: Int = 19, _ attributes: [String: String] = [:]
  ) throws -> [Float] {
    let resize = Application("Resize", opset: opset, attributes.map { .init($0.key, .text($0.value)) })
    let scales = scale.map { Application.Operand.f32([1], [$0]) }
    var operands: [Application.Operand?] = [.f32([x.count], x)]
    operands += opset < 11 ? [scales] : [nil, scales, size.map { .i64([$0]) }]
    let run = try resize.run(operands)
    #expect(run.fault == nil)
    return run.results[0].values()
  }

  @Test func `a place halfway between two elements takes the left one`() throws {
    #expect(try resized([1, 2, 3, 4], scale: 0.5) == [1, 3])
  }

  @Test func `operator set 10 takes the right one of two where elements get fewer`() throws {
    #expect(try resized([1, 2, 3, 4, 5], scale: 0.6, opset: 10) == [1, 3, 5])
  }

  @Test func `a third in single precision takes every third element`() throws {
    let asymmetric = ["coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"]
    #expect(try resized([0, 1, 2, 3, 4, 5, 6, 7, 8], scale: 1 / 3, asymmetric) == [0, 3, 6])
  }

  @Test func `aligned corners keep both ends`() throws {
    let aligned = ["coordinate_transformation_mode": "align_corners", "mode": "linear"]
    #expect(try resized([0, 3], size: 4, aligned) == [0, 1, 2, 3])
  }

  @Test func `both scales and sizes are refused`() {
    #expect(throws: contractError("expected either scales or sizes, found both")) {
      try resized([1, 2], scale: 2, size: 4)
    }
  }

  @Test func `a scale that makes more than a tensor may have is refused`() {
    #expect(
      throws: contractError(
        "expected scales above 0 to at most \(Limits.elements) elements, found 1.0000000200408773e+20 of 2")
    ) {
      try resized([1, 2], scale: 1e20)
    }
  }

  @Test func `an antialiased half is the mean that its triangle weighs`() throws {
    let resize = Application(
      "Resize", opset: 19, [.init("mode", .text("linear")), .init("antialias", .integer(1))])
    let run = try resize.run([.f32([4], [0, 8, 16, 24]), nil, .f32([1], [0.5])])
    // Weights 1, 3, 3, 1 of 8, those outside on the border's element.
    #expect(run.results[0].values() == [5, 19] as [Float])
  }

  @Test func `resized integers are rounded`() throws {
    let resize = Application("Resize", opset: 19, [.init("mode", .text("linear"))])
    let run = try resize.run([Application.Operand(.u8, [2], [0, 255] as [UInt8]), nil, .f32([1], [2])])
    #expect(run.results[0].values() == [0, 64, 191, 255] as [UInt8])
  }

  @Test func `a half of half precision comes out in half precision whatever the region's type is`() throws {
    let resize = Application("Resize", opset: 19)
    let region = Application.Operand(.f16, [2], [0, 1] as [Float16])
    #expect(try resize.kernel([.f32([2], 0), region, .f32([1], [2])]).outputs == [try BoundType(.f32, [4])])
  }

  @Test func `an upsampling of operator set 7 repeats elements`() throws {
    let upsample = Application("Upsample", opset: 7, [.init("scales", .numbers([1, 2]))])
    #expect(try upsample.run([.f32([1, 2], [1, 2])]).results[0].values() == [1, 1, 2, 2] as [Float])
  }

  @Test func `a place without a number reads zeros`() throws {
    let run = try Application("GridSample", opset: 20).run([
      .f32([1, 1, 1, 1], 1), .f32([1, 1, 2, 2], [.nan, 0, 0, 0]),
    ])
    #expect(run.results[0].values() == [0, 1] as [Float])
  }

  @Test func `a reflected place far away is found again`() throws {
    let sample = Application(
      "GridSample", opset: 20,
      [
        .init("mode", .text("nearest")), .init("padding_mode", .text("reflection")),
        .init("align_corners", .integer(1)),
      ])
    // Element -6 of three: mirrored at 0 and at 2 it is 2.
    #expect(
      try sample.run([.f32([1, 1, 3], [1, 2, 3]), .f32([1, 1, 1], [-7])]).results[0].values() == [3] as [Float])
  }

  @Test func `a grid's places are those of an identity`() throws {
    let grid = Application("AffineGrid", opset: 20, [.init("align_corners", .integer(1))])
    let run = try grid.run([.f32([1, 2, 3], [1, 0, 0, 0, 1, 0]), .i64([1, 1, 1, 3])])
    #expect(run.results[0].values() == [-1, 0, 0, 0, 1, 0] as [Float])
  }

  @Test func `a box that overlaps a better one is left out`() throws {
    let suppress = Application("NonMaxSuppression", opset: 11)
    let boxes = Application.Operand.f32([1, 3, 4], [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 5, 1, 6])
    let run = try suppress.run([boxes, .f32([1, 1, 3], [0.5, 0.9, 0.7]), .i64([3]), .f32([], [0.5])])
    #expect(run.results[0].values() == [0, 0, 1, 0, 0, 2] as [Int64])
  }
}

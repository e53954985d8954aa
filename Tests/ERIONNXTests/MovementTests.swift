import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct MovementTests {
  private func values(
    _ application: Application, _ operands: [Application.Operand?], output: Int = 0
  ) throws -> [Float] {
    let run = try application.run(operands)
    #expect(run.fault == nil)
    return run.results[output].values()
  }

  private let six: [Float] = [0, 1, 2, 3, 4, 5]

  @Test func `a transposition without a permutation reverses the axes`() throws {
    #expect(try values(Application("Transpose", opset: 13), [.f32([2, 3], six)]) == [0, 3, 1, 4, 2, 5])
  }

  @Test func `a large transposition moves every element`() throws {
    let x = (0..<37 * 53).map { Float($0) }
    let expected = (0..<37 * 53).map { Float($0 % 37 * 53 + $0 / 37) }
    #expect(try values(Application("Transpose", opset: 13), [.f32([37, 53], x)]) == expected)
  }

  @Test func `a slice with a negative step begins at the last element at the latest`() throws {
    let slice = Application("Slice", opset: 13)
    #expect(try values(slice, [.f32([6], six), .i64([9]), .i64([.min]), .i64([0]), .i64([-2])]) == [5, 3, 1])
  }

  @Test func `a step as large as an integer takes one element`() throws {
    let slice = Application("Slice", opset: 13)
    #expect(try values(slice, [.f32([6], six), .i64([1]), .i64([.max]), .i64([0]), .i64([.max])]) == [1])
  }

  @Test func `operator set 7 slices by attributes`() throws {
    let slice = Application(
      "Slice", opset: 7,
      [.init("starts", .integers([-2])), .init("ends", .integers([100])), .init("axes", .integers([1]))])
    #expect(try values(slice, [.f32([2, 3], six)]) == [1, 2, 4, 5])
  }

  @Test func `a step of 0 is refused`() {
    #expect(throws: contractError("expected steps other than 0, found 0")) {
      try Application("Slice", opset: 13).kernel([.f32([6], 0), .i64([0]), .i64([6]), .i64([0]), .i64([0])])
    }
  }

  @Test func `tiles past the limits are refused before memory is asked for`() {
    #expect(throws: contractError("expected extents within the limits, found 9223372036854775807 times 2")) {
      try Application("Tile", opset: 13).kernel([.f32([2], 0), .i64([.max])])
    }
  }

  @Test func `the last part of a split into equal ones may be smaller since operator set 18`() throws {
    let split = Application("Split", opset: 18, [.init("num_outputs", .integer(3))], outputs: 3)
    #expect(try split.kernel([.f32([7], 0)]).outputs.map { $0.shape } == [[3], [3], [1]])
  }

  @Test func `before operator set 18 a split into unequal parts is refused`() {
    #expect(throws: contractError("expected an extent in multiples of 3, found 7")) {
      try Application("Split", opset: 13, outputs: 3).kernel([.f32([7], 0)])
    }
  }

  @Test func `a reflection longer than the tensor goes back and forth`() throws {
    let pad = Application("Pad", opset: 18, [.init("mode", .text("reflect"))])
    #expect(try values(pad, [.f32([3], [1, 2, 3]), .i64([0, 5])]) == [1, 2, 3, 2, 1, 2, 3, 2])
  }

  @Test func `negative pads take elements away`() throws {
    let pad = Application("Pad", opset: 13)
    #expect(try values(pad, [.f32([6], six), .i64([-2, 1]), .f32([], [9])]) == [2, 3, 4, 5, 9])
  }

  @Test func `an index from data outside of its extent is a fault`() throws {
    let run = try Application("Gather", opset: 13).run([.f32([6], six), .i64([2, -7])])
    #expect(run.fault == .indexOutOfRange(index: -7, extent: 6))
  }

  @Test func `the least integer as an index is a fault`() throws {
    let run = try Application("GatherND", opset: 13).run([.f32([6], six), .i64([1, 1], [.min])])
    #expect(run.fault == .indexOutOfRange(index: .min, extent: 6))
  }

  @Test func `a scatter adds every update to the same element`() throws {
    let scatter = Application("ScatterElements", opset: 18, [.init("reduction", .text("add"))])
    #expect(try values(scatter, [.f32([3], 1), .i64([1, 1, -2]), .f32([3], [2, 3, 4])]) == [1, 10, 1])
  }

  @Test func `a cache is written around its end where it is circular`() throws {
    let scatter = Application("TensorScatter", opset: 24, [.init("mode", .text("circular"))])
    let operands: [Application.Operand?] = [.f32([1, 3, 1], 0), .f32([1, 2, 1], [1, 2]), .i64([5])]
    #expect(try values(scatter, operands) == [2, 0, 1])
  }

  @Test func `a cache written past its end is a fault where it is linear`() throws {
    let run = try Application("TensorScatter", opset: 24).run([.f32([1, 3, 1], 0), .f32([1, 2, 1], 0), .i64([2])])
    #expect(run.fault == .indexOutOfRange(index: 2, extent: 2))
  }

  @Test func `what is not zero lies densely in the extent that a run tells`() throws {
    let run = try Application("NonZero", opset: 13).run([.f32([2, 2], [1, -0.0, .nan, 3])])
    #expect(run.results[0].shape == [2, 3])
    #expect(run.results[0].values() == [0, 1, 1, 0, 0, 1] as [Int64])
  }

  @Test func `unsorted unique elements come in the order they are met`() throws {
    let unique = Application("Unique", opset: 11, [.init("sorted", .integer(0))], outputs: 4)
    let run = try unique.run([.f32([5], [3, 1, 3, 2, 1])])
    #expect(run.results[0].values() == [3, 1, 2] as [Float])
    #expect(run.results[1].values() == [0, 1, 3] as [Int64])
    #expect(run.results[2].values() == [0, 1, 0, 2, 1] as [Int64])
    #expect(run.results[3].values() == [2, 2, 1] as [Int64])
  }

  @Test func `a range in single precision has as many elements as ONNX counts`() throws {
    // 1.1 - 0.1 rounds to 1 there: ten steps, in Double eleven.
    let run = try Application("Range", opset: 11).run([.f32([], [0.1]), .f32([], [1.1]), .f32([], [0.1])])
    #expect(run.results[0].shape == [10])
  }

  @Test func `a range of small integers may span their whole type`() throws {
    let bounds: [[Int16]] = [[-30_000], [30_000], [20_000]]
    let run = try Application("Range", opset: 11).run(bounds.map { Application.Operand(.i16, [], $0) })
    #expect(run.results[0].values() == [-30_000, -10_000, 10_000] as [Int16])
  }

  @Test func `an endless range is refused`() {
    #expect(
      throws: contractError("expected a range of at most \(Limits.elements) elements, found more, or no number")
    ) {
      try Application("Range", opset: 11).kernel([.f32([], [0]), .f32([], [.infinity]), .f32([], [1])])
    }
  }

  @Test func `an index outside of the depth marks nothing`() throws {
    let operands: [Application.Operand?] = [.i64([1, -1, 7]), .i64([], [2]), .f32([2], [0, 5])]
    #expect(try values(Application("OneHot", opset: 11), operands) == [0, 5, 0, 5, 0, 0])
  }

  @Test func `a sequence longer than its axis is a fault`() throws {
    let run = try Application("ReverseSequence", opset: 10).run([.f32([2, 1], 0), .i64([3])])
    #expect(run.fault == .value("lengths from 0 to the extent of the time axis"))
  }

  @Test func `a crop of an odd rest begins at the smaller half`() throws {
    #expect(try values(Application("CenterCropPad", opset: 18), [.f32([6], six), .i64([3])]) == [1, 2, 3])
  }
}

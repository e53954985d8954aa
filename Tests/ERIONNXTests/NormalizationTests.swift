import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct NormalizationTests {
  private let still = ONNXAttribute("epsilon", .number(0))

  @Test func `a channel is normalised by its own statistics`() throws {
    let result = try Application("BatchNormalization", opset: 15, [still]).run([
      .f32([1, 2, 2], [1, 2, 3, 4]), .f32([2], [1, 2]), .f32([2], [0, 10]), .f32([2], [1, 3]), .f32([2], [1, 4]),
    ])
    #expect(result.results[0].values(Float.self) == [0, 1, 10, 11])
  }

  @Test func `training moves the statistics towards the batch's`() throws {
    let attributes = [
      still, ONNXAttribute("training_mode", .integer(1)), ONNXAttribute("momentum", .number(0.5)),
    ]
    let result = try Application("BatchNormalization", opset: 15, attributes, outputs: 3).run([
      .f32([2, 1], [1, 3]), .f32([1], 1), .f32([1], 0), .f32([1], 4), .f32([1], 3),
    ])
    #expect(result.results[0].values(Float.self) == [-1, 1])
    #expect(result.results[1].values(Float.self) == [3])
    #expect(result.results[2].values(Float.self) == [2])
  }

  @Test func `saved statistics at inference are refused`() {
    let operands: [Application.Operand?] =
      [.f32([2, 1], 0)] + [Application.Operand?](repeating: .f32([1], 1), count: 4)
    #expect(
      text(Application("BatchNormalization", opset: 9, outputs: 5), operands)
        == "expected BatchNormalization of 1 output at inference, found 5; export the model for inference")
  }

  @Test func `a layer's mean and deviation are those of all axes from one on`() throws {
    let result = try Application("LayerNormalization", opset: 17, [still], outputs: 3).run([
      .f32([2, 2], [1, 3, 10, 14]), .f32([2], [1, 2]), .f32([2], [0, 1]),
    ])
    #expect(result.results[0].values(Float.self) == [-1, 3, -1, 3])
    #expect(result.results[1].shape == [2, 1])
    #expect(result.results[1].values(Float.self) == [2, 12])
    #expect(result.results[2].values(Float.self) == [1, 0.5])
  }

  @Test func `statistics of float16 stay float32`() throws {
    let half = Application.Operand(.f16, [1, 2], [Float16(1), 3])
    let kernel = try Application("LayerNormalization", opset: 17, outputs: 3).kernel([
      half, .init(.f16, [2], [Float16(1), 1]),
    ])
    #expect(kernel.outputs.map { $0.dtype } == [.f16, .f32, .f32])
  }

  @Test func `groups had one scale each before operator set 21`() throws {
    let groups = [still, ONNXAttribute("num_groups", .integer(1))]
    let x = Application.Operand.f32([1, 2, 1], [1, 3])
    let before = try Application("GroupNormalization", opset: 18, groups).run([x, .f32([1], 2), .f32([1], 1)])
    let since = try Application("GroupNormalization", opset: 21, groups).run([x, .f32([2], [2, 4]), .f32([2], 1)])
    #expect(before.results[0].values(Float.self) == [-1, 3])
    #expect(since.results[0].values(Float.self) == [-1, 5])
  }

  @Test func `groups that do not divide the channels are refused`() {
    #expect(
      text(
        Application("GroupNormalization", opset: 21, [ONNXAttribute("num_groups", .integer(2))]),
        [.f32([1, 3, 1], 0), .f32([3], 1), .f32([3], 0)])
        == "expected num_groups to divide 3 channels, found 2")
  }

  @Test func `training with dropout is refused`() {
    #expect(
      text(Application("Dropout", opset: 13), [.f32([2], 1), .f32([], 0.5), .bool([], [true])])
        == "expected Dropout at inference, found training with a ratio above 0, whose result is random; export the model for inference"
    )
  }

  @Test func `at inference dropout keeps all and says so`() throws {
    let result = try Application("Dropout", opset: 13, outputs: 2).run([.f32([2], [3, 4])])
    #expect(result.results[0].values(Float.self) == [3, 4])
    #expect(result.results[1].values(UInt8.self) == [1, 1])
  }

  @Test func `an ignored label does not count`() throws {
    let result = try Application("NegativeLogLikelihoodLoss", opset: 13, [ONNXAttribute("ignore_index", .integer(-1))])
      .run([.f32([2, 2], [-1, -2, -3, -4]), .i64([1, -1])])
    #expect(result.results[0].values(Float.self) == [2])
  }

  @Test func `a label past the classes stops the run`() throws {
    let result = try Application("SoftmaxCrossEntropyLoss", opset: 13).run([.f32([1, 2], 0), .i64([2])])
    #expect(
      result.fault?.text
        == "expected labels from 0 to one less than the number of classes, found another; check ignore_index")
  }
}

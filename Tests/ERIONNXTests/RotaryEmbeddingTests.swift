import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct RotaryEmbeddingTests {
  /// Two positions: no rotation, and a quarter turn.
  private let cosines = Application.Operand.f32([2, 1], [1, 0])
  private let sines = Application.Operand.f32([2, 1], [0, 1])
  private let x = Application.Operand.f32([1, 1, 1, 3], [1, 2, 3])

  private func rotation(_ attributes: [ONNXAttribute] = []) -> Application {
    Application("RotaryEmbedding", opset: 23, [ONNXAttribute("rotary_embedding_dim", .integer(2))] + attributes)
  }

  @Test func `elements past those that rotate stay`() throws {
    #expect(try rotation().floats([x, cosines, sines, .i64([1, 1], [1])]) == [-2, 1, 3])
  }

  @Test func `a pair lies half a head apart, or side by side where interleaved`() throws {
    let x = Application.Operand.f32([1, 1, 1, 4], [1, 2, 3, 4])
    let quarter = [Application.Operand.f32([1, 1, 2], [0, 1]), .f32([1, 1, 2], [1, 0])]
    let halves = Application("RotaryEmbedding", opset: 23)
    #expect(try halves.floats([x] + quarter) == [-3, 2, 1, 4])
    let pairs = Application("RotaryEmbedding", opset: 23, [ONNXAttribute("interleaved", .integer(1))])
    #expect(try pairs.floats([x] + quarter) == [-2, 1, 3, 4])
  }

  @Test func `a position outside the table stops the run`() throws {
    let (_, fault) = try rotation().run([x, cosines, sines, .i64([1, 1], [2])])
    #expect(fault?.text == "expected an index from -2 to 1, found 2")
  }

  @Test func `an odd number of elements to rotate is refused`() {
    let error = #expect(throws: FormatError.self) {
      try Application("RotaryEmbedding", opset: 23).kernel([x, cosines, sines])
    }
    #expect(error?.message == "expected an even number of elements to rotate, up to 3, found 3")
  }
}

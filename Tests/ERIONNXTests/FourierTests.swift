import ERIFormat
import ERITestSupport
import Testing

@testable import ERIONNX

@Suite struct FourierTests {
  private func transform(_ attributes: [ONNXAttribute] = []) -> Application {
    Application("DFT", opset: 20, attributes)
  }
  private let oneSided = ONNXAttribute("onesided", .integer(1))
  private let inverse = ONNXAttribute("inverse", .integer(1))

  /// Σ x e^(-2πi jk/n), term by term.
  private func direct(_ x: [Float]) -> [Double] {
    x.indices.flatMap { bin in
      let angles = x.indices.map { 2 * Double.pi * Double(bin * $0 % x.count) / Double(x.count) }
      return [
        zip(x, angles).map { Double($0) * cosine($1) }.reduce(0, +),
        -zip(x, angles).map { Double($0) * cosine($1 - Double.pi / 2) }.reduce(0, +),
      ]
    }
  }

  /// The sum of its series.
  private func cosine(_ angle: Double) -> Double {
    var (term, sum) = (1.0, 1.0)
    for index in 1...40 {
      term *= -angle * angle / Double(2 * index * (2 * index - 1))
      sum += term
    }
    return sum
  }

  @Test(arguments: [1, 2, 3, 8, 12, 17]) func `a transform of any length is the sum that defines it`(length: Int) throws
  {
    let x = (0..<length).map { Float($0 * $0 % 7) - 2 }
    let result = try transform().floats([.f32([length, 1], x)])
    #expect(relativeDifference(result, direct(x)) <= Tolerance.elements.bound)
  }

  @Test func `a one-sided inverse gives back the signal whose one-sided transform it is given`() throws {
    let x: [Float] = [1, -2, 4, 0.5, 3]
    let spectrum = try transform([oneSided]).floats([.f32([1, 5, 1], x)])
    let back = try transform([oneSided, inverse]).run([.f32([1, 3, 2], spectrum), .i64([], [5])])
    #expect(back.results[0].shape == [1, 5, 1])
    #expect(relativeDifference(back.results[0].values(), x.map { Double($0) }) <= Tolerance.elements.bound)
  }

  @Test func `a signal is cut or filled up with zeros to the length asked for`() throws {
    let x = Application.Operand.f32([3, 1], [1, 2, 4])
    #expect(try transform().floats([x, .i64([], [2])]) == [3, 0, -1, 0])
    #expect(try transform([oneSided]).floats([x, .i64([], [4])]) == [7, 0, -3, -2, 3, 0])
  }

  @Test func `the axis is an attribute before operator set 20`() throws {
    let old = Application("DFT", opset: 19, [ONNXAttribute("axis", .integer(0))])
    #expect(try old.floats([.f32([2, 1, 1], [1, 2])]) == [3, 0, -1, 0])
  }

  @Test func `a complex signal has no one-sided transform`() {
    let error = #expect(throws: FormatError.self) { try transform([oneSided]).kernel([.f32([4, 2], 0)]) }
    #expect(error?.message == "expected a real signal for a one-sided transform, found [4, 2]")
  }

  @Test func `frames step along a signal under their window`() throws {
    let frames = Application("STFT", opset: 17)
    let operands = [Application.Operand.f32([1, 4, 1], [1, 2, 3, 4]), .i64([], [2]), .f32([2], [1, 0.5])]
    #expect(try frames.floats(operands) == [2, 0, 0, 0, 5, 0, 1, 0])
  }
}

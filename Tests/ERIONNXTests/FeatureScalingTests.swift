import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct FeatureScalingTests {
  private func learned(_ name: String, _ attributes: [ONNXAttribute]) -> Application {
    Application(name, domain: "ai.onnx.ml", opset: 3, attributes)
  }

  @Test func `integers are scaled to float32, each column by its own numbers`() throws {
    let scaler = learned(
      "Scaler", [ONNXAttribute("offset", .numbers([1, 2])), ONNXAttribute("scale", .numbers([0.5]))])
    let x = Application.Operand.i64([2, 2], [1, 2, 3, 4])
    #expect(try scaler.floats([x]) == [0, 0, 1, 1])
  }

  @Test func `a row of zeros stays, another is divided by its norm`() throws {
    let normalizer = learned("Normalizer", [ONNXAttribute("norm", .text("L2"))])
    #expect(try normalizer.floats([.f32([2, 2], [0, 0, 3, -4])]) == [0, 0, 0.6, -0.8])
  }

  @Test func `NaN is replaced where NaN is what is missing`() throws {
    let imputer = learned(
      "Imputer",
      [ONNXAttribute("imputed_value_floats", .numbers([7, 8])), ONNXAttribute("replaced_value_float", .number(.nan))])
    #expect(try imputer.floats([.f32([2, 2], [.nan, 1, 2, .nan])]) == [7, 1, 2, 8])
  }

  @Test func `values for other columns are refused`() {
    let scaler = learned("Scaler", [ONNXAttribute("offset", .numbers([1, 2]))])
    let error = #expect(throws: FormatError.self) { try scaler.kernel([.f32([1, 3], 0)]) }
    #expect(error?.message == "expected 1 or 3 values of offset, found 2")
  }
}

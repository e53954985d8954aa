import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct LinearModelTests {
  private func model(_ name: String, _ attributes: [ONNXAttribute], outputs: Int = 1) -> Application {
    Application(
      name, domain: "ai.onnx.ml", opset: 3, [ONNXAttribute("coefficients", .numbers([1, 2]))] + attributes,
      outputs: outputs)
  }
  private let x = Application.Operand.f32([2, 2], [1, 1, -3, 1])
  private let labels = ONNXAttribute("classlabels_ints", .integers([5, 6]))

  @Test func `a regression adds its intercept`() throws {
    let regressor = model("LinearRegressor", [ONNXAttribute("intercepts", .numbers([10]))])
    #expect(try regressor.floats([x]) == [13, 9])
  }

  @Test func `one row of coefficients tells two classes apart`() throws {
    let (results, _) = try model("LinearClassifier", [labels], outputs: 2).run([x])
    #expect(results[0].values(Int64.self) == [6, 5])
    #expect(results[1].values(Float.self) == [-3, 3, 1, -1])
  }

  @Test func `scores for other labels are refused`() {
    let three = ONNXAttribute("classlabels_ints", .integers([5, 6, 7]))
    let error = #expect(throws: FormatError.self) { try model("LinearClassifier", [three]).kernel([x]) }
    #expect(error?.message == "expected a class label for each of 1 scores, found 3")
  }

  @Test func `labels of text are not supported`() {
    let names = ONNXAttribute("classlabels_strings", .texts(["a", "b"]))
    let error = #expect(throws: FormatError.self) { try model("LinearClassifier", [names]).kernel([x]) }
    #expect(error?.kind == .unsupported)
  }
}

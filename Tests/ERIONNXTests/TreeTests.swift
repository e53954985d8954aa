import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct TreeTests {
  private func tree(yes: Int64, yesIsLeaf: Int64) -> Application {
    func tensor<Element: BitwiseCopyable>(_ dtype: DType, _ values: [Element]) -> ONNXAttribute.Content {
      .tensor(Golden.Values("", dtype, [values.count], values.withUnsafeBytes { [UInt8]($0) }))
    }
    return Application(
      "TreeEnsemble", domain: "ai.onnx.ml", opset: 5,
      [
        ONNXAttribute("n_targets", .integer(1)), ONNXAttribute("tree_roots", .integers([0])),
        ONNXAttribute("nodes_featureids", .integers([0])), ONNXAttribute("nodes_splits", tensor(.f32, [Float(1)])),
        ONNXAttribute("nodes_modes", tensor(.u8, [UInt8(0)])),
        ONNXAttribute("nodes_truenodeids", .integers([yes])), ONNXAttribute("nodes_trueleafs", .integers([yesIsLeaf])),
        ONNXAttribute("nodes_falsenodeids", .integers([1])), ONNXAttribute("nodes_falseleafs", .integers([1])),
        ONNXAttribute("leaf_targetids", .integers([0, 0])), ONNXAttribute("leaf_weights", tensor(.f32, [Float(3), 5])),
      ])
  }

  @Test func `a row comes to the leaf on its side of the split`() throws {
    let result = try tree(yes: 0, yesIsLeaf: 1).run([.f32([3, 1], [1, 2, .nan])])
    #expect(result.results[0].values(Float.self) == [3, 5, 5])
  }

  @Test func `nodes that lead in a circle stop the run`() throws {
    let result = try tree(yes: 0, yesIsLeaf: 0).run([.f32([1, 1], 0)])
    #expect(result.fault?.text == "expected trees, found nodes that lead in a circle")
  }

  @Test func `a branch to no leaf is refused`() {
    #expect(text(tree(yes: 2, yesIsLeaf: 1), [.f32([1, 1], 0)]) == "expected branches from 0 to 1, found 2")
  }

  @Test func `a label without a key gets the default`() throws {
    let attributes = [
      ONNXAttribute("keys_int64s", .integers([4, 2])), ONNXAttribute("values_floats", .numbers([0.5, 1.5])),
      ONNXAttribute("default_float", .number(-1)),
    ]
    let result = try Application("LabelEncoder", domain: "ai.onnx.ml", opset: 2, attributes).run([.i64([2, 3, 4])])
    #expect(result.results[0].values(Float.self) == [1.5, -1, 0.5])
  }

  @Test func `labels that are texts are refused`() {
    #expect(
      text(
        Application("LabelEncoder", domain: "ai.onnx.ml", opset: 2, [ONNXAttribute("keys_strings", .texts(["a"]))]),
        [.i64([2])]) == "expected keys and values that are numbers, found texts or none")
  }
}

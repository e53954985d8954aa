import ERIConvert
import Testing

@Suite struct ContainerTests {
  @Test func `Containers have the names that scripts rely on`() {
    #expect(
      Container.allCases.map { $0.rawValue } == [
        "eri", "torch-zip", "torch-legacy", "torchscript", "mindspore-ckpt", "safetensors", "onnx", "npz", "npy",
      ])
  }
}

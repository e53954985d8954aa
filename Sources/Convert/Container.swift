/// A kind of file that holds tensors, by the name that `eri inspect --json` prints.
package enum Container: String, Sendable, CaseIterable {
  case eri
  case torchZip = "torch-zip"
  case torchLegacy = "torch-legacy"
  case torchScript = "torchscript"
  case mindSporeCheckpoint = "mindspore-ckpt"
  case safetensors
  case onnx
  case npz
  case npy
}

import ERIFormat

/// Requires what neither PyTorch's nor NumPy's files can say to be absent.
func requirePlain(_ tensor: Tensor, for container: String) throws(FormatError) {
  guard tensor.quantization == nil else {
    throw FormatError(
      .unsupported, at: "tensor \"\(tensor.name)\"",
      "expected values that mean themselves, found quantized ones, whose scales \(container) has no place for")
  }
}

import ERIFormat

/// Requires what neither PyTorch's nor NumPy's files can say to be absent.
func requirePlain(_ tensor: Tensor, for container: String) throws(FormatError) {
  guard tensor.quantization == nil else {
    throw FormatError(
      .unsupported, at: "tensor \"\(tensor.name)\"",
      "expected values that mean themselves, found quantized ones, whose scales \(container) has no place for")
  }
}

/// The container's name of a tensor's type.
func typeName(_ name: String?, of tensor: Tensor, in container: String) throws(FormatError) -> String {
  guard let name else {
    throw FormatError(
      .unsupported, at: "tensor \"\(tensor.name)\"",
      "expected a type that \(container) has a name for, found \(tensor.dtype.name)")
  }
  return name
}

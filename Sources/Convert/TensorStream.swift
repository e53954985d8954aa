import ERIFormat

extension ZipWriter {
  /// Appends a tensor's values to the entry that was begun, through memory of this call's own.
  /// - Throws: `FormatError` of the values' reading or the file's writing.
  func append(_ tensor: Tensor) throws(FormatError) {
    guard let count = tensor.byteCount else {
      throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.elements) elements, found more")
    }
    let block = try BlockBuffer(count, 1)
    defer { withExtendedLifetime(block) {} }
    let memory = block.prefix(count)
    try tensor.read(into: memory)
    try append(UnsafeRawBufferPointer(memory))
  }
}

/// Requires what neither PyTorch's nor NumPy's files can say to be absent.
func requirePlain(_ tensor: Tensor, for container: String) throws(FormatError) {
  guard tensor.quantization == nil else {
    throw FormatError(
      .unsupported, at: "tensor \"\(tensor.name)\"",
      "expected values that mean themselves, found quantized ones, whose scales \(container) has no place for")
  }
}

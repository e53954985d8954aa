import ERIFormat

/// A state dict small enough for a test, drawn from a seed: a convolution, two blocks of convolution and batch norm, and a last
/// layer whose matrix is square, so that transposing it keeps its shape.
package enum SmallStateDict {
  package static func tensors() -> [Tensor] {
    var tensors: [Tensor] = []
    func add(_ name: String, _ shape: [Int]) {
      var random = SeededRandom(seed: 5, stream: name)
      tensors.append(Tensor(name, shape, floats: (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) }))
    }
    add("conv1.weight", [4, 3, 3, 3])
    for block in ["layer1.0", "layer2.0"] {
      add("\(block).conv.weight", [4, 4, 3, 3])
      for part in ["weight", "bias", "running_mean", "running_var"] { add("\(block).bn.\(part)", [4]) }
    }
    add("fc.weight", [5, 5])
    add("fc.bias", [5])
    return tensors
  }

  /// The dict with the named tensor's values changed.
  package static func tensors(changing name: String, _ change: ([Float]) -> [Float]) throws -> [Tensor] {
    try tensors().map { tensor in
      guard tensor.name == name else { return tensor }
      return Tensor(name, tensor.shape, floats: change(try floats(tensor)))
    }
  }

  /// A float32 tensor's values.
  package static func floats(_ tensor: Tensor) throws -> [Float] {
    try tensor.bytes().withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// The values of a matrix with its axes exchanged.
  package static func transposed(_ values: [Float], rows: Int) -> [Float] {
    let columns = values.count / rows
    return values.indices.map { values[$0 % rows * columns + $0 / rows] }
  }

  /// The nearest bfloat16 of finite values, ties to even, as float32.
  package static func bfloat16(_ values: [Float]) -> [Float] {
    values.map { Float(bitPattern: ($0.bitPattern + 0x7FFF + ($0.bitPattern >> 16 & 1)) & 0xFFFF_0000) }
  }
}

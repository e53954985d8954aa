package import ERIFormat

/// A container that tensors are written to, chosen by the file's extension.
package enum OutputContainer: Equatable, Sendable {
  case eri
  case safetensors
  case npz
  case mindSporeCheckpoint
  case torch
  case onnx

  /// - Throws: `FormatError` `.unsupported` for any other extension.
  package init(path: String) throws(FormatError) {
    let name = fileName(of: path)
    let dot = name.utf8.lastIndex(of: 0x2E)
    let ending = dot.map { String(name[$0...]) } ?? ""
    switch ending {
    case ".eri": self = .eri
    case ".safetensors": self = .safetensors
    case ".npz": self = .npz
    case ".ckpt": self = .mindSporeCheckpoint
    case ".pth", ".pt": self = .torch
    case ".onnx": self = .onnx
    default:
      throw FormatError(
        .unsupported, at: path,
        "expected a name that ends in .eri, .safetensors, .npz, .ckpt, .pth or .onnx, found \(ending.isEmpty ? "none" : ending)"
      )
    }
  }

  /// Whether a model's graph has a place in it.
  package var holdsGraph: Bool {
    switch self {
    case .eri, .onnx: true
    case .safetensors, .npz, .mindSporeCheckpoint, .torch: false
    }
  }

  /// Writes a model, or its tensors; what the container has no place for is left out.
  /// - Parameters:
  ///   - level: zstd's, of .eri alone.
  ///   - threads: that pack, of .eri alone.
  ///   - checksum: whether a .ckpt ends with its CRC.
  /// - Returns: what was left out, a sentence each.
  /// - Throws: `FormatError` if a tensor cannot be read or is of a type that the container lacks, or the file cannot be written.
  package func write(
    _ model: Model, to path: String, level: Int, threads: Int, checksum: Bool
  ) throws(FormatError) -> [String] {
    if self == .eri {
      try model.write(to: path, level: level, threads: threads)
      return []
    }
    if self == .onnx {
      do throws(FormatError) { return try ONNXExport.write(model, to: path) } catch {
        throw error.place.hasPrefix(path) ? error : error.inside(path)
      }
    }
    var notes: [String] = []
    if model.graph != nil { notes.append("the graph, the preprocessing and the labels were left out") }
    for tensor in model.tensors where tensor.quantization != nil {
      throw FormatError(
        .unsupported, at: "\(path): tensor \"\(tensor.name)\"",
        "expected values that mean themselves, found quantized ones, whose scales only .eri has a place for")
    }
    let (tensors, omitted) = split(model.tensors)
    if omitted > 0 {
      notes.append(
        "\(counted(omitted, "tensor")) of optimiser state left out, since this container cannot tell them from weights")
    }
    let constants = tensors.filter { $0.role == .constant }.count
    if constants > 0 && self != .safetensors {
      notes.append(
        "\(counted(constants, "constant")) became weights, which changes the digest, since this container knows no others"
      )
    }
    do throws(FormatError) {
      switch self {
      case .eri, .onnx: break
      case .safetensors: try SafetensorsWriter.write(tensors, to: path)
      case .npz: try NPZ.write(tensors, to: path)
      case .mindSporeCheckpoint: try MindSporeWriter.write(tensors, to: path, checksum: checksum)
      case .torch: try TorchWriter.write(tensors, to: path)
      }
    } catch {
      throw error.place.hasPrefix(path) ? error : error.inside(path)
    }
    return notes
  }

  /// The tensors that the container can hold as what they are, and how many it cannot.
  private func split(_ tensors: [Tensor]) -> ([Tensor], omitted: Int) {
    let kept: [Tensor]
    switch self {
    case .eri, .onnx, .safetensors: kept = tensors
    case .npz, .torch: kept = tensors.filter { $0.role != .optimizerState }
    case .mindSporeCheckpoint:
      kept = tensors.filter { $0.role != .optimizerState || MindSporeNames.role(of: $0.name) == .optimizerState }
    }
    return (kept, tensors.count - kept.count)
  }
}

package import ERIFormat

extension Checkpoint {
  /// Reads what a container says of its tensors; their values stay in the file.
  /// - Parameter allowInert: whether objects that a pickle asks for become inert placeholders instead of a refusal.
  /// - Throws: `FormatError` with the path as the outermost place: `.unsupported` for a container that is known but not read,
  ///   `.invalid` for anything else that is none.
  package init(reading path: String, allowInert: Bool = false) throws(FormatError) {
    do throws(FormatError) {
      let file = try FileHandle(path: path)
      switch try ContainerKind(recognising: file) {
      case .eri: self = try Checkpoint(model: Model(reading: path), path: path)
      case .safetensors: self = try SafetensorsReader.read(file, path: path)
      case .mindSpore: self = try MindSporeReader.read(file, path: path)
      case .onnx: self = try ONNXWeights.read(file, path: path)
      case .npy: self = try NPYCheckpoint.read(path: path)
      case .zip: self = try Checkpoint.archive(try ZipArchive(path: path), allowInert: allowInert)
      // A pickle that is no checkpoint is reported there, by what it asks for.
      case .pickle: self = try TorchLegacy.read(path: path, allowInert: allowInert)
      }
      try TensorRules.checkNames(entries.map { $0.tensor.name }, "tensor")
    } catch {
      throw error.place.hasPrefix(path) ? error : error.inside(path)
    }
  }

  /// The tensors of a model file.
  package init(model: Model, path: String) {
    self.init(.eri, path: path, entries: model.tensors.map { Entry($0, dtypeName: $0.dtype.name) })
    details = .model(model)
  }

  /// A zip archive is what its entries say.
  private static func archive(_ archive: ZipArchive, allowInert: Bool) throws(FormatError) -> Checkpoint {
    switch archive.container {
    case .torchScript: return try TorchScript.read(archive, allowInert: allowInert)
    case .torchZip: return try TorchZip.read(archive, allowInert: allowInert)
    case .npz: return try NPZ.read(archive)
    case nil, .eri, .torchLegacy, .mindSporeCheckpoint, .safetensors, .onnx, .npy:
      throw FormatError(
        .invalid, at: "", "expected a zip archive of PyTorch or NumPy, found one without data.pkl or an array")
    }
  }
}

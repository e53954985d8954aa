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
  }

  /// A zip archive is what its entries say.
  private static func archive(_ archive: ZipArchive, allowInert: Bool) throws(FormatError) -> Checkpoint {
    func has(_ name: String) -> Bool {
      archive.entries.contains { entry in
        let parts = entry.name.utf8.split(separator: 0x2F)
        return parts.count <= 2 && parts.last.map { $0.elementsEqual(name.utf8) } == true
      }
    }
    if has("constants.pkl") { return try TorchScript.read(archive, allowInert: allowInert) }
    if has("data.pkl") { return try TorchZip.read(archive, allowInert: allowInert) }
    if archive.entries.contains(where: { $0.name.utf8.suffix(4).elementsEqual(".npy".utf8) }) {
      return try NPZ.read(archive)
    }
    throw FormatError(
      .invalid, at: "", "expected a zip archive of PyTorch or NumPy, found one without data.pkl or an array")
  }
}

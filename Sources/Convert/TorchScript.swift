package import ERIFormat

/// TorchScript archives (torch.jit.save): the modules' attributes are read, the code beside them is not.
package enum TorchScript {
  /// Describes the tensors among the modules' attributes, named by their way from the root, joined by dots.
  /// - Parameter allowInert: as `TorchZip.read`.
  /// - Throws: `FormatError`, as `TorchZip.read`.
  package static func read(_ archive: ZipArchive, allowInert: Bool) throws(FormatError) -> Checkpoint {
    let torch = try TorchArchive(archive)
    var checkpoint = try torch.read(as: .torchScript, allowInert: allowInert)
    if torch.has("constants.pkl") {
      checkpoint.notes.append("the code of the modules and its constants were left out")
    }
    return checkpoint
  }
}

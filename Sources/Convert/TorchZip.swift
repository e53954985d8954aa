package import ERIFormat

/// PyTorch's zip archives (torch.save since 1.6).
package enum TorchZip {
  /// Describes the tensors of an archive; their values stay in it until they are read.
  ///
  /// Keys of nested dictionaries and places in lists are joined by "/". What is under an optimizer's key, or looks like an
  /// optimizer's state dictionary, has the role `.optimizerState`. What is no tensor is left out and noted.
  /// - Parameter allowInert: whether a pickle that asks for code is read with placeholders in its place, each noted.
  /// - Throws: `FormatError` `.invalid` for a damaged archive or pickle, or one that asks for code; `.limitExceeded`;
  ///   `.unsupported` for types that this tool lacks.
  package static func read(_ archive: ZipArchive, allowInert: Bool) throws(FormatError) -> Checkpoint {
    try TorchArchive(archive).read(as: .torchZip, allowInert: allowInert)
  }
}

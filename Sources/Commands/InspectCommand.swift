package import ERIFormat

/// Tells what a model file holds.
package struct InspectCommand: Sendable {
  package var file = ""
  package var json = false
  /// A folder that each tensor is written to as an array; nil: none is.
  package var tensorFolder: String?

  package init() {}

  /// Prints the file's content, after writing its tensors if asked.
  /// - Throws: `CommandFailure`.
  package func run() throws(CommandFailure) {
    let loaded = try LoadedModel(path: file)
    let content = try ModelContent(loaded)
    if let tensorFolder { try InspectCommand.export(loaded.model.tensors, of: file, to: tensorFolder) }
    try Console.print(json ? content.json : content.text)
  }

  /// Writes tensors as arrays, after making sure that all of them can be.
  /// - Parameter file: the file they come from, for messages.
  package static func export(_ tensors: [Tensor], of file: String, to folder: String) throws(CommandFailure) {
    let files = try ArrayFiles(tensors.map { $0.name }, folder: folder)
    for tensor in tensors where tensor.dtype == .bf16 {
      throw CommandFailure(
        .unsupported, "\(file): tensor \"\(tensor.name)\": expected a type that .npy has a name for, found bfloat16")
    }
    try createFolder(folder)
    for (index, tensor) in tensors.enumerated() {
      do throws(FormatError) {
        let block = try TensorBlock(tensor)
        try withExtendedLifetime(block) { () throws(FormatError) in
          try writeNPY(files[index], tensor.dtype, tensor.shape, block.bytes)
        }
      } catch {
        let isPlaced = error.place.hasPrefix(file) || error.place.hasPrefix(folder)
        throw CommandFailure(isPlaced ? error : error.inside("tensor \"\(tensor.name)\"").inside(file))
      }
    }
  }
}

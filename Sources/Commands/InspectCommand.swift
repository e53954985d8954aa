import ERIFormat

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
    if let tensorFolder { try export(loaded, to: tensorFolder) }
    try Console.print(json ? content.json : content.text)
  }

  private func export(_ loaded: LoadedModel, to folder: String) throws(CommandFailure) {
    let tensors = loaded.model.tensors
    let files = try ArrayFiles(tensors.map { $0.name }, folder: folder)
    for tensor in tensors where tensor.dtype == .bf16 {
      throw CommandFailure(
        .unsupported, "\(file): tensor \"\(tensor.name)\": expected a type that .npy has a name for, found bfloat16")
    }
    try createFolder(folder)
    for (index, tensor) in tensors.enumerated() {
      let values = try loaded.values(of: tensor)
      let fault = values.withUnsafeBytes { values -> FormatError? in
        do throws(FormatError) {
          try writeNPY(files[index], tensor.dtype, tensor.shape, values)
          return nil
        } catch {
          return error
        }
      }
      if let fault { throw CommandFailure(fault) }
    }
  }
}

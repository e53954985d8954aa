import ERIFormat

/// A .npy file as a container of one tensor, named like the file without its folder and its extension.
enum NPYCheckpoint {
  static func read(path: String) throws(FormatError) -> Checkpoint {
    let file = try NPYFile(path: path)
    let tensor = Tensor(stem(of: path), file.header.dtype, file.header.shape, values: .source(NPYSource(file)))
    return Checkpoint(.npy, path: path, entries: [Checkpoint.Entry(tensor, dtypeName: file.header.dtype.name)])
  }

  /// The file's name without what follows its last dot.
  static func stem(of path: String) -> String {
    let name = fileName(of: path)
    guard let dot = name.utf8.lastIndex(of: 0x2E), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}

/// The values of an open .npy file.
private final class NPYSource: TensorSource, @unchecked Sendable {
  private let file: NPYFile

  init(_ file: NPYFile) { self.file = file }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    try file.readValues(into: memory)
  }
}

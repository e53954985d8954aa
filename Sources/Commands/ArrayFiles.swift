import ERIFormat

/// The .npy files that tensors and outputs are written to: DIR/NAME.npy with `/` as `_`.
package struct ArrayFiles {
  package let folder: String
  private let paths: [String]

  /// Settles the paths before anything is written.
  /// - Throws: if two names would share a file, or one cannot be a file's name.
  package init(_ names: [String], folder: String) throws(CommandFailure) {
    self.folder = folder
    var taken: [String: String] = [:]
    var paths: [String] = []
    for name in names {
      guard !name.isEmpty, !name.utf8.contains(0) else {
        throw CommandFailure(.unsupported, "\(folder): expected a name that a file can have, found \"\(name)\"")
      }
      var file = ""
      for scalar in name.unicodeScalars { file.unicodeScalars.append(scalar == "/" ? "_" : scalar) }
      if let other = taken[file] {
        throw CommandFailure(
          .unsupported, "\(folder): expected one array per file, found \"\(other)\" and \"\(name)\" for \(file).npy")
      }
      taken[file] = name
      paths.append("\(folder)/\(file).npy")
    }
    self.paths = paths
  }

  /// The path of name `index`.
  package subscript(index: Int) -> String { paths[index] }
}

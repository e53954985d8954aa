import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation

/// What a checkpoint holds according to the software that wrote it.
struct ExpectedCheckpoint: Decodable {
  struct Entry: Codable, Equatable, CustomStringConvertible {
    let name: String
    let dtype: String
    let shape: [Int]
    let nbytes: Int
    let sha256: String

    var description: String { "\(name) \(dtype) \(shape) \(nbytes) \(sha256.prefix(8))" }
  }

  let file: String
  let container: String
  let tensors: [Entry]

  static func list(_ url: URL) throws -> [ExpectedCheckpoint] {
    try JSONDecoder().decode([ExpectedCheckpoint].self, from: Data(contentsOf: url))
  }

  /// The committed ones.
  static let folder = TestFolders.golden.appendingPathComponent("checkpoints")
  static let committed = (try? list(folder.appendingPathComponent("expected.json"))) ?? []
}

extension Checkpoint {
  /// Reads a file by the container it is said to be.
  static func reading(_ path: String, as container: String, allowInert: Bool = false) throws -> Checkpoint {
    switch container {
    case "torch-zip": try TorchZip.read(ZipArchive(path: path), allowInert: allowInert)
    case "torchscript": try TorchScript.read(ZipArchive(path: path), allowInert: allowInert)
    case "torch-legacy": try TorchLegacy.read(path: path, allowInert: allowInert)
    default: try NPZ.read(ZipArchive(path: path))
    }
  }

  /// A committed file.
  static func committed(_ name: String, allowInert: Bool = false) throws -> Checkpoint {
    let expected = ExpectedCheckpoint.committed.first { $0.file == name }
    return try reading(
      ExpectedCheckpoint.folder.appendingPathComponent(name).path, as: expected?.container ?? "none",
      allowInert: allowInert)
  }

  /// What it holds, every value read.
  func described() throws -> [ExpectedCheckpoint.Entry] {
    try entries.map { entry in
      let bytes = try entry.tensor.bytes()
      return ExpectedCheckpoint.Entry(
        name: entry.tensor.name, dtype: entry.dtypeName, shape: entry.tensor.shape, nbytes: bytes.count,
        sha256: bytes.withUnsafeBytes { SHA256.digest(of: $0) }.text)
    }
  }
}

/// The sentence that a file is refused with, or nil.
func refusal(_ body: () throws -> Void) -> FormatError? {
  do {
    try body()
    return nil
  } catch {
    return error as? FormatError
  }
}

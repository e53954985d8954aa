import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct ContainerReadingTests {
  static let folder = TestFolders.golden.appendingPathComponent("containers")
  static let committed = (try? ExpectedCheckpoint.list(folder.appendingPathComponent("expected.json"))) ?? []

  /// What a file holds as `inspect` lists it.
  private static func listed(_ path: String) throws -> (container: String, tensors: [ExpectedCheckpoint.Entry]) {
    let checkpoint = try Checkpoint(reading: path)
    let digests = try checkpoint.tensorDigests()
    return (
      checkpoint.container.rawValue,
      zip(checkpoint.entries, digests).map { entry, digest in
        ExpectedCheckpoint.Entry(
          name: entry.tensor.name, dtype: entry.dtypeName, shape: entry.shape, nbytes: entry.tensor.byteCount ?? -1,
          sha256: digest.text)
      }
    )
  }

  @Test func `There are files of every container`() {
    #expect(
      Set((Self.committed + ExpectedCheckpoint.committed).map { $0.container })
        == Set(Container.allCases.map { $0.rawValue }).subtracting(["eri"]))
  }

  @Test(arguments: committed.map { $0.file })
  func `A file holds what its own software wrote`(_ file: String) throws {
    let expected = try #require(Self.committed.first { $0.file == file })
    let found = try Self.listed(Self.folder.appendingPathComponent(file).path)
    #expect(found.container == expected.container)
    #expect(found.tensors == expected.tensors)
  }

  @Test(arguments: ExpectedCheckpoint.committed.map { $0.file })
  func `PyTorch's and NumPy's archives are recognised by their content`(_ file: String) throws {
    let expected = try #require(ExpectedCheckpoint.committed.first { $0.file == file })
    let path = ExpectedCheckpoint.folder.appendingPathComponent(file).path
    #expect(try Checkpoint(reading: path, allowInert: true).container.rawValue == expected.container)
  }

  static let shared: [ExpectedCheckpoint] = {
    guard let folder = TestFolders.sharedData else { return [] }
    return (try? ExpectedCheckpoint.list(folder.appendingPathComponent("golden/checkpoints.json"))) ?? []
  }()

  @Test(.enabled(if: TestFolders.sharedData != nil), arguments: shared.map { $0.file })
  func `Checkpoints of others are listed as the shared goldens have them`(_ file: String) throws {
    let expected = try #require(Self.shared.first { $0.file == file })
    let found = try Self.listed(try #require(TestFolders.sharedData).appendingPathComponent(file).path)
    #expect(found.container == expected.container)
    #expect(found.tensors == expected.tensors)
  }

  /// A copy of a committed file in a folder of its own, with what lies beside it.
  private static func copy(_ file: String, _ bytes: [UInt8], to folder: TemporaryFolder) throws -> String {
    if file == "external.onnx" {
      _ = try folder.write(
        "external.data", TemporaryFolder.read(Self.folder.appendingPathComponent("external.data").path))
    }
    return try folder.write(file, bytes)
  }

  @Test(arguments: committed.map { $0.file })
  func `A file cut anywhere is refused`(_ file: String) throws {
    let folder = try TemporaryFolder()
    let bytes = try TemporaryFolder.read(Self.folder.appendingPathComponent(file).path)
    _ = try Self.copy(file, bytes, to: folder)
    // A MindSpore checkpoint is a sequence of entries: cut between two, or behind the last, it is a shorter checkpoint.
    var entryEnds: Set<Int> = []
    if file.hasSuffix(".ckpt") {
      var end = 0
      while end + 2 < bytes.count, bytes[end] == 0x0A {
        let (length, count) =
          bytes[end + 1] < 0x80 ? (Int(bytes[end + 1]), 2) : (Int(bytes[end + 1] & 0x7F) | Int(bytes[end + 2]) << 7, 3)
        end += count + length
        entryEnds.insert(end)
      }
    }
    var accepted: [Int] = []
    for count in bytes.indices where !entryEnds.contains(count) {
      if try refusal([UInt8](bytes[..<count]), in: folder, name: file) == nil { accepted.append(count) }
    }
    // ONNX keeps its opset behind the graph: without it the initialisers are whole.
    if file.hasSuffix(".onnx") { accepted.removeAll { $0 >= bytes.count - 8 } }
    #expect(accepted == [])
  }

  @Test(arguments: committed.map { $0.file })
  func `Any changed byte gives a sentence or values that can be read`(_ file: String) throws {
    let folder = try TemporaryFolder()
    let bytes = try TemporaryFolder.read(Self.folder.appendingPathComponent(file).path)
    _ = try Self.copy(file, bytes, to: folder)
    var refused = 0
    for index in bytes.indices {
      for change in [UInt8(0x01), 0x80, 0xFF] {
        var damaged = bytes
        damaged[index] ^= change
        if let error = try refusal(damaged, in: folder, name: file) {
          refused += 1
          #expect(error.message.contains("expected ") || error.message.contains("cannot be read"), "\(error)")
        }
      }
    }
    #expect(refused > bytes.count / 4)
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct TorchFileTests {
  /// Attributes of a module stand in another order than in its state dictionary.
  private static func sorted(_ entries: [ExpectedCheckpoint.Entry], if isModule: Bool) -> [ExpectedCheckpoint.Entry] {
    isModule ? entries.sorted { $0.name < $1.name } : entries
  }

  @Test func `There are committed files to read`() {
    #expect(ExpectedCheckpoint.committed.count == 15)
  }

  @Test(arguments: ExpectedCheckpoint.committed.map { $0.file })
  func `A file gives the names, types, shapes and values that PyTorch or NumPy put in`(file: String) throws {
    let expected = try #require(ExpectedCheckpoint.committed.first { $0.file == file })
    let isModule = file == "script.pt" || file == "module.pth"
    let checkpoint = try Checkpoint.committed(file, allowInert: file == "module.pth")
    #expect(checkpoint.container.rawValue == expected.container)
    #expect(
      TorchFileTests.sorted(try checkpoint.described(), if: isModule)
        == TorchFileTests.sorted(expected.tensors, if: isModule))
  }

  @Test func `A zip archive is recognised by its entries`() throws {
    for expected in ExpectedCheckpoint.committed where expected.container != "torch-legacy" {
      let path = ExpectedCheckpoint.folder.appendingPathComponent(expected.file).path
      #expect(try ZipArchive(path: path).container?.rawValue == expected.container)
    }
  }

  @Test(arguments: ["nested.pth", "nested-legacy.pth"])
  func `What lies under an optimizer's key has the optimizer's role`(file: String) throws {
    let checkpoint = try Checkpoint.committed(file)
    let state = checkpoint.entries.filter { $0.tensor.role == .optimizerState }.map { $0.tensor.name }
    #expect(state.count == 12)
    #expect(state.allSatisfy { $0.hasPrefix("optimizer_state_dict/state/") })
    #expect(checkpoint.entries.filter { $0.tensor.role == .weight }.count == checkpoint.entries.count - 12)
  }

  @Test func `What is no tensor is left out and noted`() throws {
    let notes = try Checkpoint.committed("nested.pth").notes
    #expect(notes.contains { $0.contains("\"epoch\" (an integer)") })
    #expect(notes.contains("the attribute \"_metadata\" of a dictionary was left out"))
  }

  @Test func `A file of one tensor has a name made for it, and says so`() throws {
    #expect(
      try Checkpoint.committed("lonely.pth").notes == [
        "the file is one tensor without a name; it is called \"tensor\""
      ])
  }

  @Test func `Tensors that share a storage are noted`() throws {
    #expect(
      try Checkpoint.committed("kinds.pth").notes == [
        "5 tensors share storages, each is read as values of its own: \"float\", \"transposed\", \"stepped\", "
          + "\"window\", \"overlapping\""
      ])
  }

  @Test func `A module saved whole is refused by the name of its class`() throws {
    let error = try #require(refusal { _ = try Checkpoint.committed("module.pth") })
    #expect(error.kind == .invalid)
    #expect(error.description.contains("asks for the code of \"network.Block\", \"torch.nn.modules.linear.Linear\""))
  }

  @Test func `With placeholders, each code that was asked for is noted`() throws {
    let notes = try Checkpoint.committed("module.pth", allowInert: true).notes
    #expect(notes.contains { $0.hasPrefix("the code of \"network.Block\", which the file asks for, was not run") })
  }

  @Test func `Code and constants of a TorchScript archive are noted as left out`() throws {
    #expect(
      try Checkpoint.committed("script.pt").notes.contains("the code of the modules and its constants were left out"))
  }

  @Test func `Threads may read the tensors of one archive at the same time`() async throws {
    let checkpoint = try Checkpoint.committed("kinds-deflated.pth")
    let expected = try #require(ExpectedCheckpoint.committed.first { $0.file == "kinds-deflated.pth" }).tensors
    try await withThrowingTaskGroup(of: [ExpectedCheckpoint.Entry].self) { group in
      for _ in 0..<8 { group.addTask { try checkpoint.described() } }
      for try await described in group { #expect(described == expected) }
    }
  }

  @Test func `A long transposed tensor crosses many blocks`() throws {
    let folder = try TemporaryFolder()
    // 1,501 x 1,403 in column order: 4 bytes an element are several blocks of a mebibyte and a rest.
    let (rows, columns) = (1_501, 1_403)
    let values = (0..<(rows * columns)).map { Float($0) }
    let header =
      Array("{'descr': '<f4', 'fortran_order': True, 'shape': (\(rows), \(columns)), }".utf8) + [0x0a]
    var file: [UInt8] = NPYHeader.magic + [1, 0, UInt8(header.count), 0] + header
    file += values.withUnsafeBytes { [UInt8]($0) }
    for method in [ZipBytes.Method.stored, .deflated] {
      let path = try folder.write("long.npz", ZipBytes([.init("a.npy", file, method)]).bytes)
      let entry = try #require(try NPZ.read(ZipArchive(path: path)).entries.first)
      let read = try entry.tensor.bytes().withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
      #expect(read[1] == Float(rows) && read[columns] == 1)
      #expect(
        (0..<rows).allSatisfy { row in (0..<columns).allSatisfy { read[row * columns + $0] == Float($0 * rows + row) } }
      )
    }
  }
}

/// Files that others wrote; not part of the tree.
@Suite(.enabled(if: TestFolders.sharedData != nil)) struct SharedTorchFileTests {
  private static let files: [ExpectedCheckpoint] = {
    guard let folder = TestFolders.sharedData else { return [] }
    let all = (try? ExpectedCheckpoint.list(folder.appendingPathComponent("golden/checkpoints.json"))) ?? []
    return all.filter { $0.container.hasPrefix("torch") }
  }()

  @Test func `There are such files`() { #expect(SharedTorchFileTests.files.count == 9) }

  @Test(arguments: files.map { $0.file })
  func `A file gives the names, types, shapes and values that PyTorch finds in it`(file: String) throws {
    let folder = try #require(TestFolders.sharedData)
    let expected = try #require(SharedTorchFileTests.files.first { $0.file == file })
    let checkpoint = try Checkpoint.reading(folder.appendingPathComponent(file).path, as: expected.container)
    #expect(try checkpoint.described() == expected.tensors)
  }

  @Test(arguments: [
    ("bad_pytorch.pt", "expected an opcode of plain data, found PERSID"),
    ("benign0_v0.pkl", "found a plain pickle of a list"), ("benign0_v3.pkl", "found a plain pickle of a list"),
    ("benign0_v4.pkl", "found a plain pickle of a list"), ("broken_model.pkl", "\"builtins.exec\""),
    ("malicious-invalid-bytes.pkl", "\"os.system\""),
    ("malicious0.pkl", "\"builtins.globals\", \"builtins.compile\", \"builtins.eval\", \"builtins.getattr\""),
    ("malicious15a.pkl", "\"builtins.getattr\", \"bdb.Bdb\""), ("malicious1_v0.pkl", "\"builtins.eval\""),
    ("malicious1_v3.pkl", "\"builtins.eval\""), ("malicious1_v4.pkl", "\"builtins.eval\""),
    ("malicious4.pickle", "\"requests.api.get\""), ("not_a_pickle.bin", "expected a name in UTF-8, found other bytes"),
  ])
  func `A scanner's test file is refused by what it is or asks for`(file: String, words: String) throws {
    let path = try #require(TestFolders.sharedData).appendingPathComponent("checkpoints/malicious/\(file)").path
    let error = try #require(refusal { _ = try TorchLegacy.read(path: path, allowInert: true) })
    #expect(error.kind == .invalid)
    #expect(error.description.contains(words), "\(error)")
  }

  @Test func `A scanner's zip archive is refused by what its pickle asks for`() throws {
    let path = try #require(TestFolders.sharedData).appendingPathComponent("checkpoints/malicious/malicious1.zip").path
    let archive = try ZipArchive(path: path)
    let error = try #require(refusal { _ = try TorchZip.read(archive, allowInert: false) })
    #expect(error.description.contains("asks for the code of \"builtins.eval\""))
    #expect(try TorchZip.read(archive, allowInert: true).entries.isEmpty)
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct DamagedCheckpointTests {
  /// Reads all that a file holds; whether it was refused.
  private static func isRefused(_ path: String, _ container: String) throws -> Bool {
    do {
      let checkpoint = try Checkpoint.reading(path, as: container, allowInert: true)
      for entry in checkpoint.entries { _ = try entry.tensor.bytes() }
      return false
    } catch is FormatError {
      return true
    }
  }

  private static let files = [
    "small.pth", "small-legacy.pth", "small-protocol4.pth", "nested-legacy.pth", "kinds-legacy.pth", "script.pt",
    "kinds-deflated.pth", "arrays-deflated.npz",
  ]

  @Test(arguments: files)
  func `A file cut anywhere is refused`(file: String) throws {
    let folder = try TemporaryFolder()
    let container = try #require(ExpectedCheckpoint.committed.first { $0.file == file }).container
    let bytes = try TemporaryFolder.read(ExpectedCheckpoint.folder.appendingPathComponent(file).path)
    var accepted: [Int] = []
    for count in bytes.indices {
      let path = try folder.write("cut", [UInt8](bytes[..<count]))
      if try !DamagedCheckpointTests.isRefused(path, container) { accepted.append(count) }
    }
    #expect(accepted == [])
  }

  @Test(arguments: files)
  func `Any changed byte gives a sentence or values that can be read`(file: String) throws {
    let folder = try TemporaryFolder()
    let container = try #require(ExpectedCheckpoint.committed.first { $0.file == file }).container
    let bytes = try TemporaryFolder.read(ExpectedCheckpoint.folder.appendingPathComponent(file).path)
    var refused = 0
    for index in bytes.indices {
      for change in [UInt8(0x01), 0x80, 0xff] {
        var damaged = bytes
        damaged[index] ^= change
        if try DamagedCheckpointTests.isRefused(try folder.write("damaged", damaged), container) { refused += 1 }
      }
    }
    #expect(refused > bytes.count / 4)
  }

  @Test func `No changed byte of an archive's values goes unnoticed`() throws {
    let folder = try TemporaryFolder()
    let bytes = try TemporaryFolder.read(ExpectedCheckpoint.folder.appendingPathComponent("small.pth").path)
    let values = (0..<6).flatMap { value in withUnsafeBytes(of: Float(value)) { [UInt8]($0) } }
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: values) })
    for index in start..<(start + values.count) {
      var damaged = bytes
      damaged[index] ^= 4
      #expect(try DamagedCheckpointTests.isRefused(try folder.write("damaged", damaged), "torch-zip"))
    }
  }
}

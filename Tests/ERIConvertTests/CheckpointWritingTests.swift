import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct CheckpointWritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private enum Format: CaseIterable {
    case npz
    case torch

    func write(_ tensors: [Tensor], _ path: String) throws {
      switch self {
      case .npz: try NPZ.write(tensors, to: path)
      case .torch: try TorchWriter.write(tensors, to: path)
      }
    }
  }

  private static let torchFiles = ExpectedCheckpoint.committed.map { $0.file }.filter { $0 != "module.pth" }

  @Test(arguments: torchFiles)
  func `A checkpoint written as .pth holds the same names, types, shapes and values`(file: String) throws {
    let checkpoint = try Checkpoint.committed(file)
    let path = folder.path("written.pth")
    try TorchWriter.write(checkpoint.entries.map { $0.tensor }, to: path)
    #expect(try Checkpoint.reading(path, as: "torch-zip").described() == checkpoint.described())
  }

  @Test(arguments: ExpectedCheckpoint.committed.filter { $0.container == "npz" }.map { $0.file })
  func `A checkpoint written as .npz holds the same names, types, shapes and values`(file: String) throws {
    let checkpoint = try Checkpoint.committed(file)
    let path = folder.path("written.npz")
    try NPZ.write(checkpoint.entries.map { $0.tensor }, to: path)
    #expect(try Checkpoint.reading(path, as: "npz").described() == checkpoint.described())
  }

  @Test func `The same tensors give the same bytes, whatever the file is called`() throws {
    let tensors = try Checkpoint.committed("kinds.pth").entries.map { $0.tensor }
    for name in ["one.pth", "two.pth"] { try TorchWriter.write(tensors, to: folder.path(name)) }
    #expect(try folder.bytes("one.pth") == folder.bytes("two.pth"))
  }

  @Test func `More tensors than one batch of the pickle are all there`() throws {
    let tensors = (0..<2_001).map { Tensor("t\($0)", [1], floats: [Float($0)]) }
    try TorchWriter.write(tensors, to: folder.path("many.pth"))
    let read = try Checkpoint.reading(folder.path("many.pth"), as: "torch-zip")
    #expect(read.entries.map { $0.tensor.name } == tensors.map { $0.name })
    #expect(try read.entries.last?.tensor.bytes() == tensors.last?.bytes())
  }

  @Test func `bfloat16 is refused by name in an .npz`() throws {
    let tensor = Tensor("b", .bf16, [1], values: .bytes([0, 0]))
    let error = refusal { try NPZ.write([tensor], to: folder.path("b.npz")) }
    #expect(error?.kind == .unsupported)
    #expect(
      error?.description.hasPrefix("tensor \"b\": expected a type that .npy has a name for, found bfloat16") == true)
    #expect(try folder.entries() == [])
  }

  @Test func `A quantized tensor is refused, since its scales would be lost`() throws {
    let tensor = Tensor(
      "q", .i8, [1], quantization: Quantization(stored: .i8, scales: [0.5], minimum: -128, maximum: 127),
      values: .bytes([1]))
    for format in Format.allCases {
      let error = refusal { try format.write([tensor], folder.path("q")) }
      #expect(error?.kind == .unsupported)
      #expect(error?.description.hasPrefix("tensor \"q\": expected values that mean themselves") == true)
    }
  }

  @Test func `Two tensors of one name are refused`() throws {
    let tensor = Tensor("a", [1], floats: [0])
    for format in Format.allCases {
      #expect(
        refusal { try format.write([tensor, tensor], folder.path("twice")) }?.message.contains(
          "expected each name once")
          == true)
    }
    #expect(try folder.entries() == [])
  }

  @Test func `A tensor whose values cannot be read leaves no file behind`() throws {
    let tensor = Tensor("a", .f32, [3], values: .bytes([0]))
    for format in Format.allCases {
      #expect(refusal { try format.write([tensor], folder.path("short")) } != nil)
    }
    #expect(try folder.entries() == [])
  }

  /// Tests/Golden/generate/written lets PyTorch and NumPy read what this leaves in the folder ERI_WRITTEN_CHECKPOINTS.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["ERI_WRITTEN_CHECKPOINTS"] != nil))
  func `Files for PyTorch and NumPy to read`() throws {
    let target = URL(fileURLWithPath: try #require(ProcessInfo.processInfo.environment["ERI_WRITTEN_CHECKPOINTS"]))
    for file in CheckpointWritingTests.torchFiles {
      let checkpoint = try Checkpoint.committed(file)
      let tensors = checkpoint.entries.map { $0.tensor }
      var written = [target.appendingPathComponent("\(file).pth")]
      try TorchWriter.write(tensors, to: written[0].path)
      if !tensors.contains(where: { $0.dtype == .bf16 }) {
        written.append(target.appendingPathComponent("\(file).npz"))
        try NPZ.write(tensors, to: written[1].path)
      }
      for url in written {
        try JSONEncoder().encode(try checkpoint.described()).write(to: url.appendingPathExtension("json"))
      }
    }
  }
}

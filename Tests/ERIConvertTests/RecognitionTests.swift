import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct RecognitionTests {
  static let refused: [(what: String, bytes: [UInt8], message: String, kind: FormatError.Kind)] = {
    let none = "expected an .eri, PyTorch, MindSpore, safetensors, ONNX or NumPy file, found "
    let other = "expected a container that is read here, found "
    return [
      ("nothing", [], "expected a file of tensors, found an empty file", .invalid),
      (
        "a tar archive", [UInt8](repeating: 0, count: 257) + Array("ustar".utf8),
        other + "a tar archive, as PyTorch before 0.1.10 wrote; load it in PyTorch and save it anew", .unsupported
      ),
      (
        "an old script", Array("PYTORCH1....".utf8),
        other + "a TorchScript file from before PyTorch 1.0; load it in PyTorch and save it anew", .unsupported
      ),
      (
        "GCM", [0x7F, 0x3A, 0x5E, 0xD8, 0, 0],
        other + "an encrypted MindSpore checkpoint (AES-GCM); save it without a key", .unsupported
      ),
      (
        "CBC, lowest byte first", [0xD9, 0x5E, 0x3A, 0x7F, 0, 0],
        other + "an encrypted MindSpore checkpoint (AES-CBC); save it without a key", .unsupported
      ),
      (
        "SM4", [0xDA, 0x5E, 0x3A, 0x7F, 0, 0],
        other + "an encrypted MindSpore checkpoint (SM4-CBC); save it without a key", .unsupported
      ),
      (
        "MindIR", Wire.text(1, "0.1.1") + Wire.text(2, "MindSpore"),
        other + "a MindIR model; save its parameters with mindspore.save_checkpoint", .unsupported
      ),
      ("TFLite", [0x1C, 0, 0, 0] + Array("TFL3".utf8), other + "a TensorFlow Lite model", .unsupported),
      ("gzip", [0x1F, 0x8B, 8, 0], other + "a gzip file; unpack it first", .unsupported),
      ("7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], other + "a 7-Zip archive; unpack it first", .unsupported),
      ("zstd", [0x28, 0xB5, 0x2F, 0xFD, 0], other + "a zstd file; unpack it first", .unsupported),
      ("HDF5", [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], other + "an HDF5 file", .unsupported),
      ("GGUF", Array("GGUF".utf8), other + "a GGUF file", .unsupported),
      (
        "HTML", Array("\n<!DOCTYPE html>".utf8),
        none + "an HTML or XML page; was the download an error page?", .invalid
      ),
      ("JSON", Array("{\"a\": 1}".utf8), none + "JSON text", .invalid),
      ("text", Array("some words".utf8), none + "text", .invalid),
      (
        "a Git LFS pointer", Array("version https://git-lfs.github.com/spec/v1\n".utf8),
        none + "a Git LFS pointer; fetch the file with git lfs pull", .invalid
      ),
      ("noise", [0xEE, 0x01, 0x02], none + "a file that begins with ee 01 02", .invalid),
      (
        "an empty zip archive", [0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18),
        "expected a zip archive of PyTorch or NumPy, found one without data.pkl or an array", .invalid
      ),
      (
        "a pickle", [0x80, 0x03, 0x5D, 0x2E],
        "expected a file of torch.save, found a plain pickle of a list; save the tensors with torch.save", .invalid
      ),
    ]
  }()

  @Test(arguments: refused.indices) func `What is no container is refused by its name`(_ index: Int) throws {
    let folder = try TemporaryFolder()
    let refused = Self.refused[index]
    let error = try #require(try refusal(refused.bytes, in: folder))
    #expect(error.description == refused.message)
    #expect(error.kind == refused.kind)
  }

  @Test func `A missing file is named`() throws {
    #expect(
      throws: FormatError(.inputOutput, at: "no/file", "expected a readable file, found \"No such file or directory\"")
    ) {
      try Checkpoint(reading: "no/file")
    }
  }

  @Test func `An .eri file lists its tensors by NumPy's names of types`() throws {
    let folder = try TemporaryFolder()
    var model = Model()
    model.tensors = [Tensor("a", [2], floats: [1, 2])]
    _ = try model.write(to: folder.path("a.bin"))
    let checkpoint = try Checkpoint(reading: folder.path("a.bin"))
    #expect(checkpoint.container == .eri)
    #expect(checkpoint.entries.map { $0.dtypeName } == ["float32"])
    #expect(try checkpoint.weightsDigest(checkpoint.tensorDigests()) == model.digests().weights)
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct ConversionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func digest(_ path: String) throws -> String {
    let checkpoint = try Checkpoint(reading: path)
    return try checkpoint.weightsDigest(checkpoint.tensorDigests()).text
  }

  private func write(_ model: Model, _ name: String) throws -> [String] {
    try OutputContainer(path: name).write(model, to: folder.path(name), level: 1, threads: 2, checksum: false)
  }

  private static let sources =
    ContainerReadingTests.committed.map { "containers/\($0.file)" }
    + ["small.pth", "small-legacy.pth", "arrays.npz"].map { "checkpoints/\($0)" }

  @Test(arguments: sources, ["eri", "safetensors", "npz", "ckpt", "pth"])
  func `Weights keep their digest through every container and back`(_ file: String, _ ending: String) throws {
    let source = TestFolders.golden.appendingPathComponent(file).path
    var conversion = try Conversion(reading: source, weightsOnly: true)
    // NumPy has no bfloat16.
    if ending == "npz" { conversion.model.tensors.removeAll { $0.dtype == .bf16 } }
    _ = try write(conversion.model, "first.eri")
    _ = try write(try Conversion(reading: folder.path("first.eri")).model, "other.\(ending)")
    _ = try write(try Conversion(reading: folder.path("other.\(ending)")).model, "back.eri")
    let expected = try conversion.model.digests().weights.text
    #expect(try digest(folder.path("first.eri")) == expected)
    #expect(try digest(folder.path("other.\(ending)")) == expected)
    #expect(try digest(folder.path("back.eri")) == expected)
  }

  @Test func `The lineage names the source and its digest`() throws {
    let path = TestFolders.golden.appendingPathComponent("containers/plain.ckpt").path
    let step = try #require(try Conversion(reading: path).model.lineage.first)
    #expect(step.action == "convert")
    #expect(step.detail == "mindspore-ckpt")
    #expect(step.source == "plain.ckpt")
    let bytes = try TemporaryFolder.read(path)
    #expect(step.sourceSHA256 == bytes.withUnsafeBytes { SHA256.digest(of: $0) }.text)
  }

  @Test func `Optimiser state goes last, and is left out where it would pass for weights`() throws {
    let state = Tensor("moment1.w", [1], role: .optimizerState, floats: [1])
    let foreign = Tensor("exp_avg", [1], role: .optimizerState, floats: [1])
    var model = Model()
    model.tensors = [Tensor("w", [1], floats: [2]), state, foreign]
    #expect(
      try write(model, "a.npz") == [
        "2 tensors of optimiser state left out, since this container cannot tell them from weights"
      ])
    #expect(
      try write(model, "a.ckpt") == [
        "1 tensor of optimiser state left out, since this container cannot tell them from weights"
      ])
    #expect(try write(model, "a.safetensors") == [])
    #expect(try Checkpoint(reading: folder.path("a.ckpt")).entries.map { $0.tensor.name } == ["w", "moment1.w"])
    try MindSporeWriter.write(
      [Tensor("moment1.w", [1], floats: [1]), Tensor("w", [1], floats: [2])], to: folder.path("b"))
    let conversion = try Conversion(reading: folder.path("b"))
    #expect(conversion.model.tensors.map { $0.name } == ["w", "moment1.w"])
    #expect(
      conversion.notes == [
        "1 tensor of optimiser state, by name", "optimiser state was moved behind the other tensors",
      ])
  }

  @Test func `Another extension is refused`() throws {
    for (name, found) in [
      ("a.bin", ".bin"), ("a", "none"),
      ("b.d/a", "none"),
    ] {
      #expect(
        throws: FormatError(
          .unsupported, at: name,
          "expected a name that ends in .eri, .safetensors, .npz, .ckpt, .pth or .onnx, found \(found)")
      ) { try OutputContainer(path: name) }
    }
  }
}

@Suite struct CastTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The values of a tensor cast to a type, and the report.
  private func cast(_ tensor: Tensor, _ dtype: DType, allowOverflow: Bool = false) throws -> ([UInt8], [String]) {
    var model = Model()
    model.tensors = [tensor]
    _ = try model.write(to: folder.path("in.eri"))
    var conversion = try Conversion(reading: folder.path("in.eri"))
    try conversion.store(as: dtype, allowOverflow: allowOverflow)
    let bytes = try conversion.model.tensors[0].bytes()
    return (bytes, conversion.castReports)
  }

  @Test func `float16 rounds to the nearest, ties to even`() throws {
    // 2048 + 1 lies between 2048 and 2050, 2048 + 3 between 2050 and 2052: both ties go to the even neighbour.
    let (bytes, reports) = try cast(Tensor("w", [4], floats: [1, 2049, 2051, -0.0]), .f16)
    #expect(bytes == [0x00, 0x3C, 0x00, 0x68, 0x02, 0x68, 0x00, 0x80])
    #expect(reports == ["cast 1 tensor from float32 to float16: 2 of 4 values changed, largest error 1.0 in \"w\""])
  }

  @Test func `bfloat16 is PyTorch's for every pattern of the upper half and its neighbours`() throws {
    var floats: [Float] = []
    for upper in 0..<UInt32(65_536) {
      for lower: UInt32 in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
        floats.append(Float(bitPattern: upper << 16 | lower))
      }
    }
    let (bytes, _) = try cast(Tensor("w", [floats.count], floats: floats), .bf16, allowOverflow: true)
    var wrong = 0
    for (index, value) in floats.enumerated() {
      let found = UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8
      let pattern = value.bitPattern
      // Half of the last place is added, less one where the result would otherwise be odd.
      let expected = UInt16(truncatingIfNeeded: (UInt64(pattern) + 0x7FFF + UInt64(pattern >> 16 & 1)) >> 16)
      if value.isNaN ? found & 0x7F80 != 0x7F80 || found & 0x7F == 0 : found != expected { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func `From float64 a value is rounded once`() throws {
    // Just above the tie between two bfloat16 values, by less than a float32 can tell.
    let value = 1 + 0x1p-8 + 0x1p-40
    let (bytes, _) = try cast(
      Tensor("w", .f64, [2], values: .bytes([value, -value].withUnsafeBytes { [UInt8]($0) })), .bf16)
    #expect(bytes == [0x81, 0x3F, 0x81, 0xBF])
  }

  @Test func `A value that would become infinite is refused unless that is allowed`() throws {
    let tensor = Tensor("w", [3], floats: [1, 70_000, .infinity])
    let message =
      "expected values that float16 holds, found 70000.0 at element 1; store it in a wider type, or let it become "
      + "infinite with --allow-overflow"
    #expect(throws: FormatError(.invalid, at: "", message)) { try cast(tensor, .f16) }
    let (bytes, reports) = try cast(tensor, .f16, allowOverflow: true)
    #expect(bytes == [0x00, 0x3C, 0x00, 0x7C, 0x00, 0x7C])
    #expect(reports == ["cast 1 tensor from float32 to float16: 1 of 3 values changed, 1 became infinite"])
  }

  @Test func `Integers, constants and tensors of that type already stay as they are`() throws {
    #expect(try cast(Tensor("w", .i8, [1], values: .bytes([3])), .f16).0 == [3])
    #expect(try cast(Tensor("w", [1], role: .constant, floats: [2]), .f16).0 == bytes([2]))
    #expect(try cast(Tensor("w", [1], floats: [2]), .f32).1 == [])
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct VerifyTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ tensors: [Tensor], _ name: String) throws {
    var model = Model()
    model.tensors = tensors
    _ = try OutputContainer(path: name).write(model, to: folder.path(name), level: 1, threads: 1, checksum: false)
  }

  /// Every container against every other one that holds float32 weights.
  private static let containers = [
    ("a.safetensors", "b.pth"), ("a.pth", "b.eri"), ("a.eri", "b.safetensors"), ("a.ckpt", "b.npz"),
  ]

  /// The lines about tensors, and the exit code, of the small state dict against a changed one.
  private func verify(_ files: (String, String), _ changed: [Tensor], _ options: String = "") throws -> (
    lines: [String], status: Int32
  ) {
    try write(SmallStateDict.tensors(), files.0)
    try write(changed, files.1)
    let outcome = try Tool.eri.run("verify \(files.0) \(files.1) \(options)", in: folder)
    #expect(outcome.errors == "")
    return (outcome.output.split(separator: "\n").dropFirst(2).map { String($0) }, outcome.status)
  }

  @Test(arguments: containers) func `the same weights are the same in every container`(_ a: String, _ b: String) throws
  {
    let result = try verify((a, b), SmallStateDict.tensors(), "--policy same-weights")
    #expect(result.lines == ["tensors: 13 bit-equal", "the same under same-weights"])
    #expect(result.status == 0)
  }

  @Test(arguments: containers) func `a transposed matrix is explained`(_ a: String, _ b: String) throws {
    let changed = try SmallStateDict.tensors(changing: "fc.weight") { SmallStateDict.transposed($0, rows: 5) }
    let result = try verify((a, b), changed)
    #expect(result.status == 1)
    #expect(result.lines.count == 3)
    #expect(result.lines[0] == "tensors: 12 bit-equal, 1 different")
    #expect(result.lines[1].hasPrefix("  fc.weight: B is A transposed; 20 of 25 elements differ, "))
    #expect(result.lines[2] == "different under fp32: 1 tensor with other values")
  }

  @Test(arguments: containers) func `a renamed block is explained`(_ a: String, _ b: String) throws {
    let changed = SmallStateDict.tensors().map { tensor in
      var tensor = tensor
      if tensor.name.hasPrefix("layer2.") { tensor.name = "layerB." + tensor.name.dropFirst(7) }
      return tensor
    }
    let result = try verify((a, b), changed)
    #expect(
      result.lines == [
        "tensors: 13 bit-equal",
        "  renamed: layer2.0.* is layerB.0.* under another name, 5 tensors, values bit-equal",
        "different under fp32: 5 tensors under another name",
      ])
    #expect(result.status == 1)
  }

  @Test(arguments: containers) func `a rounding to bfloat16 is explained, and allowed for 8-bit integers`(
    _ a: String, _ b: String
  ) throws {
    let changed = try SmallStateDict.tensors(changing: "conv1.weight", SmallStateDict.bfloat16)
    let result = try verify((a, b), changed)
    #expect(
      result.lines[1].hasPrefix("  conv1.weight: equal after rounding: B is A rounded to bfloat16; 108 of 108 elements")
    )
    #expect(result.lines[2] == "different under fp32: 1 tensor with other values")
    #expect(result.status == 1)
    #expect(try verify((a, b), changed, "--policy int8").status == 0)
  }

  @Test func `a checkpoint stored as bfloat16 is explained`() throws {
    try write(SmallStateDict.tensors(), "a.safetensors")
    _ = try Tool.eri.run("convert a.safetensors b.eri --store bf16", in: folder)
    let outcome = try Tool.eri.run("verify a.safetensors b.eri", in: folder)
    #expect(outcome.status == 1)
    #expect(
      outcome.output.contains(
        "\n  fc.bias: type float32 in A, bfloat16 in B; equal after rounding: B is A rounded to bfloat16; "))
  }

  @Test(arguments: containers) func `a single flipped bit is explained`(_ a: String, _ b: String) throws {
    let changed = try SmallStateDict.tensors(changing: "layer1.0.conv.weight") { values in
      var values = values
      values[50] = Float(bitPattern: values[50].bitPattern ^ 1 << 22)
      return values
    }
    let result = try verify((a, b), changed)
    #expect(
      result.lines[1].hasPrefix(
        "  layer1.0.conv.weight: a single element differs in one bit: element [1, 1, 1, 2], bit 22, "))
    #expect(result.status == 1)
  }

  @Test func `JSON has the documented members`() throws {
    let changed = try SmallStateDict.tensors(changing: "fc.weight") { SmallStateDict.transposed($0, rows: 5) }
    try write(SmallStateDict.tensors(), "a.npz")
    try write(changed.dropLast(), "b.pth")
    let outcome = try Tool.eri.run("verify a.npz b.pth --json", in: folder)
    #expect(outcome.status == 1)
    let report = try object(outcome.output)
    #expect((report["a"] as? [String: Any])?["container"] as? String == "npz")
    #expect((report["b"] as? [String: Any])?["tensors"] as? Int == 12)
    #expect(report["policy"] as? String == "fp32")
    #expect(report["verdict"] as? String == "different")
    #expect(report["differences"] as? [String] == ["1 tensor only in A", "1 tensor with other values"])
    let weights = try #require(report["weights"] as? [String: Any])
    #expect(weights["bit_equal"] as? Int == 11)
    #expect(weights["different"] as? Int == 1)
    #expect((weights["only_a"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["fc.bias"])
    let tensors = try #require(weights["tensors"] as? [[String: Any]])
    let matrix = try #require(tensors.first { $0["a"] as? String == "fc.weight" })
    #expect(matrix["explanation"] as? String == "transposed")
    #expect(matrix["verdict"] as? String == "different")
    #expect(matrix["differing"] as? Int == 20)
  }

  @Test func `a file that is no container ends with 2`() throws {
    _ = try folder.write("a.txt", Array("hello".utf8))
    try write(SmallStateDict.tensors(), "b.npz")
    let outcome = try Tool.eri.run("verify a.txt b.npz", in: folder)
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("eri: a.txt: expected an .eri, PyTorch, MindSpore, safetensors"))
  }
}

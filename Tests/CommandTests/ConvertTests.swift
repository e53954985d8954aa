import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct ConvertTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A safetensors file with two weights and metadata.
  private func writeWeights() throws {
    try SafetensorsWriter.write(
      [
        Tensor("layer.weight", [2, 3], floats: [1, 2, 3, -1, 0.5, 70_000]),
        Tensor("step", .i64, [], values: .bytes([7, 0, 0, 0, 0, 0, 0, 0])),
      ], to: folder.path("w.safetensors"), metadata: [("source", "tests")])
  }

  // Of the two weights by the definition in FORMAT.md, computed with Python's hashlib and struct.
  private static let digest = "7930d747dbdc9b231e9a0618bc959f6c6aaaf509ef5c06e5dfc8f407ef5a204f"

  private static let notes =
    "w.safetensors: metadata \"format\" is \"pt\"\nw.safetensors: metadata \"source\" is \"tests\"\n"

  @Test(arguments: ["eri", "safetensors", "npz", "ckpt", "pth"])
  func `every container gives the weights' digest and what was written`(_ ending: String) throws {
    try writeWeights()
    #expect(
      try Tool.eri.run("convert w.safetensors out.\(ending)", in: folder)
        == Tool.Outcome(
          "\(Self.digest)  out.\(ending)\n", errors: Self.notes + "out.\(ending): 2 tensors, 32 bytes of values\n"))
    #expect(
      try Tool.eri.run("id w.safetensors out.\(ending)", in: folder)
        == Tool.Outcome("\(Self.digest)  w.safetensors\n\(Self.digest)  out.\(ending)\n"))
  }

  @Test func `the level and the threads change no digest, the threads no byte`() throws {
    try writeWeights()
    for (name, words) in [("a", "--level 1 --threads 1"), ("b", "--level 1 --threads 3"), ("c", "--level 19")] {
      let outcome = try Tool.eri.run("convert w.safetensors \(name).eri \(words)", in: folder)
      #expect(outcome.output == "\(Self.digest)  \(name).eri\n")
    }
    #expect(try folder.bytes("a.eri") == folder.bytes("b.eri"))
  }

  @Test func `a cast is reported and recorded, and refused where a value would become infinite`() throws {
    try writeWeights()
    #expect(
      try Tool.eri.run("convert w.safetensors h.eri --store f16", in: folder)
        == Tool.Outcome(
          errors: Self.notes
            + "eri: h.eri: tensor \"layer.weight\": expected values that float16 holds, found 70000.0 at "
            + "element 5; store it in a wider type, or let it become infinite with --allow-overflow\n", status: 2))
    #expect(try folder.entries() == ["w.safetensors"])
    let outcome = try Tool.eri.run("convert w.safetensors h.eri --store bf16", in: folder)
    #expect(
      outcome.errors
        == Self.notes
        + "w.safetensors: cast 1 tensor from float32 to bfloat16: 1 of 6 values changed, largest error 144.0 in \"layer.weight\"\n"
        + "h.eri: 2 tensors, 20 bytes of values\n")
    let report = try object(Tool.eri.run("inspect h.eri --json", in: folder).output)
    let steps = try #require(report["lineage"] as? [[String: Any]])
    #expect(steps.map { $0["action"] as? String } == ["convert", "store"])
    #expect(steps.map { $0["source"] as? String } == ["w.safetensors", ""])
    #expect(steps[1]["detail"] as? String == "1 tensor cast to bfloat16")
    let allowed = try Tool.eri.run("convert w.safetensors i.eri --store f16 --allow-overflow", in: folder)
    #expect(allowed.status == 0)
    #expect(allowed.errors.contains("1 of 6 values changed, 1 became infinite\n"))
  }

  @Test func `a model with a graph is not cast, and says what other containers leave behind`() throws {
    try SmallModel.write(to: folder)
    #expect(
      try Tool.eri.run("convert model.eri h.eri --store f16", in: folder)
        == Tool.Outcome(
          errors:
            "eri: model.eri: expected a file of tensors alone to cast, found a graph whose operators take the types "
            + "that it has\n", status: 3))
    let outcome = try Tool.eri.run("convert model.eri w.npz", in: folder)
    #expect(
      outcome.errors
        == "w.npz: the graph, the preprocessing and the labels were left out\nw.npz: 2 tensors, 32 bytes of values\n")
    #expect(outcome.status == 0)
  }

  @Test func `a repacked model keeps all it holds`() throws {
    try SmallModel.write(to: folder)
    _ = try Tool.eri.run("convert model.eri again.eri --level 1", in: folder)
    let (a, b) = try (Model(reading: folder.path("model.eri")), Model(reading: folder.path("again.eri")))
    #expect(try a.digests() == b.digests())
    #expect(a.lineage == b.lineage)
  }

  @Test func `unpack and convert undo each other, and the model still runs`() throws {
    try SmallModel.write(to: folder)
    let digests = try Model(reading: folder.path("model.eri")).digests()
    #expect(
      try Tool.eri.run("unpack model.eri flat.eri", in: folder)
        == Tool.Outcome("weights \(digests.weights.text)\nlogical \(digests.logical.text)\n"))
    try SmallModel.array("x.npy", [1, 3], [1, 1, 1], to: folder)
    for tool in Tool.allCases {
      let outcome = try tool.run("exec flat.eri --input x=x.npy --output-dir out", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try SmallModel.read(folder.path("out/y_scaled.npy")).values == [6.25, 0])
    _ = try Tool.eri.run("convert flat.eri packed.eri", in: folder)
    #expect(try folder.bytes("packed.eri") == folder.bytes("model.eri"))
  }

  @Test func `MindSpore's CRC is written when it is asked for`() throws {
    try writeWeights()
    _ = try Tool.eri.run("convert w.safetensors a.ckpt", in: folder)
    _ = try Tool.eri.run("convert w.safetensors b.ckpt --crc", in: folder)
    let (plain, checked) = try (folder.bytes("a.ckpt"), folder.bytes("b.ckpt"))
    #expect(checked.starts(with: plain + Array("crc_num".utf8)))
    #expect(checked.count == plain.count + 17)
  }

  static let refused: [(words: String, sentence: String, status: Int32)] = [
    (
      "convert w.safetensors a.onnx",
      "a.onnx: expected a model with a graph for an .onnx file, found tensors alone; "
        + "give it one with `eri convert --network`", 3
    ),
    ("convert none.pth a.eri", "none.pth: expected a readable file, found \"No such file or directory\"", 2),
    (
      "convert text a.eri", "text: expected an .eri, PyTorch, MindSpore, safetensors, ONNX or NumPy file, found text", 2
    ),
    (
      "convert w.safetensors no/folder/a.npz",
      "no/folder/a.npz: cannot be written: No such file or directory", 2
    ),
    (
      "convert w.safetensors no/folder/a.eri",
      "no/folder/a.eri: expected a file that can be written, found \"No such file or directory\"", 2
    ),
    (
      "unpack w.safetensors a.eri", "w.safetensors: prologue: expected an .eri file of at least 256 bytes, found 232", 2
    ),
    (
      "unpack w.safetensors a.npz",
      "a.npz: expected a name that ends in .eri, found another; unpack writes no other container", 3
    ),
    ("id text", "text: expected an .eri, PyTorch, MindSpore, safetensors, ONNX or NumPy file, found text", 2),
    (
      "inspect code",
      "code: expected tensors and plain containers, found a pickle that asks for the code of \"os.system\"; "
        + "nothing was executed; save the state dictionary alone, or read what is left with --allow-inert", 2
    ),
  ]

  @Test(arguments: refused.indices) func `what cannot be read or written is refused in one sentence`(_ index: Int)
    throws
  {
    try writeWeights()
    _ = try folder.write("text", Array("some words".utf8))
    _ = try folder.write("code", Array("cos\nsystem\n(S'true'\ntR.".utf8))
    let before = try folder.entries()
    let refused = Self.refused[index]
    let outcome = try Tool.eri.run(refused.words, in: folder)
    #expect(outcome.status == refused.status)
    #expect(outcome.output == "")
    #expect(outcome.errors.replacingOccurrences(of: Self.notes, with: "") == "eri: \(refused.sentence)\n")
    #expect(try folder.entries() == before)
  }
}

@Suite struct InspectContainerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `the text tells what a container holds`() throws {
    try MindSporeWriter.write(
      [Tensor("w", [2], floats: [1, 2]), Tensor("learning_rate", [], role: .optimizerState, floats: [0.5])],
      to: folder.path("a.ckpt"))
    let weights = try Tool.eri.run("id a.ckpt", in: folder).output.prefix(64)
    #expect(
      try Tool.eri.run("inspect a.ckpt", in: folder)
        == Tool.Outcome(
          """
          file       a.ckpt
          container  mindspore-ckpt
          note       1 tensor of optimiser state, by name
          weights    2 parameters, sha256 \(weights)
          tensors    2, 12 bytes
            w              Float32  [2]  8  b9c80b5adeca
            learning_rate  Float32  []   4  d99e58435243

          """))
  }

  @Test func `JSON has the contract's members, the container's own names of types and its metadata`() throws {
    try SafetensorsWriter.write(
      [Tensor("a", .f16, [1], values: .bytes([0, 60]))], to: folder.path("a.bin"), metadata: [("k", "v")])
    let weights = try Tool.eri.run("id a.bin", in: folder).output.prefix(64)
    #expect(
      try Tool.eri.run("inspect a.bin --json", in: folder)
        == Tool.Outcome(
          "{\"file\": \"a.bin\", \"container\": \"safetensors\", \"metadata\": {\"format\": \"pt\", \"k\": \"v\"}, "
            + "\"weights_sha256\": \"\(weights)\", \"notes\": [\"metadata \\\"format\\\" is \\\"pt\\\"\", "
            + "\"metadata \\\"k\\\" is \\\"v\\\"\"], \"tensors\": [{\"name\": \"a\", \"dtype\": \"F16\", \"shape\": [1], "
            + "\"nbytes\": 2, \"sha256\": \"505114fe537172ea35e17ca1a7516edac516a89b31f983f7c6387d5d2bb462aa\", "
            + "\"role\": \"weight\"}]}\n"))
  }

  @Test func `an ONNX model's graph is summed up`() throws {
    let path = TestFolders.golden.appendingPathComponent("containers/raw.onnx").path
    let report = try object(Tool.eri.run(["inspect", "--json", path], in: folder).output)
    #expect(report["container"] as? String == "onnx")
    #expect(report["op_types"] as? [String] == ["Relu"])
    #expect(report["nodes"] as? Int == 1)
    #expect((report["opset"] as? [[AnyHashable]]) == [["", 17]])
    let inputs = try #require(report["inputs"] as? [[Any]])
    #expect(inputs.count == 1)
    #expect(inputs[0][0] as? String == "x")
    #expect(inputs[0][1] as? [Int] == [-1, 3])
    #expect(report["producer"] as? String == "containers.py ")
  }

  @Test func `tensors of any container are written as arrays on request`() throws {
    try MindSporeWriter.write([Tensor("a/b", [2], floats: [1, 2])], to: folder.path("a.ckpt"))
    let outcome = try Tool.eri.run("inspect a.ckpt --tensors arrays", in: folder)
    #expect(outcome.status == 0)
    #expect(try SmallModel.read(folder.path("arrays/a_b.npy")).values == [1, 2])
  }
}

import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct InspectTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // The file's two tensors, row-major little-endian, by another SHA-256 (Python's hashlib).
  private static let weightDigest = "f232925288aec50b0a671a68cfbbc3f77a4259fcdc91fa0364411c510723d4be"
  private static let biasDigest = "9a0468625048ac63d6e83272da533b7d577f40424b47e5bfe5f95ea242e153cb"

  @Test(arguments: Tool.allCases) func `the text tells what a file holds`(_ tool: Tool) throws {
    try SmallModel.write(to: folder)
    let digests = try Model(reading: folder.path("model.eri")).digests()
    let outcome = try tool.run("inspect model.eri", in: folder)
    #expect(
      outcome
        == Tool.Outcome(
          """
          file       model.eri
          container  eri
          producer   eri \(ERIVersion)
          input      x float32 [N, 3]
          input      scale float32 [N, 2], may be left out
          output     y/scaled float32 [N, 2]
          operators  1 linear, 1 unary, 1 binary
          labels     left, right
          weights    8 parameters, sha256 \(digests.weights.text)
          logical    sha256 \(digests.logical.text)
          tensors    2, 32 bytes
            layer/weight  float32  [2, 3]  24  \(Self.weightDigest.prefix(12))
            layer/bias    float32  [2]      8  \(Self.biasDigest.prefix(12))

          """))
  }

  @Test(arguments: Tool.allCases) func `JSON has the contract's members`(_ tool: Tool) throws {
    try SmallModel.write(to: folder)
    let outcome = try tool.run("inspect model.eri --json", in: folder)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
    let report = try object(outcome.output)
    #expect(report["file"] as? String == "model.eri")
    #expect(report["container"] as? String == "eri")
    #expect(report["labels"] as? [String] == ["left", "right"])
    #expect(report["parameters"] as? Int == 8)
    let inputs = try #require(report["inputs"] as? [[String: Any]])
    #expect(inputs.compactMap { $0["name"] as? String } == ["x", "scale"])
    #expect(inputs[0]["shape"] as? [AnyHashable] == ["N", 3])
    #expect(inputs.compactMap { $0["optional"] as? Bool } == [false, true])
    let tensors = try #require(report["tensors"] as? [[String: Any]])
    #expect(tensors.compactMap { $0["name"] as? String } == ["layer/weight", "layer/bias"])
    #expect(tensors.compactMap { $0["dtype"] as? String } == ["float32", "float32"])
    #expect(tensors.compactMap { $0["shape"] as? [Int] } == [[2, 3], [2]])
    #expect(tensors.compactMap { $0["nbytes"] as? Int } == [24, 8])
    #expect(tensors.compactMap { $0["sha256"] as? String } == [Self.weightDigest, Self.biasDigest])
  }

  @Test func `tensors are written as arrays on request`() throws {
    try SmallModel.write(to: folder)
    let outcome = try Tool.eri.run("inspect model.eri --tensors arrays", in: folder)
    #expect(outcome.status == 0)
    let weight = try SmallModel.read(folder.path("arrays/layer_weight.npy"))
    #expect(weight.shape == [2, 3])
    #expect(weight.values == [1, 2, 3, -1, 0.5, 0])
    #expect(try SmallModel.read(folder.path("arrays/layer_bias.npy")).values == [0.25, -1])
  }

  @Test func `bfloat16 tensors, which .npy cannot hold, end with 3 and write nothing`() throws {
    var model = Model()
    model.tensors = [
      Tensor("a", [1], floats: [1]), Tensor("b", .bf16, [2], values: .bytes([0, 0, 0, 0])),
    ]
    _ = try model.write(to: folder.path("model.eri"))
    #expect(
      try Tool.eri.run("inspect model.eri --tensors arrays", in: folder)
        == Tool.Outcome(
          errors: "eri: model.eri: tensor \"b\": expected a type that .npy has a name for, found bfloat16\n", status: 3)
    )
    #expect(try !folder.entries().contains("arrays"))
  }

  @Test func `two tensors that would share a file are refused before anything is written`() throws {
    var model = Model()
    model.tensors = [Tensor("a/b", [1], floats: [1]), Tensor("a_b", [1], floats: [2])]
    _ = try model.write(to: folder.path("model.eri"))
    #expect(
      try Tool.eri.run("inspect model.eri --tensors arrays", in: folder)
        == Tool.Outcome(
          errors: "eri: arrays: expected one array per file, found \"a/b\" and \"a_b\" for a_b.npy\n", status: 3))
    #expect(try !folder.entries().contains("arrays"))
  }

  @Test(arguments: [
    (Tool.eri, "expected an .eri, PyTorch, MindSpore, safetensors, ONNX or NumPy file, found text"),
    (.device, "prologue: expected the first bytes of an .eri file, found others"),
  ])
  func `what is no model is refused`(_ tool: Tool, _ sentence: String) throws {
    _ = try folder.write("text.eri", Array(repeating: 0x61, count: 300))
    #expect(
      try tool.run("inspect text.eri", in: folder)
        == Tool.Outcome(errors: "\(tool.rawValue): text.eri: \(sentence)\n", status: 2))
  }

  @Test(arguments: Tool.allCases) func `a file cut off anywhere is refused`(_ tool: Tool) throws {
    try SmallModel.write(to: folder)
    let bytes = try folder.bytes("model.eri")
    for count in [0, 1, 255, 256, bytes.count / 2, bytes.count - 1] {
      _ = try folder.write("cut.eri", Array(bytes.prefix(count)))
      let outcome = try tool.run("inspect cut.eri", in: folder)
      #expect(outcome.status == 2, "\(count) bytes")
      #expect(outcome.errors.hasPrefix("\(tool.rawValue): cut.eri: "), "\(count) bytes")
    }
  }
}

@Suite struct IdentifyTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a frozen file has the digests that were noted when it was frozen`() throws {
    let noted = try String(contentsOf: TestFolders.golden.appendingPathComponent("v1/digests.txt"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: " ").map { String($0) } }
    #expect(!noted.isEmpty)
    for line in noted {
      let path = TestFolders.golden.appendingPathComponent(line[2]).path
      #expect(try Tool.eri.run(["id", path], in: folder) == Tool.Outcome("\(line[0])  \(path)\n"))
      #expect(
        try object(Tool.eri.run(["inspect", "--json", path], in: folder).output)["logical_sha256"] as? String == line[1]
      )
    }
  }

  @Test func `the weights' digest does not depend on names of labels, the logical one does`() throws {
    var model = try SmallModel.model()
    _ = try model.write(to: folder.path("a.eri"))
    model.labels = ["one", "two"]
    _ = try model.write(to: folder.path("b.eri"))
    let digest = try model.digests().weights.text
    #expect(
      try Tool.eri.run("id a.eri b.eri", in: folder) == Tool.Outcome("\(digest)  a.eri\n\(digest)  b.eri\n"))
    let logical = try ["a.eri", "b.eri"].map {
      try object(Tool.eri.run("inspect --json \($0)", in: folder).output)["logical_sha256"] as? String
    }
    #expect(logical[0] != logical[1])
  }

  @Test func `a missing file ends with 2`() throws {
    #expect(
      try Tool.eri.run("id none.eri", in: folder)
        == Tool.Outcome(
          errors: "eri: none.eri: expected a readable file, found \"No such file or directory\"\n", status: 2))
  }
}

@Suite struct InitTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let small =
    "--set sound.coefficients=6 --set temporal.levels=1 --set temporal.width=8 --set temporal.blocks=1"

  @Test func `a seed decides the weights, and id confirms what init prints`() throws {
    let first = try Tool.eri.run("init audio-branch a.eri --seed 1 " + small, in: folder)
    let again = try Tool.eri.run("init audio-branch b.eri --seed 1 " + small, in: folder)
    let other = try Tool.eri.run("init audio-branch c.eri --seed 2 " + small, in: folder)
    #expect([first, again, other].map(\.status) == [0, 0, 0])
    #expect(first.output == again.output)
    #expect(first.output != other.output)
    #expect(first.errors.wholeMatch(of: /a\.eri: audio-branch, \d+ weights from seed 1, untrained\n/) != nil)
    let weights = try #require(try Tool.eri.run("id a.eri", in: folder).output.split(separator: " ").first)
    let logical = try #require(
      try object(Tool.eri.run("inspect --json a.eri", in: folder).output)["logical_sha256"] as? String)
    #expect(first.output == "weights \(weights)\nlogical \(logical)\n")
  }

  @Test func `labels and choices are recorded in the file`() throws {
    _ = try Tool.eri.run("init audio-branch a.eri --labels calm,glad --seed 3 " + small, in: folder)
    let report = try object(Tool.eri.run("inspect a.eri --json", in: folder).output)
    #expect(report["labels"] as? [String] == ["calm", "glad"])
    let provenance = try #require(report["provenance"] as? [String: Any])
    #expect(provenance["network"] as? String == "audio-branch")
    #expect(provenance["seed"] as? Int == 3)
    #expect(provenance["trained"] as? Bool == false)
    #expect((provenance["parameters"] as? [String: Any])?["temporal.width"] as? Int == 8)
    #expect(report["goldens"] as? [String] == ["drawn inputs"])
  }

  @Test(arguments: [
    "audio-branch --set sound.coefficients=6 --set temporal.levels=1 --set temporal.width=8 --set temporal.blocks=1",
    "resnet18-stem --set spatial.base_width=4 --set spatial.image_size=32", "mtcnn-p", "mtcnn-r", "mtcnn-o",
  ])
  func `what init writes passes its own check`(words: String) throws {
    #expect(try Tool.eri.run("init " + words + " a.eri", in: folder).status == 0)
    #expect(try Tool.device.run("check a.eri", in: folder).status == 0)
  }

  static let refused: [(words: String, sentence: String, status: Int32)] = [
    (
      "init single-branch a.eri",
      "network \"single-branch\": expected one of dual-branch, video-branch, audio-branch, resnet18-stem, mtcnn-p, "
        + "mtcnn-r, mtcnn-o", 3
    ),
    (
      "init audio-branch a.onnx",
      "a.onnx: expected a name that ends in .eri, found another; init writes no other container", 3
    ),
    (
      "init audio-branch a.eri --set width=1",
      "parameter width: expected a parameter of audio-branch, found one it does not have", 3
    ),
    (
      "init mtcnn-p a.eri --labels joy", "labels: expected none for mtcnn-p, which estimates no intensities, found 1", 2
    ),
    ("init audio-branch a.eri --set temporal.levels=0", "parameter temporal.levels: expected 1 to 14, found 0", 2),
    (
      "init audio-branch a.eri --set temporal.levels=many",
      "parameter temporal.levels: expected an integer, found \"many\"", 2
    ),
  ]

  @Test(arguments: refused.indices) func `what cannot be built is refused and writes nothing`(_ index: Int) throws {
    let refused = Self.refused[index]
    #expect(
      try Tool.eri.run(refused.words, in: folder)
        == Tool.Outcome(errors: "eri: \(refused.sentence)\n", status: refused.status))
    #expect(try folder.entries() == [])
  }
}

import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

/// `convert --network` and `convert --into`, as a user sees them.
@Suite struct FittingCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let stem = "--set spatial.base_width=4 --set spatial.image_size=32"

  /// Makes a network and a checkpoint of its weights, some under other names.
  private func make(
    _ network: String, _ name: String, beside extras: [Tensor] = [], rename: (String) -> String? = { $0 }
  ) throws {
    let outcome = try Tool.eri.run("init \(network) made.eri --seed 3", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let tensors = try Model(reading: folder.path("made.eri")).tensors.filter { $0.role == .weight }
    try SafetensorsWriter.write(
      tensors.compactMap { tensor in
        rename(tensor.name).map { Tensor($0, tensor.dtype, tensor.shape, values: tensor.values) }
      } + extras, to: folder.path(name))
  }

  private let counter = Tensor("module.bn1.num_batches_tracked", .i64, [], values: .bytes([1, 0, 0, 0, 0, 0, 0, 0]))

  @Test func `a checkpoint becomes a network that passes its own check`() throws {
    try make("resnet18-stem " + Self.stem, "in", beside: [counter]) { "module.\($0)" }
    let outcome = try Tool.eri.run("convert in out.eri --network resnet18-stem " + Self.stem, in: folder)
    let digest = try Tool.eri.run("id made.eri", in: folder).output.prefix(64)
    #expect(
      outcome
        == Tool.Outcome(
          "\(digest)  out.eri\n",
          errors: """
            in: metadata "format" is "pt"
            in: named as map native says
            in: strip module.: 76 names
            in: drop {p**}.num_batches_tracked: 1 tensor
            in: keep {name**}: 75 tensors
            out.eri: 75 tensors, 47 856 bytes of values

            """))
    for tool in Tool.allCases { #expect(try tool.run("check out.eri", in: folder).status == 0) }
    let report = try object(Tool.eri.run("inspect out.eri --json", in: folder).output)
    let provenance = try #require(report["provenance"] as? [String: Any])
    #expect(provenance["network"] as? String == "resnet18-stem")
    #expect(provenance["trained"] as? Bool == true)
    #expect(
      (report["lineage"] as? [[String: Any]])?.compactMap { $0["action"] as? String } == [
        "convert", "strip", "drop", "keep",
      ])
    #expect(report["goldens"] as? [String] == ["drawn inputs"])
  }

  @Test func `verify compares through the same maps`() throws {
    try make("resnet18-stem " + Self.stem, "in", beside: [counter]) { "module.\($0)" }
    #expect(try Tool.eri.run("convert in out.eri --network resnet18-stem " + Self.stem, in: folder).status == 0)
    #expect(try Tool.eri.run("verify in out.eri --policy same-weights", in: folder).status == 1)
    let outcome = try Tool.eri.run("verify in out.eri --policy same-weights --mapped", in: folder)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors == """
        in: strip module.: 76 names
        in: drop {p**}.num_batches_tracked: 1 tensor
        in: keep {name**}: 75 tensors

        """)
  }

  @Test func `every tensor is named with --verbose`() throws {
    try make("mtcnn-p", "in") { "pnet.\($0)" }
    let outcome = try Tool.eri.run("convert in out.eri --network mtcnn-p --verbose", in: folder)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors.hasPrefix(
        """
        in: metadata "format" is "pt"
        in: named as map facenet-pnet says
        in: strip pnet.: 13 names
        in: keep {name**}: 13 tensors
          pnet.conv1.weight -> conv1.weight
          pnet.conv1.bias -> conv1.bias

        """))
  }

  @Test func `labels and choices are those of the command line`() throws {
    let words =
      "--set sound.coefficients=6 --set temporal.levels=1 --set temporal.width=8 --set temporal.blocks=1 --labels calm,glad"
    try make("audio-branch " + words, "in")
    let outcome = try Tool.eri.run("convert in out.eri --network audio-branch " + words, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try object(Tool.eri.run("inspect out.eri --json", in: folder).output)
    #expect(report["labels"] as? [String] == ["calm", "glad"])
    let made = try object(Tool.eri.run("inspect made.eri --json", in: folder).output)
    #expect(report["logical_sha256"] as? String == made["logical_sha256"] as? String)
  }

  @Test func `a half-precision checkpoint is cast on request alone`() throws {
    try make("mtcnn-p", "in")
    _ = try Tool.eri.run("convert in half.safetensors --store bf16", in: folder)
    #expect(
      try Tool.eri.run("convert half.safetensors out.eri --network mtcnn-p", in: folder)
        == Tool.Outcome(
          errors: "eri: half.safetensors: tensor \"conv1.weight\": expected float32, with which the network computes, "
            + "found bfloat16; cast it with --store f32\n", status: 2))
    let outcome = try Tool.eri.run("convert half.safetensors out.eri --network mtcnn-p --store f32", in: folder)
    #expect(outcome.status == 0)
    #expect(
      outcome.errors.contains("half.safetensors: cast 13 tensors from bfloat16 to float32: 0 of 6632 values changed\n"))
  }

  @Test func `names that nobody knows are refused, with a map that explains them once it is read`() throws {
    try make("mtcnn-p", "in") { $0.replacing("conv4_1.", with: "head.") }
    let refused = try Tool.eri.run("convert in out.eri --network mtcnn-p --propose-map own.map", in: folder)
    #expect(
      refused
        == Tool.Outcome(
          errors: "eri: in: expected the 13 weights of mtcnn-p, found by the closest map, native, 2 missing "
            + "(\"conv4_1.weight\", \"conv4_1.bias\"), 2 unexpected (\"head.weight\", \"head.bias\"); likely \"head.\" is "
            + "named \"conv4_1.\" in the network (2 tensors); --propose-map FILE writes a map to look through and to give "
            + "with --map\n", status: 2))
    #expect(
      String(decoding: try folder.bytes("own.map"), as: UTF8.self) == """
        # Proposed by eri convert from map native; look it through before using it.
        map native-proposed
        drop {p**}.num_batches_tracked
        rename head.{rest**} -> conv4_1.{rest}
        keep {name**}

        """)
    #expect(try folder.entries() == ["in", "made.eri", "own.map"])
    let outcome = try Tool.eri.run("convert in out.eri --network mtcnn-p --map own.map", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("in: rename head.{rest**} -> conv4_1.{rest}: 2 tensors\n"))
    #expect(
      try Tool.eri.run("id made.eri", in: folder).output.prefix(64)
        == Tool.eri.run("id out.eri", in: folder).output.prefix(64))
  }

  @Test func `a part of a model is replaced, and its goldens are computed anew`() throws {
    let words =
      "--set steps=2 --set temporal.levels=1 --set temporal.width=8 --set temporal.blocks=1 --set spatial.blocks=1 "
      + Self.stem
    try make("resnet18-stem " + Self.stem, "in")
    _ = try Tool.eri.run("init video-branch model.eri " + words, in: folder)
    let outcome = try Tool.eri.run(
      "convert in out.eri --into model.eri --only video.backbone", in: folder)
    let count = try Model(reading: folder.path("model.eri")).tensors.count
    #expect(outcome.status == 0)
    #expect(
      outcome.errors.hasPrefix(
        """
        in: metadata "format" is "pt"
        in: named as map torchvision says under video.backbone.
        in: keep conv1.weight: 1 tensor
        in: keep bn1.{r*}: 4 tensors
        in: keep layer{n}.{r**}: 70 tensors
        in: 75 tensors replaced in model.eri, \(count - 75) kept
        out.eri: 1 golden computed anew

        """))
    #expect(try Tool.eri.run("check model.eri", in: folder).status == 0)
    #expect(try Tool.device.run("check out.eri", in: folder).status == 0)
    let (before, after) = try (Model(reading: folder.path("model.eri")), Model(reading: folder.path("out.eri")))
    #expect(before.goldens.map(\.outputs) != after.goldens.map(\.outputs))
    #expect(before.provenance?.trained == false && after.provenance?.trained == false)
    #expect(after.lineage.map(\.action) == ["init", "replace", "keep", "keep", "keep"])
    // The model may be replaced by itself.
    _ = try Tool.eri.run("convert in model.eri --into model.eri --only video.backbone", in: folder)
    #expect(try folder.bytes("model.eri") == folder.bytes("out.eri"))
  }

  static let refused: [(words: String, sentence: String, status: Int32)] = [
    (
      "convert in out.eri --network mtcnn",
      "network \"mtcnn\": expected one of dual-branch, video-branch, audio-branch, "
        + "resnet18-stem, mtcnn-p, mtcnn-r, mtcnn-o", 3
    ),
    (
      "convert in out.eri --network mtcnn-p --set x=1",
      "parameter x: expected a parameter of mtcnn-p, found one it does not have", 3
    ),
    (
      "convert in out.eri --network mtcnn-p --map none",
      "none: expected a readable file, found \"No such file or directory\"", 2
    ),
    ("convert in out.eri --network mtcnn-p --map bad.map", "bad.map: line 1: expected a pattern, found 0 words", 2),
    ("convert in out.eri --into in", "in: prologue: expected an .eri file of at least 256 bytes, found 108", 2),
    (
      "convert in out.eri --into bare.eri",
      "bare.eri: expected a model with a graph, found tensors alone; convert it "
        + "with --network", 3
    ),
    (
      "convert in out.eri --into made.eri --only layer9",
      "made.eri: expected a weight named \"layer9\" or below it for --only, found none; `eri inspect` lists them", 2
    ),
  ]

  @Test func `what cannot be fitted is refused in one sentence, and nothing is written`() throws {
    try make("mtcnn-p", "all")
    try SafetensorsWriter.write([Tensor("x", [1], floats: [1])], to: folder.path("in"))
    _ = try folder.write("bad.map", Array("keep".utf8))
    _ = try Tool.eri.run("convert in bare.eri", in: folder)
    let before = try folder.entries()
    for refused in Self.refused {
      let outcome = try Tool.eri.run(refused.words, in: folder)
      #expect(outcome == Tool.Outcome(errors: "eri: \(refused.sentence)\n", status: refused.status))
    }
    #expect(try folder.entries() == before)
  }
}

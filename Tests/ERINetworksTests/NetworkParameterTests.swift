import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

@Suite struct NetworkParameterTests {
  @Test func `a file's recorded parameters rebuild its network`() throws {
    let networks: [Network] = [
      .dualBranch(unusualParameters()), .dualBranch(DualBranchParameters()), .videoBranch(narrowVideoParameters()),
      .audioBranch(narrowAudioParameters()), .resNet18Stem(narrowStemParameters()), .mtcnn(.proposal),
    ]
    for network in networks {
      let recorded = try network.parameters()
      #expect(try Network(named: network.name, parameters: recorded, labels: network.labels) == network)
    }
  }

  @Test func `the model records the network, its parameters, its seed and where it began`() throws {
    let network = Network.dualBranch(narrowParameters())
    let model = try network.initialised(seed: 5)
    let provenance = try #require(model.provenance)
    #expect(provenance.network == "dual-branch" && provenance.seed == 5 && !provenance.trained)
    #expect(provenance.parameters == (try network.parameters()))
    #expect(model.lineage == [LineageStep(action: "init", detail: "dual-branch, seed 5")])
    #expect(model.licence.isEmpty)
    #expect(model.labels == ["Adoration", "Amusement", "Anxiety", "Disgust", "Empathic-Pain", "Fear", "Surprise"])
  }

  // A file that leaves a parameter out means the default, so that none of these may ever change.
  @Test func `the parameters and their defaults stay what files rely on`() throws {
    let parameters = try Network(named: "dual-branch").parameters()
    #expect(
      parameters == [
        Parameter("steps", .integer(32)), Parameter("spatial.image_size", .integer(112)),
        Parameter("spatial.base_width", .integer(64)), Parameter("spatial.blocks", .integer(4)),
        Parameter("spatial.heads", .integer(4)), Parameter("spatial.feed_forward", .integer(512)),
        Parameter("spatial.gelu", .text("exact")), Parameter("spatial.attention_bias", .flag(true)),
        Parameter("spatial.final_norm", .flag(true)), Parameter("spatial.dropout", .number(0.1)),
        Parameter("sound.coefficients", .integer(128)), Parameter("sound.stack", .integer(8)),
        Parameter("temporal.levels", .integer(5)), Parameter("temporal.kernel", .integer(3)),
        Parameter("temporal.convolutions_per_block", .integer(2)), Parameter("temporal.width", .integer(128)),
        Parameter("temporal.scaled", .flag(true)), Parameter("temporal.position_base", .integer(1_000)),
        Parameter("temporal.blocks", .integer(4)), Parameter("temporal.heads", .integer(4)),
        Parameter("temporal.feed_forward", .integer(256)), Parameter("temporal.norm_form", .text("standard")),
        Parameter("temporal.banded", .flag(false)), Parameter("temporal.band_before", .integer(50)),
        Parameter("temporal.band_after", .integer(10)), Parameter("temporal.dropout", .number(0.2)),
        Parameter("fusion.width", .integer(128)), Parameter("fusion.keep_both", .number(0.9)),
        Parameter("fusion.keep_video", .number(0.5)),
      ])
    #expect(
      try Network(named: "dual-branch", parameters: [], labels: Network(named: "dual-branch").labels)
        == Network(named: "dual-branch"))
  }

  @Test(arguments: [
    (
      [Parameter("spatial.depth", .integer(4))],
      "parameter spatial.depth: expected a parameter of dual-branch, found one it does not have"
    ),
    ([Parameter("steps", .text("32"))], "parameter steps: expected an integer, found \"32\""),
    ([Parameter("steps", .integer(0))], "parameter steps: expected 1 to 4096, found 0"),
    (
      [Parameter("steps", .integer(8)), Parameter("steps", .integer(8))],
      "parameter steps: expected one value, found 2"
    ),
    (
      [Parameter("spatial.gelu", .text("quick"))],
      "parameter spatial.gelu: expected exact or tanh, found \"quick\""
    ),
    (
      [Parameter("spatial.final_norm", .integer(1))],
      "parameter spatial.final_norm: expected true or false, found 1"
    ),
    (
      [Parameter("spatial.heads", .integer(3))],
      "parameter spatial.heads: expected a divisor of the width 256, found 3"
    ),
    (
      [Parameter("temporal.heads", .integer(3))],
      "parameter temporal.heads: expected a divisor of the width 128, found 3"
    ),
    (
      [Parameter("temporal.width", .integer(15)), Parameter("temporal.heads", .integer(3))],
      "parameter temporal.width: expected an even width (sine and cosine pairs), found 15"
    ),
    ([Parameter("temporal.dropout", .number(.nan))], "parameter temporal.dropout: expected 0.0 to 1.0, found nan"),
    ([Parameter("fusion.keep_both", .integer(1))], "parameter fusion.keep_both: expected a number, found 1"),
  ])
  func `a recorded parameter that does not fit is refused`(parameters: [Parameter], message: String) {
    let error = #expect(throws: FormatError.self) {
      try Network(named: "dual-branch", parameters: parameters, labels: ["joy"])
    }
    #expect(error?.description == message)
  }

  @Test func `a network without labels is refused`() {
    let error = #expect(throws: FormatError.self) { try Network(named: "dual-branch", parameters: [], labels: []) }
    #expect(error?.description == "labels: expected 1 to 4096 labels, found 0")
  }

  @Test(arguments: ["resnet18-stem", "mtcnn-o"]) func `a network that estimates nothing takes no labels`(name: String) {
    let error = #expect(throws: FormatError.self) { try Network(named: name, parameters: [], labels: ["joy"]) }
    #expect(error?.description == "labels: expected none for \(name), which estimates no intensities, found 1")
  }

  @Test func `the backbone's parameters are the video branch's`() throws {
    #expect(
      try Network(named: "resnet18-stem").parameters() == [
        Parameter("spatial.image_size", .integer(112)), Parameter("spatial.base_width", .integer(64)),
      ])
    #expect(try Network(named: "mtcnn-p").parameters() == [])
  }

  @Test func `an unknown network is refused with the names there are`() {
    let error = #expect(throws: FormatError.self) { try Network(named: "tri-branch") }
    #expect(error?.kind == .unsupported)
    #expect(
      error?.description == "network \"tri-branch\": expected one of dual-branch, video-branch, audio-branch, "
        + "resnet18-stem, mtcnn-p, mtcnn-r, mtcnn-o")
  }

  @Test func `every choice gives a graph that validates`() throws {
    #expect(throws: Never.self) {
      try Program(validating: Network.dualBranch(unusualParameters()).initialised(seed: 1))
    }
    #expect(throws: Never.self) {
      try Program(validating: Network.dualBranch(narrowParameters()).initialised(seed: 1))
    }
  }

  @Test func `choices change the graph as they say`() throws {
    let model = try Network.dualBranch(unusualParameters()).initialised(seed: 1)
    let names = Set(model.tensors.map(\.name))
    #expect(!names.contains("video.spatial.blocks.0.attn.q.bias"))
    #expect(names.contains("video.spatial.blocks.0.attn.o.bias"))
    #expect(!names.contains("video.spatial.norm.weight"))
    #expect(!names.contains("video.tcn.0.conv2.v"))
    #expect(!names.contains("video.temporal.scale"))
    let operators = try #require(model.graph).nodes.map(\.op)
    #expect(operators.contains(.unary(Unary(.geluTanh))) && !operators.contains(.unary(Unary(.gelu))))
    #expect(operators.contains(.layerNorm(LayerNorm(epsilon: 1e-6, form: .unbiasedDeviation))))
    let band = Attention.Band(before: 2, after: 1)
    #expect(operators.contains(.attention(Attention(heads: 2, scale: Float(1 / 8.0.squareRoot()), band: band))))
  }
}

import ERIFormat
import ERINetworks
import Testing

/// The networks as built with their defaults, made once.
private let dualBranch = Result { try Network(named: "dual-branch").initialised(seed: 0) }
private let videoBranch = Result { try Network(named: "video-branch").initialised(seed: 0) }
private let audioBranch = Result { try Network(named: "audio-branch").initialised(seed: 0) }

@Suite struct NetworkStructureTests {
  /// Elements of the trained tensors whose names begin with `prefix`.
  private func parameterCount(_ model: Model, _ prefix: String) -> Int {
    var count = 0
    for tensor in model.tensors where tensor.role == .weight && tensor.name.hasPrefix(prefix) {
      if tensor.name.hasSuffix(".running_mean") || tensor.name.hasSuffix(".running_var") { continue }
      count += tensor.elementCount ?? 0
    }
    return count
  }

  /// Every value's shape as text.
  private func shapes(of model: Model, symbolSizes: [Int]?) throws -> [String: String] {
    let program = try Program(validating: model)
    let types = try symbolSizes.map { try program.bind(symbolSizes: $0) } ?? program.types
    var shapes: [String: String] = [:]
    for (value, type) in zip(program.graph.values, types) { shapes[value.name] = type.text(program.graph.symbols) }
    return shapes
  }

  private func omissions(_ model: Model) -> [String: Input.Omission] {
    var omissions: [String: Input.Omission] = [:]
    for value in model.graph?.values ?? [] {
      if case .input(let input) = value.source { omissions[value.name] = input.omission }
    }
    return omissions
  }

  // The published ResNet18 and the layers' own formulas give these numbers.
  @Test(arguments: [
    ("video.backbone.conv1.", 9_408), ("video.backbone.bn1.", 128), ("video.backbone.layer1.", 147_968),
    ("video.backbone.layer2.", 525_568), ("video.backbone.layer3.", 2_099_712), ("video.backbone.", 2_782_784),
    ("video.spatial.blocks.0.", 527_104), ("video.spatial.blocks.", 2_108_416), ("video.spatial.norm.", 512),
    ("video.spatial.pos", 12_544), ("video.pool.", 257), ("video.tcn.", 576_128), ("audio.tcn.", 969_344),
    ("video.temporal.", 530_176), ("audio.temporal.", 530_176), ("fusion.", 34_440), ("", 7_544_777),
  ])
  func `the dual-branch network has the parameters of its layers`(prefix: String, count: Int) throws {
    #expect(parameterCount(try dualBranch.get(), prefix) == count)
  }

  @Test func `a unimodal network has a head of 1,032 parameters`() throws {
    #expect(parameterCount(try videoBranch.get(), "video.head.") == 1_032)
    #expect(parameterCount(try audioBranch.get(), "audio.head.") == 1_032)
  }

  @Test func `the dual-branch network's tensors are those of the published names`() throws {
    let model = try dualBranch.get()
    var found: [String: [Int]] = [:]
    for tensor in model.tensors { found[tensor.name] = tensor.shape }
    #expect(found == publishedShapes())
    #expect(found.count == model.tensors.count)
  }

  @Test func `only position tables and scales are constants`() throws {
    let model = try dualBranch.get()
    #expect(
      model.tensors.filter { $0.role == .constant }.map(\.name) == [
        "video.temporal.scale", "video.temporal.positions", "audio.temporal.scale", "audio.temporal.positions",
      ])
  }

  @Test(arguments: [
    ("faces", "[N, 32, 3, 112, 112]"), ("audio", "[N, 32, 1024]"), ("present", "[N, 2]"),
    ("video.backbone.conv1.out", "[32·N, 64, 56, 56]"), ("video.backbone.maxpool.out", "[32·N, 64, 28, 28]"),
    ("video.backbone.layer1.1.out", "[32·N, 64, 28, 28]"), ("video.backbone.layer2.1.out", "[32·N, 128, 14, 14]"),
    ("video.backbone.layer3.1.out", "[32·N, 256, 7, 7]"), ("video.spatial.tokens", "[32·N, 49, 256]"),
    ("video.spatial.blocks.3.out", "[32·N, 49, 256]"), ("video.pool.out", "[32·N, 256]"),
    ("video.pool.steps", "[N, 32, 256]"), ("video.tcn.0.out", "[N, 128, 32]"), ("audio.tcn.columns", "[N, 1024, 32]"),
    ("audio.tcn.4.out", "[N, 128, 32]"), ("video.temporal.norm.out", "[N, 32, 128]"),
    ("audio.temporal.norm.out", "[N, 32, 128]"), ("fusion.concat.out", "[N, 32, 256]"),
    ("fusion.proj.out", "[N, 32, 128]"), ("fusion.pool.out", "[N, 128]"), ("intensities", "[N, 7]"),
  ])
  func `a stage of the dual-branch network has its shape`(name: String, shape: String) throws {
    #expect(try shapes(of: dualBranch.get(), symbolSizes: nil)[name] == shape)
  }

  @Test func `faces and audio may be left out of the dual-branch network and count as present otherwise`() throws {
    #expect(try omissions(dualBranch.get()) == ["faces": .gated, "audio": .gated, "present": .filled(1)])
  }

  @Test func `the only output is the intensities`() throws {
    for model in [try dualBranch.get(), try videoBranch.get(), try audioBranch.get()] {
      let names = model.graph.map { graph in graph.outputs.map { graph.values[$0].name } }
      #expect(names == ["intensities"])
    }
  }

  @Test func `the backbone alone is the video branch's, under torchvision's names`() throws {
    let model = try Network(named: "resnet18-stem").initialised(seed: 0)
    let prefix = "video.backbone."
    let inside = try dualBranch.get().tensors.filter { $0.name.hasPrefix(prefix) }
    #expect(model.tensors.map(\.name) == inside.map { String($0.name.dropFirst(prefix.count)) })
    #expect(model.tensors.map(\.shape) == inside.map(\.shape))
    let shapes = try shapes(of: model, symbolSizes: nil)
    #expect(shapes["faces"] == "[N, 3, 112, 112]" && shapes["features"] == "[N, 256, 7, 7]")
    #expect(model.labels.isEmpty && model.preprocessing == Preprocessing())
  }

  @Test(arguments: [
    (MTCNNStage.proposal, 6_632, "[N, 3, H, W]", ["[N, 2, ?, ?]", "[N, 4, ?, ?]"]),
    (.refinement, 100_178, "[N, 3, 24, 24]", ["[N, 2]", "[N, 4]"]),
    (.output, 389_040, "[N, 3, 48, 48]", ["[N, 2]", "[N, 4]", "[N, 10]"]),
  ])
  func `MTCNN's networks have the published files' parameters and their outputs`(
    stage: MTCNNStage, count: Int, input: String, outputs: [String]
  ) throws {
    let model = try Network.mtcnn(stage).initialised(seed: 0)
    #expect(parameterCount(model, "") == count)
    let shapes = try shapes(of: model, symbolSizes: nil)
    #expect(shapes["image"] == input)
    #expect(["probability", "box", "points"].compactMap { shapes[$0] } == outputs)
  }

  @Test func `a unimodal network requires its one input`() throws {
    for (model, name) in [(try videoBranch.get(), "faces"), (try audioBranch.get(), "audio")] {
      #expect(omissions(model) == [name: .required])
      let operators = Set((model.graph?.nodes ?? []).map(\.op.identity.name))
      #expect(!operators.isEmpty && !operators.contains("gate"))
    }
  }

  @Test func `the graph binds to a batch of three`() throws {
    let shapes = try shapes(of: dualBranch.get(), symbolSizes: [3])
    #expect(shapes["video.backbone.layer3.1.out"] == "[96, 256, 7, 7]")
    #expect(shapes["intensities"] == "[3, 7]")
  }

  @Test func `the preprocessing is what the inputs need, its sound statistics untrained`() throws {
    let preprocessing = try dualBranch.get().preprocessing
    let video = try #require(preprocessing.video)
    let audio = try #require(preprocessing.audio)
    #expect(video.steps == 32 && video.height == 112 && video.width == 112)
    #expect(audio.steps == 32 && audio.stack * audio.coefficientCount == 1_024)
    #expect(audio.mean.allSatisfy { $0 == 0 } && audio.deviation.allSatisfy { $0 == 1 } && !audio.statisticsTrained)
    #expect(try videoBranch.get().preprocessing.audio == nil)
    #expect(try audioBranch.get().preprocessing.video == nil)
  }

  /// Every tensor of the dual-branch network with its shape, from the layers' published names.
  private func publishedShapes() -> [String: [Int]] {
    var shapes: [String: [Int]] = [:]
    func batchNorm(_ name: String, _ width: Int) {
      for part in ["weight", "bias", "running_mean", "running_var"] { shapes["\(name).\(part)"] = [width] }
    }
    func affine(_ name: String, _ outputs: Int, _ inputs: Int) {
      shapes["\(name).weight"] = [outputs, inputs]
      shapes["\(name).bias"] = [outputs]
    }
    func norm(_ name: String, _ width: Int) {
      shapes["\(name).weight"] = [width]
      shapes["\(name).bias"] = [width]
    }
    func encoder(_ name: String, _ width: Int, _ feedForward: Int) {
      for block in 0..<4 {
        let block = "\(name).blocks.\(block)"
        for part in ["q", "k", "v", "o"] { affine("\(block).attn.\(part)", width, width) }
        affine("\(block).ffn.fc1", feedForward, width)
        affine("\(block).ffn.fc2", width, feedForward)
        norm("\(block).norm1", width)
        norm("\(block).norm2", width)
      }
      norm("\(name).norm", width)
    }
    let backbone = "video.backbone"
    shapes["\(backbone).conv1.weight"] = [64, 3, 7, 7]
    batchNorm("\(backbone).bn1", 64)
    for (layer, width) in [(1, 64), (2, 128), (3, 256)] {
      for block in 0..<2 {
        let inputs = layer > 1 && block == 0 ? width / 2 : width
        shapes["\(backbone).layer\(layer).\(block).conv1.weight"] = [width, inputs, 3, 3]
        shapes["\(backbone).layer\(layer).\(block).conv2.weight"] = [width, width, 3, 3]
        batchNorm("\(backbone).layer\(layer).\(block).bn1", width)
        batchNorm("\(backbone).layer\(layer).\(block).bn2", width)
      }
      if layer > 1 {
        shapes["\(backbone).layer\(layer).0.downsample.0.weight"] = [width, width / 2, 1, 1]
        batchNorm("\(backbone).layer\(layer).0.downsample.1", width)
      }
    }
    shapes["video.spatial.pos"] = [1, 49, 256]
    encoder("video.spatial", 256, 512)
    affine("video.pool", 1, 256)
    for (branch, inputs) in [("video", 256), ("audio", 1_024)] {
      for level in 0..<5 {
        for index in 1...2 {
          let name = "\(branch).tcn.\(level).conv\(index)"
          shapes["\(name).g"] = [128, 1, 1]
          shapes["\(name).v"] = [128, level == 0 && index == 1 ? inputs : 128, 3]
          shapes["\(name).bias"] = [128]
        }
      }
      shapes["\(branch).tcn.0.down.weight"] = [128, inputs, 1]
      shapes["\(branch).tcn.0.down.bias"] = [128]
      encoder("\(branch).temporal", 128, 256)
      shapes["\(branch).temporal.positions"] = [32, 128]
      shapes["\(branch).temporal.scale"] = [1]
    }
    norm("fusion.norm", 256)
    affine("fusion.proj", 128, 256)
    affine("fusion.pool", 1, 128)
    affine("fusion.fc", 7, 128)
    return shapes
  }
}

import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

@testable import ERIConvert

@Suite struct FittingTests {
  let foreign: ForeignNames

  init() throws { foreign = try ForeignNames() }

  /// Fits a file into a network and requires every tensor to be that of `expected`; returns the conversion.
  private func fit(
    _ path: String, _ network: Network, _ expected: Model, map: String, options: FittingOptions = FittingOptions()
  ) throws -> Conversion {
    let conversion = try Conversion(reading: path, fittedTo: FittingTarget(network), options: options)
    #expect(try ForeignNames.differences(conversion.model, expected) == [])
    #expect(conversion.notes.contains { $0.hasPrefix("named as map \(map) says") }, "\(conversion.notes)")
    return conversion
  }

  private func counters(_ prefix: String = "") -> [Tensor] {
    ["bn1", "layer1.0.bn1", "layer4.1.bn2"].map {
      Tensor("\(prefix)\($0).num_batches_tracked", .i64, [], values: .bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    }
  }

  private let classifier = [
    Tensor("layer4.0.conv1.weight", [1], floats: [1]), Tensor("fc.weight", [1], floats: [1]),
  ]

  @Test func `a network's own names need no rule but one that keeps them`() throws {
    let model = try ForeignNames.distinct(.audioBranch(narrowAudioParameters()))
    let path = try foreign.write(model, { $0 })
    let conversion = try fit(path, .audioBranch(narrowAudioParameters()), model, map: "native")
    #expect(
      conversion.steps.map(\.summary) == ["keep {name**}: \(model.tensors.filter { $0.role == .weight }.count) tensors"]
    )
  }

  @Test func `torchvision's resnet18 gives the backbone, whatever stands around it`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    for prefix in ["", "module.", "state_dict/module.", "model_state_dict/_orig_mod.module."] {
      let path = try foreign.write(
        (model.tensors + counters() + classifier).map { tensor in
          var renamed = tensor
          renamed.name = prefix + tensor.name
          return renamed
        })
      let conversion = try fit(path, ForeignNames.stem, model, map: "torchvision")
      let stripped = prefix.isEmpty ? [] : ["strip \(prefix): \(model.tensors.count + 5) names"]
      #expect(
        conversion.steps.map(\.summary) == stripped + [
          "drop {p**}.num_batches_tracked: 3 tensors", "drop layer4.{r**}: 1 tensor", "drop fc.{r**}: 1 tensor",
          "keep conv1.weight: 1 tensor", "keep bn1.{r*}: 4 tensors", "keep layer{n}.{r**}: 70 tensors",
        ])
    }
  }

  @Test func `timm's moving average is left out, and said to be`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let path = try foreign.write(
      model, { "state_dict/\($0)" }, beside: [Tensor("state_dict_ema/conv1.weight", [1], floats: [1])])
    let conversion = try fit(path, ForeignNames.stem, model, map: "timm")
    #expect(conversion.steps.map(\.summary).contains("drop state_dict_ema/{r**}: 1 tensor"))
  }

  @Test func `DAN's children give the backbone`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let extras = [
      "features.7.0.conv1.weight", "cat_head0.sa.conv1x1.0.weight", "cat_head3.ca.attention.0.weight", "fc.weight",
      "bn.running_mean", "features.5.0.bn1.num_batches_tracked",
    ].map { Tensor("model_state_dict/\($0)", [1], floats: [1]) }
    let path = try foreign.write(model, { "model_state_dict/" + ForeignNames.dan($0) }, beside: extras)
    let conversion = try fit(path, ForeignNames.stem, model, map: "dan")
    #expect(conversion.steps.map(\.summary).contains("rename features.5.{r**} -> layer2.{r}: 25 tensors"))
  }

  @Test(arguments: [true, false]) func `Hugging Face's stages give the backbone`(hasHead: Bool) throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let extras = ["resnet.encoder.stages.3.layers.0.layer.0.convolution.weight", "classifier.1.weight"]
    let path = try foreign.write(
      model,
      { name in
        let name = ForeignNames.huggingFace(name)
        return hasHead ? name : String(name.dropFirst("resnet.".count))
      }, beside: hasHead ? extras.map { Tensor($0, [1], floats: [1]) } : [])
    _ = try fit(path, ForeignNames.stem, model, map: "hf-resnet")
  }

  @Test func `mindcv's resnet18 gives the backbone, with a word about its pool`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let extras = ["layer4.0.bn1.gamma", "classifier.weight", "moment1.conv1.weight", "learning_rate"]
    let path = try foreign.write(
      model, ForeignNames.mindcv, beside: extras.map { Tensor($0, [1], floats: [1]) })
    let conversion = try fit(path, ForeignNames.stem, model, map: "mindspore")
    #expect(conversion.notes.contains { $0.hasPrefix("mindcv's max pool pads") })
  }

  @Test func `MindSpore's norms are told in any network`() throws {
    let network = Network.audioBranch(narrowAudioParameters())
    let model = try ForeignNames.distinct(network)
    let path = try foreign.write(model) { name in
      name.contains("norm") ? name.replacing(".weight", with: ".gamma").replacing(".bias", with: ".beta") : name
    }
    _ = try fit(path, network, model, map: "mindspore")
  }

  @Test(arguments: [MTCNNStage.proposal, .refinement, .output])
  func `facenet's MTCNN gives each of its networks`(stage: MTCNNStage) throws {
    let own = ["mtcnn-p": "pnet", "mtcnn-r": "rnet", "mtcnn-o": "onet"][stage.rawValue] ?? ""
    let model = try ForeignNames.distinct(.mtcnn(stage))
    let others = ["pnet", "rnet", "onet"].filter { $0 != own }.map { Tensor("\($0).conv1.weight", [1], floats: [1]) }
    let path = try foreign.write(model, { "\(own).\($0)" }, beside: others)
    _ = try fit(path, .mtcnn(stage), model, map: "facenet-\(own)")
  }

  @Test func `a half-precision checkpoint is cast where that is asked for, and reported`() throws {
    let network = Network.mtcnn(.proposal)
    var tensors = try network.initialised(seed: 3).tensors
    for index in tensors.indices {
      var cast = CastLog()
      tensors[index] = cast.cast(tensors[index], to: .f16)
    }
    let path = try foreign.write(tensors)
    #expect(
      throws: FormatError(
        .invalid, at: "\(path): tensor \"conv1.weight\"",
        "expected float32, with which the network computes, found float16; cast it with --store f32")
    ) { try Conversion(reading: path, fittedTo: FittingTarget(network)) }
    var options = FittingOptions()
    options.casts = true
    let conversion = try Conversion(reading: path, fittedTo: FittingTarget(network), options: options)
    _ = try conversion.model.digests()
    #expect(conversion.castReports == ["cast 13 tensors from float16 to float32: 0 of 6632 values changed"])
    #expect(conversion.model.lineage.last == LineageStep(action: "store", detail: "13 tensors cast to float32"))
  }

  @Test func `integers are never cast`() throws {
    let network = Network.mtcnn(.proposal)
    var tensors = try network.initialised(seed: 3).tensors
    tensors[1] = Tensor(tensors[1].name, .i32, tensors[1].shape, values: tensors[1].values)
    let path = try foreign.write(tensors)
    var options = FittingOptions()
    options.casts = true
    #expect(
      throws: FormatError(
        .invalid, at: "\(path): tensor \"conv1.bias\"",
        "expected float32, with which the network computes, found int32; nothing casts it")
    ) { try Conversion(reading: path, fittedTo: FittingTarget(network), options: options) }
  }

  @Test func `the lineage names the source, the map and every tensor`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let path = try foreign.write(model, ForeignNames.dan)
    let fitted = try fit(path, ForeignNames.stem, model, map: "dan").model
    let first = try #require(fitted.lineage.first)
    #expect(first.action == "convert" && first.detail == "safetensors into resnet18-stem by map dan")
    #expect(first.source == "in.safetensors")
    #expect(first.sourceSHA256 == (try Conversion.digest(ofFile: path).text))
    #expect(
      fitted.lineage[1]
        == LineageStep(
          action: "rename",
          detail: "rename features.0.weight -> conv1.weight: 1 tensor: features.0.weight -> conv1.weight"))
    #expect(fitted.lineage.count == 6)
    #expect(fitted.lineage[3].detail.contains(", features.4.1.bn2.running_var -> layer1.1.bn2.running_var"))
    let provenance = try #require(fitted.provenance)
    #expect(provenance.network == "resnet18-stem" && provenance.trained)
    #expect(provenance.parameters == (try ForeignNames.stem.parameters()))
  }

  @Test func `a model of ours keeps what it knows of its training`() throws {
    let network = Network.mtcnn(.proposal)
    var model = try network.initialised(seed: 9)
    _ = try model.write(to: foreign.folder.path("a.eri"))
    let fresh = try Conversion(reading: foreign.folder.path("a.eri"), fittedTo: FittingTarget(network)).model
    #expect(fresh.provenance?.trained == false && fresh.provenance?.seed == 9)
    model.provenance?.trained = true
    model.provenance?.training = [Parameter("epochs", .integer(3))]
    _ = try model.write(to: foreign.folder.path("b.eri"))
    let trained = try Conversion(reading: foreign.folder.path("b.eri"), fittedTo: FittingTarget(network)).model
    #expect(trained.provenance?.trained == true)
    #expect(trained.provenance?.training == [Parameter("epochs", .integer(3))])
  }
}

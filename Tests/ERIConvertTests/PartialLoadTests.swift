import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

@testable import ERIConvert

@Suite struct PartialLoadTests {
  let foreign: ForeignNames

  init() throws { foreign = try ForeignNames() }

  /// The dual-branch network in small.
  private func base(_ parameters: DualBranchParameters = narrowParameters()) throws -> Model {
    try Network.dualBranch(parameters).initialised(seed: 1)
  }

  private func load(_ path: String, into model: Model, only: [String]) throws -> Conversion {
    try Conversion(reading: path, fittedTo: FittingTarget(model, path: "model.eri", only: only))
  }

  /// Requires the tensors below the prefixes to be `given`'s, all others the model's.
  private func expect(_ found: Model, _ model: Model, with given: [String: Tensor]) throws {
    for (tensor, before) in zip(found.tensors, model.tensors) {
      let expected = given[tensor.name] ?? before
      #expect(try tensor.bytes() == expected.bytes(), "\(tensor.name)")
    }
  }

  /// Weights of a model below a prefix, drawn anew, by name.
  private func drawn(_ model: Model, _ prefixes: [String]) -> [String: Tensor] {
    var drawn: [String: Tensor] = [:]
    for tensor in model.tensors where tensor.role == .weight && prefixes.contains(where: { tensor.name.hasPrefix($0) })
    {
      drawn[tensor.name] = ForeignNames.drawn(tensor.name, tensor.shape)
    }
    return drawn
  }

  private func write(_ tensors: [String: Tensor], _ rename: (String) -> String, beside: [Tensor] = []) throws -> String
  {
    try foreign.write(
      tensors.values.sorted { $0.name < $1.name }.map { tensor in
        var renamed = tensor
        renamed.name = rename(tensor.name)
        return renamed
      } + beside)
  }

  @Test func `a backbone of DAN goes into its place, and the rest stays`() throws {
    let model = try base()
    let given = drawn(model, ["video.backbone."])
    let path = try write(given) { ForeignNames.dan(String($0.dropFirst("video.backbone.".count))) }
    let conversion = try load(path, into: model, only: ["video.backbone"])
    try expect(conversion.model, model, with: given)
    #expect(conversion.notes.last == "named as map dan says under video.backbone.")
    #expect(
      conversion.steps.last?.summary == "75 tensors replaced in model.eri, \(model.tensors.count - 75) kept")
    let lineage = conversion.model.lineage
    #expect(lineage.first == model.lineage.first)
    #expect(lineage[1].action == "replace")
    #expect(
      lineage[1].detail
        == "safetensors under video.backbone. by map dan: 75 tensors replaced in model.eri, "
        + "\(model.tensors.count - 75) kept")
    #expect(conversion.model.provenance?.trained == false)
  }

  @Test func `Former-DFER's spatial part is split and fills what it has no biases for`() throws {
    var parameters = narrowParameters()
    parameters.spatial.blocks = 1
    for attentionBias in [true, false] {
      parameters.spatial.attentionBias = attentionBias
      parameters.spatial.finalNorm = false
      let model = try base(parameters)
      var given = drawn(model, ["video.backbone.", "video.spatial."])
      var tensors: [Tensor] = []
      let block = "s_former.spatial_transformer.layers.0"
      var rows: [Float] = []
      for part in ["q", "k", "v"] {
        let name = "video.spatial.blocks.0.attn.\(part)"
        let weight = try #require(given[name + ".weight"])
        rows += try weight.bytes().withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        if let bias = given[name + ".bias"] {
          given[name + ".bias"] = Tensor(
            bias.name, bias.shape, floats: [Float](repeating: 0, count: bias.elementCount ?? 0))
        }
      }
      tensors.append(Tensor("\(block).0.fn.fn.to_qkv.weight", [96, 32], floats: rows))
      let names = [
        "norm1": "\(block).0.fn.norm", "attn.o": "\(block).0.fn.fn.to_out.0", "norm2": "\(block).1.fn.norm",
        "ffn.fc1": "\(block).1.fn.fn.net.0", "ffn.fc2": "\(block).1.fn.fn.net.3",
      ]
      for (own, theirs) in names {
        for part in ["weight", "bias"] {
          var tensor = try #require(given["video.spatial.blocks.0.\(own).\(part)"])
          tensor.name = "\(theirs).\(part)"
          tensors.append(tensor)
        }
      }
      var position = try #require(given["video.spatial.pos"])
      position.name = "s_former.pos_embedding"
      tensors.append(position)
      let extras = ["t_former.layers.0.x", "fc.weight", "s_former.layer4.0.conv1.weight"]
      tensors += extras.map { Tensor($0, [1], floats: [1]) }
      for (name, tensor) in given where name.hasPrefix("video.backbone.") {
        var renamed = tensor
        renamed.name = "s_former." + name.dropFirst("video.backbone.".count)
        tensors.append(renamed)
      }
      let path = try foreign.write(tensors)
      let conversion = try load(path, into: model, only: ["video.backbone.", "video.spatial"])
      try expect(conversion.model, model, with: given)
      #expect(conversion.notes.contains("named as map former-dfer says under video."))
      let fills = conversion.steps.filter { $0.action == "fill" }.map(\.summary)
      #expect(
        fills
          == (attentionBias
            ? ["q", "k", "v"].map { "fill 0 spatial.blocks.{n}.attn.\($0).bias: 1 tensor that the file lacks" } : []))
    }
  }

  @Test(arguments: [false, true], ["audio", "video"])
  func `TEMMA's temporal part goes into either branch`(newWeightNorm: Bool, branch: String) throws {
    let model = try base()
    let prefixes = ["\(branch).tcn.", "\(branch).temporal."]
    let given = drawn(model, prefixes)
    // A block's convolutions stand in a sequence too.
    var twins: [Tensor] = []
    for tensor in given.values where tensor.name.contains(".tcn.") && !tensor.name.contains(".down.") {
      var twin = tensor
      twin.name = ForeignNames.temma(tensor.name, newWeightNorm: newWeightNorm)
        .replacing(".conv1.", with: ".net.0.").replacing(".conv2.", with: ".net.4.")
      twins.append(twin)
    }
    let extras = ["input.PositionEncoding.pe", "regress.0.weight"].map { Tensor($0, [1], floats: [1]) }
    let path = try write(given, { ForeignNames.temma($0, newWeightNorm: newWeightNorm) }, beside: twins + extras)
    let conversion = try load(path, into: model, only: ["\(branch).tcn", "\(branch).temporal"])
    try expect(conversion.model, model, with: given)
    #expect(conversion.notes.contains("named as map temma says under \(branch)."))
    let alias = "alias input.Embeddings.lut.network.{n}.net.0.{r**} -> input.Embeddings.lut.network.{n}.conv1.{r}"
    #expect(conversion.steps.map(\.summary).contains("\(alias): 9 tensors of equal values left out"))
  }

  @Test func `norms that TEMMA made on a GPU are filled with what they are there`() throws {
    let model = try base()
    var given = drawn(model, ["audio."])
    let norms = given.keys.filter { $0.contains("norm") }
    let kept = given.filter { !norms.contains($0.key) }
    let path = try write(kept) { ForeignNames.temma($0, newWeightNorm: false) }
    for name in norms {
      let tensor = try #require(given[name])
      let value: Float = name.hasSuffix("weight") ? 1 : 0
      given[name] = Tensor(name, tensor.shape, floats: [Float](repeating: value, count: tensor.elementCount ?? 0))
    }
    let conversion = try load(path, into: model, only: ["audio"])
    try expect(conversion.model, model, with: given)
    #expect(
      conversion.steps.map(\.summary).contains(
        "fill 1 temporal.blocks.{n}.norm{k}.weight: 4 tensors that the file lacks"))
  }

  @Test func `another name of a tensor must bear its values`() throws {
    let model = try base()
    let given = drawn(model, ["audio."])
    let name = "input.Embeddings.lut.network.0.net.0.bias"
    let path = try write(
      given, { ForeignNames.temma($0, newWeightNorm: false) },
      beside: [Tensor(name, [16], floats: [Float](repeating: 2, count: 16))])
    #expect(
      throws: FormatError(
        .invalid, at: "\(path): tensor \"\(name)\"",
        "expected the values of \"input.Embeddings.lut.network.0.conv1.bias\", of which it is another name, found others; "
          + "say with a map of your own which of them counts")
    ) { try load(path, into: model, only: ["audio"]) }
  }

  @Test func `without a prefix every weight must be given`() throws {
    let model = try base()
    let given = drawn(model, [""])
    let path = try write(given) { $0 }
    let whole = try load(path, into: model, only: []).model
    try expect(whole, model, with: given)
    #expect(whole.provenance?.trained == true)
    let part = given.filter { $0.key != "fusion.fc.bias" }
    let partial = try write(part) { $0 }
    let error = #expect(throws: FormatError.self) { try load(partial, into: model, only: []) }
    #expect(
      error?.message.hasPrefix(
        "expected the \(given.count) weights of model.eri, found by the closest map, native, 1 missing "
          + "(\"fusion.fc.bias\");") == true)
  }

  @Test func `a weight outside the prefix is unexpected`() throws {
    let model = try base()
    let path = try write(drawn(model, ["fusion.fc.", "fusion.proj."])) { $0 }
    let error = #expect(throws: FormatError.self) { try load(path, into: model, only: ["fusion.fc"]) }
    #expect(
      error?.message.contains("2 unexpected (\"fusion.proj.bias\", \"fusion.proj.weight\")") == true)
  }

  @Test func `a constant in the file must be the network's`() throws {
    let model = try base()
    var tensors = model.tensors
    let path = try foreign.write(tensors.map { Tensor($0.name, $0.dtype, $0.shape, values: $0.values) })
    #expect(try ForeignNames.differences(load(path, into: model, only: []).model, model) == [])
    let index = try #require(tensors.firstIndex { $0.name == "audio.temporal.positions" })
    tensors[index] = ForeignNames.drawn(tensors[index].name, tensors[index].shape)
    let other = try foreign.write(tensors)
    #expect(
      throws: FormatError(
        .invalid, at: "\(other): tensor \"audio.temporal.positions\"",
        "expected the constant that the network has, found other values; set the parameter that decides it with --set")
    ) { try load(other, into: model, only: []) }
  }

  @Test func `a prefix that no weight has, and a model without a graph, are refused`() throws {
    let model = try base()
    for prefix in ["video.back", "video.spatial.pos.x", "audio.temporal.scale"] {
      #expect(
        throws: FormatError(
          .invalid, at: "m.eri",
          "expected a weight named \"\(prefix)\" or below it for --only, found none; `eri inspect` lists them")
      ) { try FittingTarget(model, path: "m.eri", only: [prefix]) }
    }
    var bare = model
    bare.graph = nil
    #expect(
      throws: FormatError(
        .unsupported, at: "m.eri", "expected a model with a graph, found tensors alone; convert it with --network")
    ) { try FittingTarget(bare, path: "m.eri", only: []) }
  }
}

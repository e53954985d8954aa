import ERIConvert
import ERIFormat
import ERINetworks
import ERITestSupport

/// Checkpoints with the names of other frameworks, written from a network whose tensors all differ.
///
/// The names are those of FACTS and of the published code, spelled here without the maps' help.
struct ForeignNames {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A network's model, every weight drawn from a stream of its own.
  static func distinct(_ network: Network) throws -> Model {
    var model = try network.initialised(seed: 0)
    for (index, tensor) in model.tensors.enumerated() where tensor.role == .weight {
      model.tensors[index] = drawn(tensor.name, tensor.shape)
    }
    return model
  }

  static func drawn(_ name: String, _ shape: [Int]) -> Tensor {
    var random = SeededRandom(seed: 5, stream: name)
    return Tensor(name, shape, floats: (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
  }

  /// A backbone small enough to compute in moments.
  static var stem: Network { .resNet18Stem(narrowStemParameters()) }

  /// Writes tensors; returns the path.
  func write(_ tensors: [Tensor], _ name: String = "in.safetensors") throws -> String {
    try SafetensorsWriter.write(tensors, to: folder.path(name))
    return folder.path(name)
  }

  /// Writes a network's weights under other names, and more beside them.
  func write(_ model: Model, _ rename: (String) -> String, beside extras: [Tensor] = []) throws -> String {
    try write(
      model.tensors.filter { $0.role == .weight }.map { tensor in
        var renamed = tensor
        renamed.name = rename(tensor.name)
        return renamed
      } + extras)
  }

  /// The names of the tensors of both that differ in value, type or shape.
  static func differences(_ a: Model, _ b: Model) throws -> [String] {
    var names: [String] = a.tensors.map(\.name) == b.tensors.map(\.name) ? [] : ["the list of tensors"]
    for (x, y) in zip(a.tensors, b.tensors) {
      if try x.dtype != y.dtype || x.shape != y.shape || x.bytes() != y.bytes() { names.append(x.name) }
    }
    return names
  }

  // MARK: Names

  /// torchvision's backbone as DAN's list of children.
  static func dan(_ name: String) -> String {
    let children = [
      "conv1": "features.0", "bn1": "features.1", "layer1": "features.4", "layer2": "features.5",
      "layer3": "features.6",
    ]
    let parts = name.split(separator: ".", maxSplits: 1).map { String($0) }
    return "\(children[parts[0]] ?? parts[0]).\(parts[1])"
  }

  /// The backbone as transformers' ResNetForImageClassification names it.
  static func huggingFace(_ name: String) -> String {
    let parts = name.split(separator: ".").map { String($0) }
    func part(_ layer: String, _ rest: String) -> String {
      layer.hasPrefix("conv") || layer == "0" ? "convolution.\(rest)" : "normalization.\(rest)"
    }
    guard parts[0].hasPrefix("layer"), let stage = Int(parts[0].dropFirst(5)) else {
      return "resnet.embedder.embedder." + part(parts[0], parts[1])
    }
    let block = "resnet.encoder.stages.\(stage - 1).layers.\(parts[1])"
    if parts[2] == "downsample" { return "\(block).shortcut." + part(parts[3] == "0" ? "0" : "1", parts[4]) }
    let index = (Int(parts[2].suffix(1)) ?? 0) - 1
    return "\(block).layer.\(index)." + part(parts[2], parts[3])
  }

  /// The backbone as mindcv names it.
  static func mindcv(_ name: String) -> String {
    var parts = name.split(separator: ".").map { String($0) }
    let isNorm = parts.contains { $0.hasPrefix("bn") } || name.contains("downsample.1")
    let norms = [
      "weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance",
    ]
    if isNorm, let last = parts.last { parts[parts.count - 1] = norms[last] ?? last }
    return parts.map { $0 == "downsample" ? "down_sample" : $0 }.joined(separator: ".")
  }

  /// The temporal part of a branch as TEMMA's class TE names it.
  static func temma(_ name: String, newWeightNorm: Bool) -> String {
    let parts = name.split(separator: ".").map { String($0) }
    if parts[1] == "tcn" {
      let block = "input.Embeddings.lut.network.\(parts[2])"
      if parts[3] == "down" { return "\(block).downsample.\(parts[4])" }
      let old = ["g": "weight_g", "v": "weight_v"]
      let new = ["g": "parametrizations.weight.original0", "v": "parametrizations.weight.original1"]
      return "\(block).\(parts[3]).\((newWeightNorm ? new : old)[parts[4]] ?? parts[4])"
    }
    let norms = ["weight": "a_2", "bias": "b_2"]
    if parts[2] == "norm" { return "te.norm.\(norms[parts[3]] ?? "")" }
    let block = "te.layers.\(parts[3])"
    switch parts[4] {
    case "norm1": return "\(block).sublayer.0.norm.\(norms[parts[5]] ?? "")"
    case "norm2": return "\(block).sublayer.1.norm.\(norms[parts[5]] ?? "")"
    case "ffn": return "\(block).feed_forward.w_\(parts[5].suffix(1)).\(parts[6])"
    default:
      let index = ["q": 0, "k": 1, "v": 2, "o": 3][parts[5]] ?? -1
      return "\(block).self_attn.linears.\(index).\(parts[6])"
    }
  }
}

import ERIFormat
import ERINetworks
import Foundation

/// A network of Tests/Golden/networks: its model, its inputs, and PyTorch's values of its stages.
package struct NetworkGolden {
  package let model: Model
  package let inputs: [(name: String, shape: [Int], values: [Float])]
  package let stages: [String: NumPyArray]

  /// Reads a golden and builds the network that Tests/Golden/generate/dual_branch.py computed it with; `model` stands in for
  /// the weights that both draw from seed 7.
  package init(_ folder: URL, _ parameters: DualBranchParameters, model: Model? = nil) throws {
    let size = parameters.spatial.imageSize
    let steps = parameters.reaction.steps
    let inputs = [("faces", [1, steps, 3, size, size]), ("audio", [1, steps, parameters.sound.width])].map {
      name, shape in
      var random = SeededRandom(seed: 11, stream: name)
      return (name: name, shape: shape, values: (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
    }
    try self.init(
      folder, model ?? perturbed(Network.dualBranch(parameters).initialised(seed: 7), seed: 7), inputs)
  }

  private init(_ folder: URL, _ model: Model, _ inputs: [(name: String, shape: [Int], values: [Float])]) throws {
    self.model = model
    self.inputs = inputs
    var stages: [String: NumPyArray] = [:]
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    where file.pathExtension == "npy" {
      stages[file.deletingPathExtension().lastPathComponent] = try NumPyArray(file)
    }
    self.stages = stages
  }

  /// The narrow network at every stage.
  package static func narrow() throws -> NetworkGolden {
    try NetworkGolden(TestFolders.golden.appendingPathComponent("networks/narrow"), narrowParameters())
  }

  /// A narrow network with every choice away from its default.
  package static func choices() throws -> NetworkGolden {
    try NetworkGolden(TestFolders.golden.appendingPathComponent("networks/choices"), unusualParameters())
  }

  /// A network of MTCNN with the drawn weights and images of Tests/Golden/generate/mtcnn.py; `model` stands in for the weights.
  package static func mtcnn(
    _ stage: MTCNNStage, in folder: URL = TestFolders.golden.appendingPathComponent("networks"), count: Int = 2,
    model: Model? = nil
  ) throws -> NetworkGolden {
    let model = try model ?? perturbed(Network.mtcnn(stage).initialised(seed: 7), seed: 7)
    let size =
      switch stage {
      case .proposal: [21, 28]
      case .refinement: [24, 24]
      case .output: [48, 48]
      }
    let shape = [count, 3] + size
    var random = SeededRandom(seed: 11, stream: "image")
    let pixels = (0..<shape.reduce(1, *)).map { _ in Float(Int(random.uniform() * 256)) }
    return try NetworkGolden(
      folder.appendingPathComponent(stage.rawValue), model, [("image", shape, pixels.map { ($0 - 127.5) / 128 })])
  }

  /// Where `dual_branch.py --full` wrote the full network's stages: the folder that ERI_FULL_GOLDEN names.
  package static let fullFolder = ProcessInfo.processInfo.environment["ERI_FULL_GOLDEN"].map {
    URL(fileURLWithPath: $0)
  }

  /// The full network, with the weights of the file that ERI_FULL_MODEL names if it names one.
  package static func full() throws -> NetworkGolden {
    guard let folder = fullFolder else { throw CocoaError(.fileNoSuchFile) }
    let model = try ProcessInfo.processInfo.environment["ERI_FULL_MODEL"].map { try Model(reading: $0) }
    return try NetworkGolden(folder, DualBranchParameters(), model: model)
  }
}

/// Vectors and weight norm's lengths moved off the values they start at, so that no layer is an identity.
func perturbed(_ model: Model, seed: UInt64) throws -> Model {
  var model = model
  for (index, tensor) in model.tensors.enumerated()
  where tensor.role == .weight && (tensor.shape.count == 1 || tensor.name.hasSuffix(".g")) {
    var random = SeededRandom(seed: seed, stream: "\(tensor.name) perturbed")
    let bytes = try tensor.bytes()
    let floats = stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
    }
    model.tensors[index] = Tensor(
      tensor.name, tensor.shape, floats: floats.map { Float(Double($0) + 0.1 * random.normal()) })
  }
  return model
}

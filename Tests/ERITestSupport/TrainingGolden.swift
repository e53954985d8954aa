import ERIFormat
import ERINetworks
import Foundation

/// A training step of Tests/Golden/training: a narrow network, a batch, and PyTorch's gradients in double precision.
package struct TrainingGolden {
  package enum Kind: String, Decodable {
    case gradient
    /// Added to every term of a softmax alike: 0 in theory, rounding errors in practice.
    case zeroGradient = "zero gradient"
    /// A mean or variance that batch norm keeps, after the step.
    case runningStatistic = "running statistic"
  }

  package struct Expected {
    package let name: String
    package let shape: [Int]
    package let kind: Kind
    package let values: [Float]
    /// √Σx² of `values`.
    package let norm: Double
    /// The norm of the difference between PyTorch's single precision and its double precision.
    package let error: Double

    /// How far another single precision may be: three times PyTorch's distance, or three roundings where PyTorch was lucky.
    package var bound: Double { 3 * max(error, 0x1p-24 * norm) }

    /// The norm of the difference from `found`; infinite where the counts differ.
    package func distance(_ found: [Float]) -> Double {
      guard found.count == values.count else { return .infinity }
      return zip(found, values).reduce(0.0) { sum, pair in
        let difference = Double(pair.0) - Double(pair.1)
        return sum + difference * difference
      }.squareRoot()
    }
  }

  package let model: Model
  package let inputs: [(name: String, shape: [Int], values: [Float])]
  package let targets: (shape: [Int], values: [Float])
  package let loss: Double
  /// PyTorch's single precision's distance from `loss`.
  package let lossError: Double
  package let expected: [Expected]

  private struct Report: Decodable {
    struct Tensor: Decodable {
      let name: String
      let shape: [Int]
      let norm: Double
      let error: Double
      let kind: Kind
    }
    let batch: Int
    let loss: Double
    let loss_error: Double
    let present: [[Float]]?
    let tensors: [Tensor]
  }

  /// - Parameter features: name and extents of each input drawn from the seed, without the batch
  private init(_ name: String, _ network: Network, labels: Int, features: [(String, [Int])]) throws {
    let report = try JSONDecoder().decode(Report.self, from: try Data(contentsOf: trainingFile("\(name).json")))
    let flat = try NumPyArray(trainingFile("\(name).npy")).values
    model = try perturbed(network.initialised(seed: 7), seed: 7)
    var inputs = features.map { drawnInput($0.0, [report.batch] + $0.1) }
    if let present = report.present {
      inputs.append((name: "present", shape: [report.batch, 2], values: present.flatMap { $0 }))
    }
    self.inputs = inputs
    targets = drawnTargets(batch: report.batch, labels: labels)
    loss = report.loss
    lossError = report.loss_error
    var start = 0
    var expected: [Expected] = []
    for tensor in report.tensors {
      let end = start + tensor.shape.reduce(1, *)
      guard end <= flat.count else { throw NumPyArray.Unreadable(reason: "\(name).npy: expected \(end) values") }
      expected.append(
        Expected(
          name: tensor.name, shape: tensor.shape, kind: tensor.kind, values: Array(flat[start..<end]),
          norm: tensor.norm, error: tensor.error))
      start = end
    }
    guard start == flat.count else { throw NumPyArray.Unreadable(reason: "\(name).npy: expected \(start) values") }
    self.expected = expected
  }

  package static func audioBranch() throws -> TrainingGolden {
    let parameters = narrowAudioParameters()
    return try TrainingGolden(
      "audio-branch", .audioBranch(parameters), labels: parameters.reaction.labels.count,
      features: [("audio", [parameters.reaction.steps, parameters.sound.width])])
  }

  /// Batch norm takes the batch's statistics.
  package static func videoBranch() throws -> TrainingGolden {
    let parameters = narrowerVideoParameters()
    let size = parameters.spatial.imageSize
    return try TrainingGolden(
      "video-branch", .videoBranch(parameters), labels: parameters.reaction.labels.count,
      features: [("faces", [parameters.reaction.steps, 3, size, size])])
  }

  /// The dual-branch network from both branches' features on; `model` is the whole network.
  package static func fusion() throws -> TrainingGolden {
    let parameters = narrowParameters()
    return try TrainingGolden(
      "fusion", .dualBranch(parameters), labels: parameters.reaction.labels.count,
      features: fusionFeatures(parameters))
  }
}

/// The loss of each of fifty Adam steps (learning rate 1e-4, nothing dropped out) of a full network by PyTorch, before the step.
package struct TrainingCurve {
  package let model: Model
  /// Of all batches, one after another.
  package let inputs: [(name: String, shape: [Int], values: [Float])]
  package let targets: (shape: [Int], values: [Float])
  package let batch: Int
  /// Step s takes the batch s mod `batches`.
  package let batches: Int
  /// In single precision.
  package let single: [Double]
  package let double: [Double]

  private struct Losses: Decodable {
    let single: [Double]
    let double: [Double]
  }

  private struct Report: Decodable {
    let batch: Int
    let batches: Int
    let audio: Losses
    let fusion: Losses

    enum CodingKeys: String, CodingKey {
      case batch
      case batches
      case audio = "audio-branch"
      case fusion
    }
  }

  private init(
    _ network: Network, labels: Int, features: [(String, [Int])], _ losses: (Report) -> Losses
  ) throws {
    let report = try JSONDecoder().decode(Report.self, from: try Data(contentsOf: trainingFile("curves.json")))
    model = try network.initialised(seed: 0)
    batch = report.batch
    batches = report.batches
    inputs = features.map { drawnInput($0.0, [report.batch * report.batches] + $0.1) }
    targets = drawnTargets(batch: report.batch * report.batches, labels: labels)
    single = losses(report).single
    double = losses(report).double
  }

  package static func audioBranch() throws -> TrainingCurve {
    let parameters = AudioBranchParameters()
    return try TrainingCurve(
      .audioBranch(parameters), labels: parameters.reaction.labels.count,
      features: [("audio", [parameters.reaction.steps, parameters.sound.width])]
    ) { $0.audio }
  }

  /// The dual-branch network from both branches' features on; `model` is the whole network.
  package static func fusion() throws -> TrainingCurve {
    let parameters = DualBranchParameters()
    return try TrainingCurve(
      .dualBranch(parameters), labels: parameters.reaction.labels.count, features: fusionFeatures(parameters)
    ) { $0.fusion }
  }
}

private func trainingFile(_ name: String) -> URL {
  TestFolders.golden.appendingPathComponent("training").appendingPathComponent(name)
}

/// The narrow video network with a stem of half its width, which keeps the golden small.
private func narrowerVideoParameters() -> VideoBranchParameters {
  var parameters = narrowVideoParameters()
  parameters.spatial.baseWidth = 4
  parameters.spatial.feedForward = 24
  return parameters
}

private func fusionFeatures(_ parameters: DualBranchParameters) -> [(String, [Int])] {
  ["audio", "video"].map { ("\($0).temporal.norm.out", [parameters.reaction.steps, parameters.temporal.width]) }
}

private func drawnInput(_ name: String, _ shape: [Int]) -> (name: String, shape: [Int], values: [Float]) {
  var random = SeededRandom(seed: 11, stream: name)
  return (name: name, shape: shape, values: (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
}

private func drawnTargets(batch: Int, labels: Int) -> (shape: [Int], values: [Float]) {
  var random = SeededRandom(seed: 11, stream: "targets")
  return (shape: [batch, labels], values: (0..<batch * labels).map { _ in Float(random.uniform()) })
}

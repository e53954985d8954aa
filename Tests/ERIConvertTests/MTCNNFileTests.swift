import ERIFormat
import ERINetworks
import ERIReference
import ERIRuntime
import ERITestSupport
import Foundation
import Testing

@testable import ERIConvert

/// facenet-pytorch's files, which are not part of the tree, against PyTorch and the reference.
@Suite(.enabled(if: TestFolders.sharedData != nil, "there is no shared data beside the checkout")) struct MTCNNFileTests
{
  /// Where `mtcnn.py --files` wrote PyTorch's outputs: the folder that ERI_MTCNN_GOLDEN names.
  static let golden = ProcessInfo.processInfo.environment["ERI_MTCNN_GOLDEN"].map { URL(fileURLWithPath: $0) }

  private func model(_ stage: MTCNNStage) throws -> Model {
    let file = ["mtcnn-p": "pnet", "mtcnn-r": "rnet", "mtcnn-o": "onet"][stage.rawValue] ?? ""
    let path = try #require(TestFolders.sharedData)
      .appendingPathComponent("checkpoints/pytorch/facenet_\(file).pt").path
    return try Conversion(reading: path, fittedTo: FittingTarget(.mtcnn(stage))).model
  }

  private func session(_ golden: NetworkGolden) throws -> Session {
    let session = try Session(Program(validating: golden.model))
    try session.bind(golden.inputs.map { Session.InputShape($0.name, $0.shape) })
    for input in golden.inputs { _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) } }
    #expect(session.run() == .done)
    return session
  }

  @Test(
    .enabled(if: golden != nil, "ERI_MTCNN_GOLDEN names no folder; Tests/Golden/generate/mtcnn-files makes one"),
    arguments: MTCNNStage.allCases)
  func `the runtime gives PyTorch's outputs on random images`(stage: MTCNNStage) throws {
    let golden = try NetworkGolden.mtcnn(stage, in: try #require(Self.golden), count: 16, model: model(stage))
    #expect(golden.stages.count == (stage == .output ? 3 : 2))
    let session = try session(golden)
    for (index, output) in session.outputs.enumerated() {
      let expected = try #require(golden.stages[output.name]).values.map(Double.init)
      let values = try #require(session.withOutput(index) { [Float]($0) })
      #expect(values.count == expected.count)
      let largest = zip(values, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
      #expect(largest <= Tolerance.products.bound, "\(output.name)")
    }
  }

  @Test(arguments: MTCNNStage.allCases)
  func `the runtime gives the reference's outputs on random images`(stage: MTCNNStage) throws {
    let golden = try NetworkGolden.mtcnn(stage, model: model(stage))
    var inputs: [String: ReferenceTensor] = [:]
    for input in golden.inputs {
      inputs[input.name] = ReferenceTensor(shape: input.shape, values: input.values.map(Double.init))
    }
    let expected = try ReferenceExecutor(Program(validating: golden.model)).run(inputs: inputs)
    let session = try session(golden)
    for (index, output) in session.outputs.enumerated() {
      let values = try #require(session.withOutput(index) { [Float]($0) })
      #expect(
        relativeDifference(values, try #require(expected[output.name]).values) <= Tolerance.products.bound,
        "\(output.name)")
    }
  }
}

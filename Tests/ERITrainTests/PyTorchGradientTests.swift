import ERIFormat
import ERITestSupport
import ERITrain
import Testing

/// Gradients of whole networks against PyTorch's in double precision, each within three times of PyTorch's own single precision.
@Suite struct PyTorchGradientTests {
  private func compare(_ golden: TrainingGolden, _ model: Model? = nil, threads: Int) throws {
    let graph = try TrainableGraph(
      model ?? golden.model, exact: true, threads: WorkerThreads(count: threads))
    let batch = try #require(golden.targets.shape.first)
    try graph.bind(batch: batch)
    for input in golden.inputs { _ = graph.input(input.name).update(from: input.values) }
    _ = graph.targets.update(from: golden.targets.values)
    graph.clearGradients()
    let squares = graph.step(key: 0, scale: 1 / Float(golden.targets.values.count))
    let loss = squares / Double(golden.targets.values.count)
    #expect(abs(loss - golden.loss) <= 3 * max(golden.lossError, 0x1p-24 * golden.loss), "loss \(loss)")

    var found: [String: [Float]] = [:]
    for parameter in graph.parameters { found[parameter.name] = Array(graph.gradients[parameter.range]) }
    for statistic in graph.statistics { found[statistic.name] = Array(statistic.values) }
    for expected in golden.expected {
      let values = try #require(found[expected.name], "\(expected.name)")
      let distance = expected.distance(values)
      #expect(distance <= expected.bound, "\(expected.name): \(3 * distance / expected.bound) of PyTorch's")
    }
  }

  @Test func `outputs and targets are still there after a step`() throws {
    let golden = try TrainingGolden.videoBranch()
    let graph = try TrainableGraph(golden.model, threads: WorkerThreads(count: 1))
    try graph.bind(batch: #require(golden.targets.shape.first))
    for input in golden.inputs { _ = graph.input(input.name).update(from: input.values) }
    _ = graph.targets.update(from: golden.targets.values)
    let squares = graph.step(key: 0, scale: 1)
    #expect(Array(graph.targets) == golden.targets.values)
    let differences = zip(graph.outputs, golden.targets.values).map { Double($0) - Double($1) }
    #expect(abs(differences.reduce(0) { $0 + $1 * $1 } - squares) <= Tolerance.elements.bound * squares)
  }

  @Test(arguments: [1, 2]) func `the audio branch's gradients are PyTorch's`(threads: Int) throws {
    try compare(.audioBranch(), threads: threads)
  }

  @Test(arguments: [1, 2]) func `the video branch's gradients and running statistics are PyTorch's`(
    threads: Int
  ) throws {
    try compare(.videoBranch(), threads: threads)
  }

  @Test(arguments: [1, 2]) func `the fusion's gradients are PyTorch's`(threads: Int) throws {
    let golden = try TrainingGolden.fusion()
    try compare(golden, try FusionNetwork.head(of: golden.model), threads: threads)
  }
}

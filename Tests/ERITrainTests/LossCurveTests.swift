import ERIFormat
import ERINetworks
import ERITestSupport
import ERITrain
import Testing

/// Fifty Adam steps of full networks beside PyTorch's, from the same weights on the same batches, nothing dropped.
@Suite struct LossCurveTests {
  private func compare(_ curve: TrainingCurve, _ model: Model) throws {
    let threads = try WorkerThreads(count: 2)
    let graph = try TrainableGraph(model, threads: threads)
    try graph.bind(batch: curve.batch)
    let optimizer = Optimizer(
      OptimizerSettings(), count: graph.weights.count,
      groups: graph.parameters.map { (range: $0.range, multiplier: 1) }, kernels: try TrainingKernels(),
      threads: threads)
    var worst = 0.0
    for (step, expected) in curve.single.enumerated() {
      let first = step % curve.batches
      for input in curve.inputs { fill(graph.input(input.name), from: input.values, part: first) }
      fill(graph.targets, from: curve.targets.values, part: first)
      graph.clearGradients()
      let count = graph.targets.count
      let loss = graph.step(key: 0, scale: 1 / Float(count)) / Double(count)
      worst = max(worst, abs(loss - expected) / expected)
      _ = optimizer.step(graph.weights, graph.gradients, learningRate: 1e-4)
    }
    #expect(worst <= Tolerance.lossCurve.bound, "relative distance \(worst)")
  }

  private func fill(_ values: UnsafeMutableBufferPointer<Float>, from all: [Float], part: Int) {
    _ = values.update(from: all[(part * values.count)..<((part + 1) * values.count)])
  }

  @Test func `the audio branch's loss follows PyTorch's for fifty steps`() throws {
    let curve = try TrainingCurve.audioBranch()
    try compare(curve, curve.model)
  }

  @Test func `the fusion's loss follows PyTorch's for fifty steps`() throws {
    let curve = try TrainingCurve.fusion()
    try compare(curve, try FusionNetwork.head(of: curve.model))
  }
}

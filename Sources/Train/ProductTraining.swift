/// A product of x and weights, with a bias or without: what linear and conv have in common.
class ProductTraining: TrainingStep {
  private let outputChannels: Int
  private let sums: DoubleBlock
  private(set) var inputGradient: GradientTarget?
  private(set) var weightGradient: GradientTarget?
  private var biasGradient: GradientTarget?

  /// - Parameter inputs: x, weight and, where there is one, bias; the output's channels, the weight's first extent, lie last.
  init(_ name: String, inputs: [TrainingValue], output: TrainingValue, scratch: Int, shared: Int) {
    outputChannels = inputs[1].shape[0]
    sums = DoubleBlock(count: inputs[1].shape[0])
    super.init(name, inputs: inputs, output: output, scratch: scratch, shared: shared)
  }

  func bias(_ run: TrainingRun) -> UnsafePointer<Float>? {
    inputs.count > 2 ? UnsafePointer(run.data(inputs[2])) : nil
  }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    weightGradient = plan.target(inputs[1])
    biasGradient = inputs.count > 2 ? plan.target(inputs[2]) : nil
    if inputGradient != nil { plan.keep(inputs[1]) }
    if weightGradient != nil { plan.keep(inputs[0]) }
  }

  /// The bias's gradient, Σ dy.
  override func backward(_ run: TrainingRun) {
    guard let biasGradient else { return }
    Products.addColumnSums(
      run, rows: output.count / max(1, outputChannels), columns: outputChannels, run.gradient(output), sums: sums,
      to: run.gradient(biasGradient))
  }
}

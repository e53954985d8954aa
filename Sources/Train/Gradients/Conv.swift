import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// dw = dyᵀ col(x), db = Σ dy, dx = the convolution of dy with the reversed weights where strides are 1, else col2im(dy w).
final class ConvTraining: TrainingStep {
  private let shape: ConvShape
  private let sums: DoubleBlock
  private var inputGradient: GradientTarget?
  private var weightGradient: GradientTarget?
  private var biasGradient: GradientTarget?

  /// The output lies channels last; x too, unless it is planar, of few channels, and wants no gradient.
  /// - Parameter inputs: x, weight and, where there is one, bias.
  init(_ name: String, op: Conv, inputs: [TrainingValue], output: TrainingValue, exact: Bool) {
    shape = ConvShape(op, x: inputs[0], weight: inputs[1].shape, output: output, exact: exact)
    sums = DoubleBlock(count: inputs[1].shape[0])
    super.init(
      name, inputs: inputs, output: output, scratch: shape.scratchCount,
      shared: shape.sharedCount)
  }

  override var kind: String { Conv.name }

  override func forward(_ run: TrainingRun) {
    let bias = inputs.count > 2 ? UnsafePointer(run.data(inputs[2])) : nil
    let (x, weights, y) = (run.data(inputs[0]), run.data(inputs[1]), run.data(output))
    switch shape.method {
    case .direct:
      shape.convolve(run, shape.window, x, shape.input, weights, y, shape.output, bias: bias, accumulates: false)
    case .winograd:
      shape.winograd(run, x, shape.input, weights, y, shape.output, bias: bias, accumulates: false)
    case .planar: shape.convolvePlanar(run, x, weights, y, bias: bias)
    }
  }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    weightGradient = plan.target(inputs[1])
    biasGradient = inputs.count > 2 ? plan.target(inputs[2]) : nil
    if inputGradient != nil { plan.keep(inputs[1]) }
    if weightGradient != nil { plan.keep(inputs[0]) }
  }

  override func backward(_ run: TrainingRun) {
    let dy = run.gradient(output)
    if let biasGradient {
      Products.addColumnSums(
        run, rows: output.count / shape.outputChannels, columns: shape.outputChannels, dy, sums: sums,
        to: run.gradient(biasGradient))
    }
    if let weightGradient {
      shape.weightGradient(
        run, run.data(inputs[0]), dy, run.gradient(weightGradient), accumulates: weightGradient.accumulates)
    }
    if let inputGradient {
      shape.inputGradient(
        run, dy, run.data(inputs[1]), run.gradient(inputGradient), accumulates: inputGradient.accumulates)
    }
  }
}

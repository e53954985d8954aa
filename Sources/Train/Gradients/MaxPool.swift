import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// dy goes to the first maximum of each window in scan order.
final class MaxPoolTraining: TrainingStep {
  private let window: eri_window
  private var inputGradient: GradientTarget?

  /// Both values lie channels last.
  init(_ name: String, op: MaxPool, x: TrainingValue, output: TrainingValue) {
    window = op.window
    super.init(
      name, inputs: [x], output: output,
      kernel: MaxPoolStep(node: 0, window: op.window, input: x.slot, output: output.slot))
    output.storage.isReadByProducer = true
  }

  override var kind: String { MaxPool.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    plan.keep(inputs[0])
    plan.keep(output)
  }

  override func backward(_ run: TrainingRun) {
    guard let inputGradient else { return }
    let (dy, dx) = (run.gradient(output), run.gradient(inputGradient))
    let input = inputs[0].slot.image(at: run.data(inputs[0]))
    let result = output.slot.image(at: run.data(output))
    run.split(output.slot.items) { begin, end, _ in
      var (window, input, result) = (window, input, result)
      eri_f32_maxpool_gradient(run.kernels, &window, &input, &result, dy, dx, inputGradient.accumulates, begin, end)
    }
  }
}

import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// dx = y (dy - Σ dy y) along the axis.
final class SoftmaxTraining: TrainingStep {
  private let extent: Int
  private let inner: Int
  private var inputGradient: GradientTarget?

  init(_ name: String, op: Softmax, x: TrainingValue, output: TrainingValue) {
    extent = output.shape[op.axis]
    inner = output.shape[(op.axis + 1)...].reduce(1, *)
    super.init(
      name, inputs: [x], output: output, kernel: SoftmaxStep(node: 0, op: op, input: x.slot, output: output.slot),
      scratch: 3 * extent * inner)
    output.storage.isReadByProducer = true
  }

  override var kind: String { Softmax.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    plan.keep(output)
  }

  override func backward(_ run: TrainingRun) {
    guard let inputGradient else { return }
    let (y, dy, dx) = (run.data(output), run.gradient(output), run.gradient(inputGradient))
    let block = extent * inner
    run.split(output.count / max(1, block)) { begin, end, thread in
      let probabilities = run.scratch(thread)
      let gradients = probabilities + block
      let rows = gradients + block
      for unit in begin..<end {
        let first = unit * block
        eri_f32_transpose(run.kernels, extent, inner, y + first, inner, probabilities, extent)
        eri_f32_transpose(run.kernels, extent, inner, dy + first, inner, gradients, extent)
        eri_f32_softmax_gradient(run.kernels, inner, extent, probabilities, gradients, 1, rows)
        eri_f32_transpose(run.kernels, inner, extent, rows, extent, gradients, inner)
        eri_f32_scaled(run.kernels, block, 1, gradients, dx + first, inputGradient.accumulates)
      }
    }
  }
}

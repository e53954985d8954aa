import CERITraining
import ERIFormat
import ERIRuntime

/// dx = present dy; `present` says which modalities a clip has, which nothing trains.
final class GateTraining: TrainingStep {
  private let index: Int
  private let columns: Int
  private let items: Int
  private var inputGradient: GradientTarget?

  init(_ name: String, op: Gate, x: TrainingValue, present: TrainingValue, output: TrainingValue) {
    index = op.index
    columns = present.shape[1]
    items = output.slot.items
    super.init(
      name, inputs: [x, present], output: output,
      kernel: GateStep(node: 0, op: op, input: x.slot, present: present.slot, output: output.slot))
  }

  override var kind: String { Gate.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    plan.keep(inputs[1])
  }

  override func backward(_ run: TrainingRun) {
    guard let inputGradient else { return }
    let (dy, dx, present) = (run.gradient(output), run.gradient(inputGradient), run.data(inputs[1]))
    let count = output.count / max(1, items)
    run.split(items) { begin, end, _ in
      for item in begin..<end {
        eri_f32_scaled(
          run.kernels, count, present[item * columns + index], dy + item * count, dx + item * count,
          inputGradient.accumulates)
      }
    }
  }
}

import CERITraining
import ERIFormat
import ERIRuntime

/// Each input gets its part of dy.
final class ConcatTraining: TrainingStep {
  private let axis: Int
  private var gradients: [GradientTarget?] = []

  init(_ name: String, op: Concat, inputs: [TrainingValue], output: TrainingValue) {
    axis = op.axis
    super.init(
      name, inputs: inputs, output: output,
      kernel: ConcatStep(node: 0, op: op, inputs: inputs.map { $0.slot }, output: output.slot))
  }

  override var kind: String { Concat.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    gradients = inputs.map { plan.target($0) }
  }

  override func backward(_ run: TrainingRun) {
    let dy = run.gradient(output)
    let inner = output.shape[(axis + 1)...].reduce(1, *)
    let row = output.shape[axis] * inner
    let rows = output.count / max(1, row)
    var column = 0
    for (input, target) in zip(inputs, gradients) {
      let count = input.shape[axis] * inner
      let first = column
      column += count
      guard let target else { continue }
      let dx = run.gradient(target)
      run.split(rows, grain: 64) { begin, end, _ in
        for index in begin..<end {
          eri_f32_scaled(run.kernels, count, 1, dy + index * row + first, dx + index * count, target.accumulates)
        }
      }
    }
  }
}

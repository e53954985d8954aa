import CERITraining
import ERIFormat
import ERIRuntime

/// dx is dy with its axes put back.
final class TransposeTraining: TrainingStep {
  private let permutation: [Int]
  private var inputGradient: GradientTarget?

  init(_ name: String, op: Transpose, x: TrainingValue, output: TrainingValue) {
    permutation = op.permutation
    super.init(
      name, inputs: [x], output: output, kernel: TransposeStep(node: 0, op: op, input: x.slot, output: output.slot),
      shared: output.count)
  }

  override var kind: String { Transpose.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
  }

  override func backward(_ run: TrainingRun) {
    guard let inputGradient else { return }
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    let from = Slot("", shape: output.shape, layout: .rowMajor)
    let to = Slot("", shape: inputs[0].shape, layout: .rowMajor)
    from.place = .constant(run.gradient(output))
    to.place = .constant(run.shared)
    let step = TransposeStep(node: 0, op: Transpose(inverse), input: from, output: to)
    returnGradient(run, by: step, to: inputGradient)
  }
}

/// A value in another layout; its gradient goes back the same way.
final class LayoutTraining: TrainingStep {
  private var inputGradient: GradientTarget?

  init(_ name: String, x: TrainingValue, output: TrainingValue) {
    super.init(
      name, inputs: [x], output: output, kernel: LayoutStep(node: 0, input: x.slot, output: output.slot),
      shared: output.count)
  }

  override var kind: String { "layout" }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
  }

  override func backward(_ run: TrainingRun) {
    guard let inputGradient else { return }
    let from = Slot("", shape: output.shape, layout: output.layout)
    let to = Slot("", shape: inputs[0].shape, layout: inputs[0].layout)
    from.place = .constant(run.gradient(output))
    to.place = .constant(run.shared)
    returnGradient(run, by: LayoutStep(node: 0, input: from, output: to), to: inputGradient)
  }
}

extension TrainingStep {
  /// Runs a step that writes shared memory, and gives what it wrote to a gradient.
  fileprivate func returnGradient(_ run: TrainingRun, by step: Step, to target: GradientTarget) {
    run.split(step.items * step.unitsPerItem) { begin, end, thread in step.run(run.frame(thread), begin, end) }
    let dx = run.gradient(target)
    run.splitElements(output.count) { begin, end in
      eri_f32_scaled(run.kernels, end - begin, 1, run.shared + begin, dx + begin, target.accumulates)
    }
  }
}

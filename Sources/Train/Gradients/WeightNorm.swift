import CERITraining
import ERIFormat
import ERIRuntime

/// dg = <dw, v> / ‖v‖, dv = (g / ‖v‖)(dw - (<dw, v> / ‖v‖²) v) (Salimans & Kingma 2016).
final class WeightNormTraining: TrainingStep {
  private let rows: Int
  private var directionGradient: GradientTarget?
  private var lengthGradient: GradientTarget?

  init(_ name: String, v: TrainingValue, g: TrainingValue, output: TrainingValue) {
    rows = v.shape[0]
    super.init(
      name, inputs: [v, g], output: output,
      kernel: WeightNormStep(node: 0, v: v.slot, g: g.slot, output: output.slot), shared: v.count + v.shape[0])
  }

  override var kind: String { WeightNorm.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    directionGradient = plan.target(inputs[0])
    lengthGradient = plan.target(inputs[1])
    plan.keep(inputs[0])
    plan.keep(inputs[1])
  }

  override func backward(_ run: TrainingRun) {
    let (v, g, dw) = (run.data(inputs[0]), run.data(inputs[1]), run.gradient(output))
    let length = output.count / max(1, rows)
    // Both come from one kernel, which adds; one that is not wanted goes to scratch memory.
    let dv = directionGradient.map { run.gradient($0) } ?? run.shared
    let dg = lengthGradient.map { run.gradient($0) } ?? run.shared + output.count
    for (target, place, count) in [(directionGradient, dv, output.count), (lengthGradient, dg, rows)]
    where target?.accumulates != true { place.update(repeating: 0, count: count) }
    run.split(rows) { begin, end, _ in
      let first = begin * length
      eri_f32_weight_norm_gradient(
        run.kernels, end - begin, length, v + first, g + begin, dw + first, dv + first, dg + begin, true)
    }
  }
}

import CERITraining
import ERIFormat
import ERIRuntime

/// dx = (u - mean u - x̂ mean(u x̂)) / σ with u = gain dy, or TEMMA's form of it (Ba et al. 2016).
final class LayerNormTraining: TrainingStep {
  private let op: LayerNorm
  private let rows: Int
  private let width: Int
  /// Of the gain, then of the bias.
  private let sums: RowSums
  private var inputGradient: GradientTarget?
  private var gainGradient: GradientTarget?
  private var biasGradient: GradientTarget?

  init(_ name: String, op: LayerNorm, x: TrainingValue, gain: TrainingValue, bias: TrainingValue, output: TrainingValue)
  {
    self.op = op
    width = output.slot.lastExtent
    rows = output.count / max(1, width)
    sums = RowSums(width: 2 * width)
    super.init(
      name, inputs: [x, gain, bias], output: output,
      kernel: LayerNormStep(node: 0, op: op, input: x.slot, gain: gain.slot, bias: bias.slot, output: output.slot))
  }

  override var kind: String { LayerNorm.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    gainGradient = plan.target(inputs[1])
    biasGradient = plan.target(inputs[2])
    plan.keep(inputs[0])
    plan.keep(inputs[1])
  }

  override func backward(_ run: TrainingRun) {
    let dy = run.gradient(output)
    let x = run.data(inputs[0])
    let gain = run.data(inputs[1])
    let wantsSums = gainGradient != nil || biasGradient != nil
    let dx = inputGradient.map { run.gradient($0) }
    sums.collect(run, rows: rows) { part, _, sums in
      let first = part.lowerBound * width
      eri_f32_layer_norm_gradient(
        run.kernels, part.count, width, x + first, gain, op.epsilon, op.form == .unbiasedDeviation, dy + first,
        dx.map { $0 + first }, inputGradient?.accumulates ?? false, wantsSums ? sums : nil,
        wantsSums ? sums + width : nil)
    }
    if let gainGradient { sums.add(count: width, to: run.gradient(gainGradient)) }
    if let biasGradient { sums.add(from: width, count: width, to: run.gradient(biasGradient)) }
  }
}

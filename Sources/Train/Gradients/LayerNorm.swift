import CERITraining
import ERIFormat
import ERIRuntime

/// dx = (u - mean u - x̂ mean(u x̂)) / σ with u = gain dy, or TEMMA's form of it (Ba et al. 2016).
final class LayerNormTraining: TrainingStep {
  /// Parts of the rows whose sums are kept apart and then added in order, so that the threads' number changes no bit.
  private static let parts = 16
  private let op: LayerNorm
  private let rows: Int
  private let width: Int
  private let sums: DoubleBlock
  private var inputGradient: GradientTarget?
  private var gainGradient: GradientTarget?
  private var biasGradient: GradientTarget?

  init(_ name: String, op: LayerNorm, x: TrainingValue, gain: TrainingValue, bias: TrainingValue, output: TrainingValue)
  {
    self.op = op
    width = output.slot.lastExtent
    rows = output.count / max(1, width)
    sums = DoubleBlock(count: LayerNormTraining.parts * 2 * width)
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
    let parts = min(LayerNormTraining.parts, max(1, rows))
    let wantsSums = gainGradient != nil || biasGradient != nil
    let dx = inputGradient.map { run.gradient($0) }
    sums.clear()
    run.threads.run(parts) { part, _ in
      let begin = rows * part / parts
      let end = rows * (part + 1) / parts
      let gainSums = sums.pointer + part * 2 * width
      eri_f32_layer_norm_gradient(
        run.kernels, end - begin, width, x + begin * width, gain, op.epsilon, op.form == .unbiasedDeviation,
        dy + begin * width, dx.map { $0 + begin * width }, inputGradient?.accumulates ?? false,
        wantsSums ? gainSums : nil, wantsSums ? gainSums + width : nil)
    }
    guard wantsSums else { return }
    for part in 1..<max(parts, 2) where part < parts {
      for index in 0..<(2 * width) { sums.pointer[index] += sums.pointer[part * 2 * width + index] }
    }
    if let gainGradient { Products.add(sums, to: run.gradient(gainGradient), count: width) }
    if let biasGradient {
      Products.add(sums, from: width, to: run.gradient(biasGradient), count: width)
    }
  }
}

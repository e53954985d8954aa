import CERITraining
import ERIFormat
import ERIRuntime

/// da_i = <dg, x_i>, dx_i = a_i dg + dα_i w, dw = Σ dα_i x_i; the bias cancels in the softmax, so its gradient is exactly 0.
final class AttentionPoolTraining: TrainingStep {
  private let items: Int
  private let tokens: Int
  private let width: Int
  private let sums: RowSums
  private var inputGradient: GradientTarget?
  private var weightGradient: GradientTarget?

  init(_ name: String, x: TrainingValue, weight: TrainingValue, bias: TrainingValue, output: TrainingValue) {
    items = x.shape[0]
    tokens = x.shape[1]
    width = x.shape[2]
    sums = RowSums(width: width)
    super.init(
      name, inputs: [x, weight, bias], output: output,
      kernel: AttentionPoolStep(node: 0, input: x.slot, weight: weight.slot, bias: bias.slot, output: output.slot),
      scratch: 2 * tokens)
  }

  override var kind: String { AttentionPool.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    weightGradient = plan.target(inputs[1])
    for input in inputs { plan.keep(input) }
  }

  override func backward(_ run: TrainingRun) {
    let dy = run.gradient(output)
    let (x, weight, bias) = (run.data(inputs[0]), run.data(inputs[1]), run.data(inputs[2])[0])
    let dx = inputGradient.map { run.gradient($0) }
    let wantsWeight = weightGradient != nil
    sums.collect(run, rows: items) { part, thread, sums in
      for item in part {
        eri_f32_attention_pool_gradient(
          run.kernels, tokens, width, x + item * tokens * width, weight, bias, dy + item * width,
          dx.map { $0 + item * tokens * width }, inputGradient?.accumulates ?? false, wantsWeight ? sums : nil,
          run.scratch(thread))
      }
    }
    if let weightGradient { sums.add(count: width, to: run.gradient(weightGradient)) }
  }
}

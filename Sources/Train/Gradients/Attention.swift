import CERITraining
import ERIFormat
import ERIRuntime

/// dV = Pᵀ dO, dP = dO Vᵀ, dS = softmax's gradient, dQ = scale dS K, dK = scale dSᵀ Q for each head, with dropout on P.
final class AttentionTraining: TrainingStep {
  private let op: Attention
  private let items: Int
  private let queries: Int
  private let keys: Int
  private let keyWidth: Int
  private let valueWidth: Int
  private let dropout: DropoutDraw?
  private var gradients: [GradientTarget?] = []

  init(
    _ name: String, op: Attention, q: TrainingValue, k: TrainingValue, v: TrainingValue, output: TrainingValue,
    dropout: DropoutDraw?
  ) {
    self.op = op
    self.dropout = dropout
    items = q.shape[0]
    queries = q.shape[1]
    keys = k.shape[1]
    keyWidth = q.shape[2] / op.heads
    valueWidth = v.shape[2] / op.heads
    super.init(
      name, inputs: [q, k, v], output: output,
      kernel: AttentionStep(node: 0, op: op, q: q.slot, k: k.slot, v: v.slot, output: output.slot),
      scratch: eri_f32_attention_training_scratch_count(queries, keys, keyWidth, valueWidth))
  }

  override var kind: String { Attention.name }

  // -1 is the kernels' SIZE_MAX: no limit.
  private var before: Int { op.band?.before ?? -1 }
  private var after: Int { op.band?.after ?? -1 }
  private var keyStride: Int { keyWidth * op.heads }
  private var valueStride: Int { valueWidth * op.heads }

  override func forward(_ run: TrainingRun) {
    guard let dropout else {
      super.forward(run)
      return
    }
    let (q, k, v) = (run.data(inputs[0]), run.data(inputs[1]), run.data(inputs[2]))
    let result = run.data(output)
    run.split(items * op.heads) { begin, end, thread in
      var draw = dropout.kernelForm(run)
      for unit in begin..<end {
        let (item, head) = (unit / op.heads, unit % op.heads)
        let keyOffset = head * keyWidth
        let valueOffset = head * valueWidth
        eri_f32_attention_dropout(
          run.kernels, queries, keys, keyWidth, valueWidth, op.scale, before, after,
          q + (item * queries * keyStride + keyOffset), keyStride, k + (item * keys * keyStride + keyOffset), keyStride,
          v + (item * keys * valueStride + valueOffset), valueStride, &draw, UInt64(unit * queries * keys),
          result + (item * queries * valueStride + valueOffset), valueStride, run.scratch(thread))
      }
    }
  }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    gradients = inputs.map { plan.target($0) }
    for input in inputs { plan.keep(input) }
  }

  override func backward(_ run: TrainingRun) {
    run.split(items * op.heads) { begin, end, thread in
      if let dropout {
        var draw = dropout.kernelForm(run)
        for unit in begin..<end { backward(run, unit, thread, &draw) }
      } else {
        for unit in begin..<end { backward(run, unit, thread, nil) }
      }
    }
  }

  /// One head of one item.
  private func backward(_ run: TrainingRun, _ unit: Int, _ thread: Int, _ draw: UnsafePointer<eri_dropout>?) {
    let (item, head) = (unit / op.heads, unit % op.heads)
    let (q, k, v) = (gradients[0], gradients[1], gradients[2])
    let queryOffset = item * queries * keyStride + head * keyWidth
    let keyOffset = item * keys * keyStride + head * keyWidth
    let valueOffset = item * keys * valueStride + head * valueWidth
    eri_f32_attention_gradient(
      run.kernels, queries, keys, keyWidth, valueWidth, op.scale, before, after, run.data(inputs[0]) + queryOffset,
      keyStride, run.data(inputs[1]) + keyOffset, keyStride, run.data(inputs[2]) + valueOffset, valueStride, draw,
      UInt64(unit * queries * keys), run.gradient(output) + (item * queries * valueStride + head * valueWidth),
      valueStride, q.map { run.gradient($0) + queryOffset }, q?.accumulates ?? false,
      k.map { run.gradient($0) + keyOffset }, k?.accumulates ?? false, v.map { run.gradient($0) + valueOffset },
      v?.accumulates ?? false, run.scratch(thread))
  }
}

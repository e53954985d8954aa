import CERIKernels
package import ERIFormat

/// Attention; a unit is one head of one item.
package final class AttentionStep: Step {
  private let op: Attention
  private let queries: Int
  private let keys: Int
  private let keyWidth: Int
  private let valueWidth: Int

  package init(node: Int, op: Attention, q: Slot, k: Slot, v: Slot, output: Slot) {
    self.op = op
    queries = q.shape[1]
    keys = k.shape[1]
    keyWidth = q.shape[2] / op.heads
    valueWidth = v.shape[2] / op.heads
    super.init(
      node: node, operands: [Operand(q, sliced: true), Operand(k, sliced: true), Operand(v, sliced: true)],
      output: Operand(output, sliced: true), items: output.items, unitsPerItem: op.heads,
      scratchCount: eri_f32_attention_scratch_count(queries, keys, keyWidth, valueWidth),
      workPerItem: op.heads * queries * keys * (keyWidth + valueWidth))
  }

  override var kernelName: String { "attention" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let q = frame.address(operands[0])
    let k = frame.address(operands[1])
    let v = frame.address(operands[2])
    let result = frame.address(output)
    let keyStride = keyWidth &* op.heads
    let valueStride = valueWidth &* op.heads
    // -1 is the kernels' SIZE_MAX: no limit.
    let before = op.band?.before ?? -1
    let after = op.band?.after ?? -1
    var unit = begin
    while unit < end {
      let item = unit / op.heads
      let head = unit % op.heads
      eri_f32_attention(
        frame.kernels, queries, keys, keyWidth, valueWidth, op.scale, before, after,
        q + (item &* queries &* keyStride &+ head &* keyWidth), keyStride,
        k + (item &* keys &* keyStride &+ head &* keyWidth), keyStride,
        v + (item &* keys &* valueStride &+ head &* valueWidth), valueStride,
        result + (item &* queries &* valueStride &+ head &* valueWidth), valueStride, scratch(frame))
      unit &+= 1
    }
  }
}

import CERIKernels
package import ERIFormat

/// Layer normalisation of rows; a unit is a row.
package final class LayerNormStep: Step {
  private let op: LayerNorm

  package init(node: Int, op: LayerNorm, input: Slot, gain: Slot, bias: Slot, output: Slot) {
    self.op = op
    let hasItems = output.shape.count > 1
    let items = hasItems ? output.items : 1
    let rows = output.elements / output.lastExtent / items
    super.init(
      node: node,
      operands: [Operand(input, sliced: hasItems), Operand(gain, sliced: false), Operand(bias, sliced: false)],
      output: Operand(output, sliced: hasItems), items: items, unitsPerItem: rows,
      workPerItem: 4 * rows * output.lastExtent)
  }

  override var kernelName: String { "layer_norm" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let width = output.slot.lastExtent
    eri_f32_layer_norm(
      frame.kernels, end &- begin, width, frame.address(operands[0]) + begin &* width, frame.address(operands[1]),
      frame.address(operands[2]), op.epsilon, op.form == .unbiasedDeviation, frame.address(output) + begin &* width)
  }
}

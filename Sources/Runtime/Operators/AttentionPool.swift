import CERIKernels
import ERIFormat

/// Attention pooling; a unit is an item.
package final class AttentionPoolStep: Step {
  private let tokens: Int
  private let width: Int

  package init(node: Int, input: Slot, weight: Slot, bias: Slot, output: Slot) {
    tokens = input.shape[1]
    width = input.shape[2]
    super.init(
      node: node,
      operands: [Operand(input, sliced: true), Operand(weight, sliced: false), Operand(bias, sliced: false)],
      output: Operand(output, sliced: true), items: output.items, unitsPerItem: 1, scratchCount: tokens,
      workPerItem: 2 * tokens * width)
  }

  override var kernelName: String { "attention_pool" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var item = begin
    while item < end {
      eri_f32_attention_pool(
        frame.kernels, tokens, width, frame.address(operands[0]) + item &* tokens &* width, frame.address(operands[1]),
        frame.address(operands[2])[0], frame.address(output) + item &* width, scratch(frame))
      item &+= 1
    }
  }
}

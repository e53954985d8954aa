import CERIKernels
package import ERIFormat

/// A function of each element that no product took up; a unit is a row of the last axis.
package final class UnaryStep: Step {
  private let function: eri_activation

  package init(node: Int, op: Unary, input: Slot, output: Slot) {
    function = op.function.activation
    let hasItems = output.shape.count > 1
    let items = hasItems ? output.items : 1
    super.init(
      node: node, operands: [Operand(input, sliced: hasItems)], output: Operand(output, sliced: hasItems), items: items,
      unitsPerItem: output.elements / output.lastExtent / items, workPerItem: 4 * output.elements / items)
  }

  override var kernelName: String { "unary" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let width = output.slot.lastExtent
    eri_f32_activate(
      frame.kernels, function, (end &- begin) &* width, frame.address(operands[0]) + begin &* width,
      frame.address(output) + begin &* width)
  }
}

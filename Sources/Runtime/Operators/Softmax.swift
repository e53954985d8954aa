import CERIKernels
package import ERIFormat

/// Softmax along an axis; a unit is one index of all axes before it, or a row where it is the last in memory.
package final class SoftmaxStep: Step {
  private let extent: Int
  /// Elements from one index of the axis to the next.
  private let inner: Int

  /// Both slots have one layout without a halo.
  package init(node: Int, op: Softmax, input: Slot, output: Slot) {
    let shape = output.shape
    let isSliced = op.axis > 0
    let items = isSliced ? output.items : 1
    extent = shape[op.axis]
    // Channels last, axis 1 is the innermost.
    inner = output.layout == .rowMajor ? shape[(op.axis + 1)...].reduce(1, *) : 1
    super.init(
      node: node, operands: [Operand(input, sliced: isSliced)], output: Operand(output, sliced: isSliced), items: items,
      unitsPerItem: output.elements / items / (extent * inner), scratchCount: inner == 1 ? 0 : extent * inner,
      workPerItem: 8 * output.elements / items)
  }

  override var kernelName: String { "softmax" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let block = extent &* inner
    var x = frame.address(operands[0]) + begin &* block
    var y = frame.address(output) + begin &* block
    if inner == 1 {
      eri_f32_softmax(frame.kernels, end &- begin, extent, x, y)
      return
    }
    let rows = scratch(frame)
    var unit = begin
    while unit < end {
      eri_f32_transpose(frame.kernels, extent, inner, x, inner, rows, extent)
      eri_f32_softmax(frame.kernels, inner, extent, rows, rows)
      eri_f32_transpose(frame.kernels, inner, extent, rows, extent, y, inner)
      x += block
      y += block
      unit &+= 1
    }
  }
}

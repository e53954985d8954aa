package import CERIKernels
package import ERIFormat

extension MaxPool {
  /// The window as the kernels take it; a sequence is an image of height 1.
  package var window: eri_window {
    let isSequence = kernel.count == 1
    return eri_window(
      kernelHeight: isSequence ? 1 : kernel[0], kernelWidth: isSequence ? kernel[0] : kernel[1],
      strideHeight: isSequence ? 1 : strides[0], strideWidth: isSequence ? strides[0] : strides[1],
      dilationHeight: isSequence ? 1 : dilations[0], dilationWidth: isSequence ? dilations[0] : dilations[1],
      padTop: isSequence ? 0 : padsBegin[0], padLeft: isSequence ? padsBegin[0] : padsBegin[1], groups: 1)
  }
}

/// The maximum over windows of channels-last images; a unit is an output row.
package final class MaxPoolStep: Step {
  private var window: eri_window

  package init(node: Int, window: eri_window, input: Slot, output: Slot) {
    self.window = window
    let rows = output.shape.count == 3 ? 1 : output.shape[2]
    super.init(
      node: node, operands: [Operand(input, sliced: true)], output: Operand(output, sliced: true), items: output.items,
      unitsPerItem: rows,
      workPerItem: output.elements / output.items * window.kernelHeight * window.kernelWidth)
  }

  override var kernelName: String { "max_pool" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var input = operands[0].slot.image(at: frame.address(operands[0]))
    var result = output.slot.image(at: frame.address(output))
    eri_f32_halo_clear(
      frame.kernels, &result, (begin + unitsPerItem - 1) / unitsPerItem, (end + unitsPerItem - 1) / unitsPerItem)
    eri_f32_maxpool(frame.kernels, &window, &input, &result, begin, end)
  }
}

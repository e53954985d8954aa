import CERIKernels

/// The maximum over windows of channels-last images of bytes, whose scale the result keeps; a unit is an output row.
final class BytePoolStep: Step {
  private let integers: OpaquePointer
  private var window: eri_window

  init(node: Int, integers: OpaquePointer, window: eri_window, input: Slot, output: Slot) {
    self.integers = integers
    self.window = window
    super.init(
      node: node, operands: [Operand(input, sliced: true)], output: Operand(output, sliced: true), items: output.items,
      unitsPerItem: output.shape.count == 3 ? 1 : output.shape[2],
      workPerItem: output.elements / output.items * window.kernelHeight * window.kernelWidth)
  }

  override var kernelName: String { "max_pool int8" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var input = operands[0].slot.byteImage(at: frame.address(operands[0]))
    var result = output.slot.byteImage(at: frame.address(output))
    if let codes = output.slot.codes {
      eri_i8_halo_fill(
        integers, &result, codes.zeroPoint, (begin + unitsPerItem - 1) / unitsPerItem,
        (end + unitsPerItem - 1) / unitsPerItem)
    }
    eri_i8_maxpool(integers, &window, &input, &result, begin, end)
  }
}

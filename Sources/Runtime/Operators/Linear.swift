import CERIKernels
import ERIFormat

/// x · wᵀ with its epilogue; a unit is a row.
final class LinearStep: Step {
  private let packed: FloatBlock
  private let epilogue: Epilogue
  private let inputs: Int
  private let outputs: Int

  init(node: Int, packed: FloatBlock, input: Slot, output: Slot, epilogue: Epilogue) {
    self.packed = packed
    self.epilogue = epilogue
    inputs = input.lastExtent
    outputs = output.lastExtent
    let hasItems = output.shape.count > 1
    let items = hasItems ? output.items : 1
    let rows = output.elements / outputs / items
    super.init(
      node: node, operands: [Operand(input, sliced: hasItems)] + epilogue.operands,
      output: Operand(output, sliced: hasItems), items: items, unitsPerItem: rows, workPerItem: rows * inputs * outputs,
      // About a hundred rows read each packed weight panel once.
      minimumItems: max(1, 98 / rows))
  }

  override var kernelName: String { "linear" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var form = epilogue.kernelForm(frame, row: begin, stride: outputs)
    eri_f32_gemm(
      frame.kernels, end &- begin, outputs, inputs, frame.address(operands[0]) + begin &* inputs, inputs,
      packed.pointer,
      frame.address(output) + begin &* outputs, outputs, &form)
  }
}

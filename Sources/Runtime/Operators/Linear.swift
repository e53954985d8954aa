import CERIKernels
import ERIFormat

/// x · wᵀ with its epilogue, of floats or of integers; a unit is a row.
class ProductStep: Step {
  final let packed: FloatBlock
  final let epilogue: Epilogue
  final let inputs: Int
  final let outputs: Int

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
}

/// The product of floats.
final class LinearStep: ProductStep {
  override var kernelName: String { "linear" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var form = epilogue.kernelForm(frame, row: begin, stride: outputs)
    eri_f32_gemm(
      frame.kernels, end &- begin, outputs, inputs, frame.address(operands[0]) + begin &* inputs, inputs,
      packed.pointer,
      frame.address(output) + begin &* outputs, outputs, &form)
  }
}

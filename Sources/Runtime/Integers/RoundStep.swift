import CERIKernels

/// Replaces numbers by what a quantisation's integers stand for; a unit is an item.
final class RoundStep: Step {
  private let grid: UniformGrid

  init(node: Int, grid: UniformGrid, input: Slot, output: Slot) {
    self.grid = grid
    super.init(
      node: node, operands: [Operand(input, sliced: true)], output: Operand(output, sliced: true),
      items: output.items, unitsPerItem: 1, workPerItem: 2 * output.itemFloats)
  }

  override var kernelName: String { "round" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let count = output.slot.itemFloats
    let x = frame.address(operands[0])
    let y = frame.address(output)
    var form = eri_f32_grid(
      scale: grid.scale, inverse: grid.inverse, low: Float(grid.minimum) - Float(grid.zeroPoint),
      high: Float(grid.maximum) - Float(grid.zeroPoint))
    eri_f32_round_to_grid(frame.kernels, &form, (end &- begin) &* count, x + begin &* count, y + begin &* count)
    if output.slot.shape.count == 4 {
      var image = output.slot.image(at: y)
      eri_f32_halo_clear(frame.kernels, &image, begin, end)
    }
  }
}

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
    let low = Float(grid.minimum) - Float(grid.zeroPoint)
    let high = Float(grid.maximum) - Float(grid.zeroPoint)
    let inverse = grid.inverse
    // Adding 1.5 · 2²³ leaves no fraction to a float below 2²²: it is rounded to nearest, ties to even.
    let isSmall = low > -0x1p22 && high < 0x1p22
    var index = begin &* count
    let last = end &* count
    while index < last {
      let scaled = x[index] * inverse
      let above = scaled >= low ? scaled : low
      let clamped = above <= high ? above : high
      let nearest = isSmall ? (clamped + 0x1.8p23) - 0x1.8p23 : clamped.rounded(.toNearestOrEven)
      y[index] = grid.scale * nearest
      index &+= 1
    }
    if output.slot.shape.count == 4 {
      var image = output.slot.image(at: y)
      eri_f32_halo_clear(frame.kernels, &image, begin, end)
    }
  }
}

package import ERIFormat

/// Concatenation; a unit is an item, or the whole when the axis is the leading one.
package final class ConcatStep: Step {
  private let axis: Int

  package init(node: Int, op: Concat, inputs: [Slot], output: Slot) {
    axis = op.axis
    let sliced = op.axis > 0
    super.init(
      node: node, operands: inputs.map { Operand($0, sliced: sliced) }, output: Operand(output, sliced: sliced),
      items: sliced ? output.items : 1, unitsPerItem: 1, workPerItem: output.elements / (sliced ? output.items : 1))
  }

  override var kernelName: String { "concat" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let shape = output.slot.shape
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = axis == 0 ? 1 : shape[1..<axis].reduce(1, *)
    let row = shape[axis] &* inner
    let rows = axis == 0 ? 1 : (end &- begin) &* outer
    let first = axis == 0 ? 0 : begin &* outer
    let y = frame.address(output) + first &* row
    var column = 0
    var index = 0
    while index < operands.count {
      let count = operands[index].slot.shape[axis] &* inner
      let x = frame.address(operands[index]) + first &* count
      var r = 0
      while r < rows {
        (y + (r &* row &+ column)).update(from: x + r &* count, count: count)
        r &+= 1
      }
      column &+= count
      index &+= 1
    }
  }
}

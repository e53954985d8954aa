package import ERIFormat

/// x times a column of `present`; a unit is an item. Without x it writes zeros.
package final class GateStep: Step {
  private let index: Int
  private let columns: Int

  package init(node: Int, op: Gate, input: Slot?, present: Slot?, output: Slot) {
    index = op.index
    columns = present?.shape[1] ?? 0
    var operands: [Operand] = []
    if let input, let present { operands = [Operand(input, sliced: true), Operand(present, sliced: true)] }
    super.init(
      node: node, operands: operands, output: Operand(output, sliced: true), items: output.items, unitsPerItem: 1,
      workPerItem: output.itemFloats)
  }

  override var kernelName: String { "gate" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let count = output.slot.itemFloats
    var item = begin
    while item < end {
      let y = frame.address(output) + item &* count
      let factor = operands.isEmpty ? 0 : frame.address(operands[1])[item &* columns &+ index]
      if factor == 0 {
        y.update(repeating: 0, count: count)
      } else {
        let x = frame.address(operands[0]) + item &* count
        var element = 0
        while element < count {
          y[element] = x[element] * factor
          element &+= 1
        }
      }
      item &+= 1
    }
  }
}

import CERISystem
import ERIFormat

/// w = g · v / ‖v‖; an item is an output channel. On weights it runs once, when the plan is made.
package final class WeightNormStep: Step {
  package init(node: Int, v: Slot, g: Slot, output: Slot) {
    super.init(
      node: node, operands: [Operand(v, sliced: true), Operand(g, sliced: true)], output: Operand(output, sliced: true),
      items: output.items, unitsPerItem: 1, workPerItem: 2 * output.itemFloats)
  }

  override var kernelName: String { "weight_norm" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    WeightNormStep.normalise(
      frame.address(operands[0]), frame.address(operands[1]), into: frame.address(output), begin..<end,
      output.slot.itemFloats)
  }

  /// Normalises output channels of `count` weights each; `v` and `w` may be the same memory.
  package static func normalise(
    _ v: UnsafePointer<Float>, _ g: UnsafePointer<Float>, into w: UnsafeMutablePointer<Float>,
    _ channels: Range<Int>, _ count: Int
  ) {
    var item = channels.lowerBound
    while item < channels.upperBound {
      var sum = 0.0
      var index = item &* count
      let last = index &+ count
      while index < last {
        sum += Double(v[index]) * Double(v[index])
        index &+= 1
      }
      let factor = Double(g[item]) / eri_sqrt(sum)
      index = item &* count
      while index < last {
        w[index] = Float(Double(v[index]) * factor)
        index &+= 1
      }
      item &+= 1
    }
  }
}

import CERISystem
package import ERIFormat

/// Batch normalisation that no convolution took up; a unit is one channel of one item.
package final class BatchNormStep: Step {
  private let epsilon: Float
  private let channels: Int
  private let plane: Int

  package init(node: Int, op: BatchNorm, input: Slot, parameters: [Slot], output: Slot) {
    epsilon = op.epsilon
    channels = output.shape[1]
    plane = output.elements / output.items / channels
    super.init(
      node: node,
      operands: [Operand(input, sliced: true)] + parameters.map { Operand($0, sliced: false) },
      output: Operand(output, sliced: true), items: output.items, unitsPerItem: channels,
      workPerItem: channels * plane)
  }

  override var kernelName: String { "batch_norm" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let x = frame.address(operands[0])
    let y = frame.address(output)
    var unit = begin
    while unit < end {
      let (factor, shift) = batchNormCoefficients(
        scale: frame.address(operands[1]), bias: frame.address(operands[2]), mean: frame.address(operands[3]),
        variance: frame.address(operands[4]), epsilon: epsilon, channel: unit % channels)
      var index = unit &* plane
      let last = index &+ plane
      while index < last {
        y[index] = Float(Double(x[index]) * factor + shift)
        index &+= 1
      }
      unit &+= 1
    }
  }
}

/// Factor and shift of one channel: y = factor · x + shift.
package func batchNormCoefficients(
  scale: UnsafePointer<Float>, bias: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
  epsilon: Float, channel: Int
) -> (factor: Double, shift: Double) {
  let factor = Double(scale[channel]) / eri_sqrt(Double(variance[channel]) + Double(epsilon))
  return (factor, Double(bias[channel]) - Double(mean[channel]) * factor)
}

import CERIKernels
package import ERIFormat

/// Axes in another order; a unit is an item, or the whole when the leading axis moves.
package final class TransposeStep: Step {
  /// Of the axes that move within a unit.
  private let extents: [Int]
  private let strides: [Int]

  package init(node: Int, op: Transpose, input: Slot, output: Slot) {
    let rank = op.permutation.count
    let sliced = rank > 0 && op.permutation[0] == 0
    let first = sliced ? 1 : 0
    var inputStrides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      inputStrides[axis] = inputStrides[axis + 1] * input.shape[axis + 1]
    }
    extents = [Int](output.shape[first...])
    strides = op.permutation[first...].map { inputStrides[$0] }
    super.init(
      node: node, operands: [Operand(input, sliced: sliced)], output: Operand(output, sliced: sliced),
      items: sliced ? output.items : 1, unitsPerItem: 1, workPerItem: output.elements / (sliced ? output.items : 1))
  }

  override var kernelName: String { "transpose" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let count = output.sliced ? output.slot.itemFloats : output.slot.elements
    var item = begin
    while item < end {
      let x = frame.address(operands[0]) + item &* count
      let y = frame.address(output) + item &* count
      if extents.count == 2, strides[0] == 1, strides[1] == extents[0] {
        // Output [C, R] of input [R, C].
        eri_f32_transpose(frame.kernels, extents[1], extents[0], x, extents[0], y, extents[1])
      } else {
        walk(x, y, count)
      }
      item &+= 1
    }
  }

  private func walk(_ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
    var index = 0
    while index < count {
      var remainder = index
      var source = 0
      var axis = extents.count - 1
      while axis >= 0 {
        source &+= (remainder % extents[axis]) &* strides[axis]
        remainder /= extents[axis]
        axis -= 1
      }
      y[index] = x[source]
      index &+= 1
    }
  }
}

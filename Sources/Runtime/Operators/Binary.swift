package import CERIKernels
package import ERIFormat

extension ERIFormat.Binary.Function {
  /// The kernels' number of the function.
  package var kernel: eri_binary {
    switch self {
    case .add: ERI_BINARY_ADD
    case .subtract: ERI_BINARY_SUBTRACT
    case .multiply: ERI_BINARY_MULTIPLY
    case .divide: ERI_BINARY_DIVIDE
    }
  }
}

/// A function of two broadcast operands; a unit is an item.
///
/// The trailing axes along which each operand is either contiguous or a single element form one block per kernel call; the axes before them
/// are walked one by one.
package final class BinaryStep: Step {
  private let function: eri_binary
  private let block: Int
  private let aStep: Int
  private let bStep: Int
  /// Extents of the axes between the leading one and the block, with each operand's stride along them.
  private let extents: [Int]
  private let aStrides: [Int]
  private let bStrides: [Int]

  package init(node: Int, op: ERIFormat.Binary, a: Slot, b: Slot, output: Slot) {
    function = op.function.kernel
    let rank = output.shape.count
    let aShape = [Int](repeating: 1, count: rank - a.shape.count) + a.shape
    let bShape = [Int](repeating: 1, count: rank - b.shape.count) + b.shape
    var axis = rank
    var block = 1
    var aFull = true
    var aSingle = true
    var bFull = true
    var bSingle = true
    // Axis 0 is the items' own.
    while axis > 1 {
      let extent = output.shape[axis - 1]
      let nextAFull = aFull && aShape[axis - 1] == extent
      let nextASingle = aSingle && aShape[axis - 1] == 1
      let nextBFull = bFull && bShape[axis - 1] == extent
      let nextBSingle = bSingle && bShape[axis - 1] == 1
      guard (nextAFull || nextASingle) && (nextBFull || nextBSingle) else { break }
      (aFull, aSingle, bFull, bSingle) = (nextAFull, nextASingle, nextBFull, nextBSingle)
      block *= extent
      axis -= 1
    }
    self.block = block
    aStep = aFull ? 1 : 0
    bStep = bFull ? 1 : 0
    extents = axis > 1 ? [Int](output.shape[1..<axis]) : []
    aStrides = BinaryStep.strides(aShape, 1, max(axis, 1))
    bStrides = BinaryStep.strides(bShape, 1, max(axis, 1))
    let items = rank > 0 ? output.shape[0] : 1
    super.init(
      node: node,
      operands: [
        Operand(a, sliced: rank > 0 && a.shape.count == rank && a.shape[0] == items && items > 1),
        Operand(b, sliced: rank > 0 && b.shape.count == rank && b.shape[0] == items && items > 1),
      ],
      output: Operand(output, sliced: rank > 0), items: items, unitsPerItem: 1, workPerItem: output.elements / items)
  }

  /// Strides in elements of axes `first..<last`; 0 where the operand is broadcast.
  private static func strides(_ shape: [Int], _ first: Int, _ last: Int) -> [Int] {
    guard first < last else { return [] }
    return (first..<last).map { axis in shape[axis] == 1 ? 0 : shape[(axis + 1)...].reduce(1, *) }
  }

  override var kernelName: String { "binary" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let aItem = operands[0].sliced ? operands[0].slot.itemFloats : 0
    let bItem = operands[1].sliced ? operands[1].slot.itemFloats : 0
    let blocks = output.slot.itemFloats / block
    var item = begin
    while item < end {
      let a = frame.address(operands[0]) + item &* aItem
      let b = frame.address(operands[1]) + item &* bItem
      let y = frame.address(output) + item &* output.slot.itemFloats
      var index = 0
      while index < blocks {
        var remainder = index
        var aOffset = 0
        var bOffset = 0
        var axis = extents.count - 1
        while axis >= 0 {
          let position = remainder % extents[axis]
          remainder /= extents[axis]
          aOffset &+= position &* aStrides[axis]
          bOffset &+= position &* bStrides[axis]
          axis -= 1
        }
        eri_f32_binary(frame.kernels, function, block, a + aOffset, aStep, b + bOffset, bStep, y + index &* block)
        index &+= 1
      }
      item &+= 1
    }
  }
}

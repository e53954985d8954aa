/// Lays out blocks of memory so that two that live at the same time never overlap.
package struct IntervalPacking {
  private struct Block {
    let size: Int
    let first: Int
    let last: Int
    let assign: (Int) -> Void
  }

  private var blocks: [Block] = []
  /// Floats between block starts, so that each begins on a cache line.
  private static let alignment = 16

  package init() {}

  /// Adds a block of `size` floats alive from time `first` to `last`, both included; `assign` receives its offset.
  package mutating func add(size: Int, first: Int, last: Int, assign: @escaping (Int) -> Void) {
    blocks.append(Block(size: size, first: first, last: last, assign: assign))
  }

  /// Assigns all offsets, largest blocks first, each in the lowest gap that is free throughout its life.
  /// - Returns: the total in floats, or nil if it overflows.
  package func pack() -> Int? {
    var placed: [(offset: Int, end: Int, first: Int, last: Int)] = []
    var total = 0
    for block in blocks.sorted(by: { $0.size > $1.size }) {
      var offset = 0
      let overlapping = placed.filter { $0.first <= block.last && block.first <= $0.last }.sorted {
        $0.offset < $1.offset
      }
      let (padded, overflow) = block.size.addingReportingOverflow(IntervalPacking.alignment - 1)
      guard !overflow else { return nil }
      let size = padded / IntervalPacking.alignment * IntervalPacking.alignment
      for other in overlapping {
        if other.offset - offset >= size { break }
        offset = max(offset, other.end)
      }
      let (end, tooLarge) = offset.addingReportingOverflow(size)
      guard !tooLarge else { return nil }
      placed.append((offset, end, block.first, block.last))
      total = max(total, end)
      block.assign(offset)
    }
    return total
  }
}

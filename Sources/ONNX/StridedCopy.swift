import ERIFormat

/// At every index of a shape, one element from a strided place to a dense one: slices, permutations, repetitions.
final class StridedCopy {
  private let extents: Table<Int>
  /// In elements.
  private let sourceStrides: Table<Int>
  private let targetStrides: Table<Int>
  private let sourceOffset: Int
  private let isEmpty: Bool
  private let rank: Int
  /// Elements that lie in a row in both.
  private let run: Int

  init(_ shape: [Int], sourceStrides: [Int], sourceOffset: Int = 0) {
    isEmpty = shape.contains(0)
    var extents: [Int] = []
    var sources: [Int] = []
    var targets: [Int] = []
    var stride = 1
    // From the last axis on, axes that continue each other become one.
    for axis in shape.indices.reversed() where shape[axis] > 1 {
      if let extent = extents.last, let source = sources.last, let target = targets.last,
        sourceStrides[axis] == source * extent, stride == target * extent
      {
        extents[extents.count - 1] = extent * shape[axis]
      } else {
        extents.append(shape[axis])
        sources.append(sourceStrides[axis])
        targets.append(stride)
      }
      stride *= shape[axis]
    }
    var run = 1
    if let extent = extents.first, sources.first == 1 {
      run = extent
      extents.removeFirst()
      sources.removeFirst()
      targets.removeFirst()
    }
    self.run = run
    self.sourceOffset = sourceOffset
    rank = extents.count
    self.extents = Table(extents.reversed())
    self.sourceStrides = Table(sources.reversed())
    targetStrides = Table(targets.reversed())
  }

  func callAsFunction<Element: Word>(_ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>) {
    if isEmpty { return }
    walk(0, source + sourceOffset, target)
  }

  private func walk<Element: Word>(
    _ axis: Int, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
  ) {
    if axis == rank {
      target.update(from: source, count: run)
    } else if run == 1 && axis == rank - 1 {
      row(axis, source, target, 0, extents[axis])
    } else if run == 1 && axis == rank - 2 {
      plane(axis, source, target)
    } else {
      var index = 0
      while index < extents[axis] {
        walk(axis + 1, source + index &* sourceStrides[axis], target + index &* targetStrides[axis])
        index &+= 1
      }
    }
  }

  @inline(__always) private func row<Element: Word>(
    _ axis: Int, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ first: Int, _ end: Int
  ) {
    let from = sourceStrides[axis]
    let to = targetStrides[axis]
    var index = first
    while index < end {
      target[index &* to] = source[index &* from]
      index &+= 1
    }
  }

  /// A few columns of all rows at a time, so that lines of the source that a column touches are still near for the next row.
  private func plane<Element: Word>(
    _ axis: Int, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
  ) {
    let width = extents[axis + 1]
    let band = 16
    var first = 0
    while first < width {
      let end = min(first + band, width)
      var index = 0
      while index < extents[axis] {
        row(axis + 1, source + index &* sourceStrides[axis], target + index &* targetStrides[axis], first, end)
        index &+= 1
      }
      first = end
    }
  }
}

/// A kernel that is one strided copy of its first operand.
struct StridedCopyKernel: WordKernel {
  let result: BoundType
  let copy: StridedCopy

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let copy = copy
    return ONNXKernel([result]) { memory in
      copy(memory.input(0, as: Element.self), memory.output(0))
      return nil
    }
  }
}

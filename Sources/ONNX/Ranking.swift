import ERIFormat

/// TopK: the greatest or least elements along an axis, best first, and where they were.
extension ONNXNode {
  func rankingKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 2)
    try outputs(2)
    let x = try operand(0, "x")
    guard let count = try op.opset < 10 ? integer("k") : integer(1, "k") else {
      throw contractError("expected k, found none")
    }
    let axis = try axis(try integer("axis", default: -1), rank: x.shape.count)
    var shape = x.shape
    guard count >= 0, count <= shape[axis] else {
      throw contractError("expected k from 0 to \(shape[axis]), found \(count)")
    }
    shape[axis] = count
    return try numberKernel(
      x, "x",
      Ranking(
        count: count, largest: try flag("largest", default: true), walk: AxisRows(x.shape, axis: axis),
        types: [try BoundType(x.dtype, shape), try BoundType(.i64, shape)]))
  }
}

private struct Ranking: NumberKernel {
  let count: Int
  let largest: Bool
  let walk: AxisRows
  /// Values, and indices.
  let types: [BoundType]

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    return ONNXKernel(types, scratchBytes: 8 * count) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let heap: UnsafeMutablePointer<Int> = memory.scratch()
      let values: UnsafeMutablePointer<Element> = memory.output(0)
      let indices: UnsafeMutablePointer<Int64> = memory.output(1)
      guard work.count > 0 else { return nil }
      let inner = work.walk.inner
      work.walk.forEachRow { row, start in
        work.select(x + start, heap)
        let target = row / inner * work.count * inner + row % inner
        for rank in 0..<work.count {
          values[target + rank * inner] = x[start + heap[rank] * inner]
          indices[target + rank * inner] = Int64(heap[rank])
        }
      }
      return nil
    }
  }

  /// Whether an element ranks before another one; of equal ones the first does. NaN counts as greater than all.
  @inline(__always)
  private func ranks<Element: ONNXNumber>(_ a: Int, _ b: Int, _ x: UnsafePointer<Element>) -> Bool {
    let (first, second) = (x[a * walk.inner], x[b * walk.inner])
    if first.isNotNumber || second.isNotNumber {
      if first.isNotNumber && second.isNotNumber { return a < b }
      return first.isNotNumber == largest
    }
    if first == second { return a < b }
    return largest ? first > second : first < second
  }

  /// Leaves the indices of the best elements in `heap`, best first. Meanwhile its root is the worst of them.
  private func select<Element: ONNXNumber>(_ x: UnsafePointer<Element>, _ heap: UnsafeMutablePointer<Int>) {
    for index in 0..<count { heap[index] = index }
    for root in stride(from: count / 2 - 1, through: 0, by: -1) { sift(root, count, x, heap) }
    var index = count
    while index < walk.extent {
      if ranks(index, heap[0], x) {
        heap[0] = index
        sift(0, count, x, heap)
      }
      index &+= 1
    }
    for end in stride(from: count - 1, to: 0, by: -1) {
      (heap[0], heap[end]) = (heap[end], heap[0])
      sift(0, end, x, heap)
    }
  }

  private func sift<Element: ONNXNumber>(
    _ root: Int, _ count: Int, _ x: UnsafePointer<Element>, _ heap: UnsafeMutablePointer<Int>
  ) {
    var root = root
    while 2 * root + 1 < count {
      var child = 2 * root + 1
      if child + 1 < count && ranks(heap[child], heap[child + 1], x) { child += 1 }
      guard ranks(heap[root], heap[child], x) else { return }
      (heap[root], heap[child]) = (heap[child], heap[root])
      root = child
    }
  }
}

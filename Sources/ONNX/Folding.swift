import ERIFormat

/// A tensor folded along some of its axes: which elements make which result.
struct Folding {
  /// The result's shape, folded axes left out or with an extent of 1.
  let shape: [Int]
  /// Axes that stay and axes that are folded, neighbours merged: extents, and elements from one index to the next.
  private let kept: [(extent: Int, stride: Int)]
  private let folded: [(extent: Int, stride: Int)]
  /// Results, and elements that make one.
  let results: Int
  let count: Int

  init(_ type: BoundType, axes: [Int], keepsAxes: Bool) {
    var shape: [Int] = []
    var parts: [[(extent: Int, stride: Int)]] = [[], []]
    var last: Int?
    for (axis, stride) in type.strides.enumerated() {
      let extent = type.shape[axis]
      let part = axes.contains(axis) ? 1 : 0
      if part == 0 {
        shape.append(extent)
      } else if keepsAxes {
        shape.append(1)
      }
      if extent == 1 { continue }
      if last == part, let before = parts[part].last {
        parts[part][parts[part].count - 1] = (before.extent * extent, stride)
      } else {
        parts[part].append((extent, stride))
      }
      last = part
    }
    self.shape = shape
    (kept, folded) = (parts[0], parts[1].isEmpty ? [(1, 1)] : parts[1])
    results = kept.reduce(1) { $0 * $1.extent }
    count = folded.reduce(1) { $0 * $1.extent }
  }

  /// Calls `body` with each result's index and where its elements start.
  @inline(__always)
  func forEachResult(_ body: (_ index: Int, _ start: Int) -> Void) {
    var indices = InlineArray<8, Int>(repeating: 0)
    var start = 0
    for index in 0..<results {
      body(index, start)
      var axis = kept.count - 1
      while axis >= 0 {
        indices[axis] += 1
        start += kept[axis].stride
        if indices[axis] < kept[axis].extent { break }
        indices[axis] = 0
        start -= kept[axis].stride * kept[axis].extent
        axis -= 1
      }
    }
  }

  /// Combines what `f` makes of the elements of one result.
  @inline(__always)
  func fold<Element, Value>(
    _ x: UnsafePointer<Element>, _ identity: Value, _ combine: (Value, Value) -> Value, _ f: (Element) -> Value
  ) -> Value {
    guard count > 0, let inner = folded.last else { return identity }
    var total = identity
    var indices = InlineArray<8, Int>(repeating: 0)
    var row = x
    while true {
      total = combine(total, Folding.foldRow(row, inner.extent, inner.stride, identity, combine, f))
      var axis = folded.count - 2
      while axis >= 0 {
        indices[axis] += 1
        row += folded[axis].stride
        if indices[axis] < folded[axis].extent { break }
        indices[axis] = 0
        row -= folded[axis].stride * folded[axis].extent
        axis -= 1
      }
      if axis < 0 { return total }
    }
  }

  /// Four totals at a time, so that no addition waits for the one before it.
  @inline(__always)
  private static func foldRow<Element, Value>(
    _ x: UnsafePointer<Element>, _ count: Int, _ stride: Int, _ identity: Value, _ combine: (Value, Value) -> Value,
    _ f: (Element) -> Value
  ) -> Value {
    var (a, b, c, d) = (identity, identity, identity, identity)
    var index = 0
    var x = x
    while index &+ 4 <= count {
      a = combine(a, f(x[0]))
      b = combine(b, f(x[stride]))
      c = combine(c, f(x[2 &* stride]))
      d = combine(d, f(x[3 &* stride]))
      x += 4 &* stride
      index &+= 4
    }
    while index < count {
      a = combine(a, f(x[0]))
      x += stride
      index &+= 1
    }
    return combine(combine(a, b), combine(c, d))
  }
}

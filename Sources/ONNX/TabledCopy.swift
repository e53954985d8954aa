import ERIFormat

/// A dense target whose element at an index comes from the place that its axes' tables add up to, or is a fill where one of them has none.
final class TabledCopy {
  /// By axis and index: elements from the source's start, or -1.
  private let tables: Table<Int>
  /// Where an axis's table begins, its extent, and elements of the target from one index to the next.
  private let starts: Table<Int>
  private let extents: Table<Int>
  private let strides: Table<Int>
  private let rank: Int
  private let isEmpty: Bool
  /// Elements that lie in a row in both, under the last axis of the tables.
  private let run: Int

  /// - Parameter places: by axis, the index in the source for each of the target, or -1.
  init(source: [Int], places: [[Int]]) {
    isEmpty = places.contains { $0.isEmpty }
    var stride = 1
    var offsets: [[Int]] = []
    for axis in source.indices.reversed() {
      offsets.append(places[axis].map { $0 < 0 ? -1 : $0 * stride })
      stride *= source[axis]
    }
    offsets.reverse()
    var run = 1
    while let last = offsets.last, last == (0..<last.count).map({ $0 * run }), last.count == source[offsets.count - 1] {
      run *= last.count
      offsets.removeLast()
    }
    var starts: [Int] = []
    var strides = [Int](repeating: run, count: offsets.count)
    for axis in offsets.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * offsets[axis + 1].count }
    var start = 0
    for offset in offsets {
      starts.append(start)
      start += offset.count
    }
    self.run = run
    rank = offsets.count
    tables = Table(offsets.flatMap { $0 })
    self.starts = Table(starts)
    self.strides = Table(strides)
    extents = Table(offsets.map { $0.count })
  }

  func callAsFunction<Element: Word>(
    _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, fill: Element
  ) {
    if isEmpty { return }
    walk(0, source, target, fill)
  }

  private func walk<Element: Word>(
    _ axis: Int, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ fill: Element
  ) {
    if axis == rank {
      target.update(from: source, count: run)
      return
    }
    let table = tables.values + starts[axis]
    let count = extents[axis]
    let stride = strides[axis]
    var index = 0
    if axis == rank - 1 && run == 1 {
      while index < count {
        let place = table[index]
        target[index] = place < 0 ? fill : source[place]
        index &+= 1
      }
      return
    }
    while index < count {
      let place = table[index]
      let next = target + index &* stride
      if place < 0 {
        next.update(repeating: fill, count: stride)
      } else {
        walk(axis + 1, source + place, next, fill)
      }
      index &+= 1
    }
  }
}

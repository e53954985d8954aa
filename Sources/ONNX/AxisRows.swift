import ERIFormat

/// A tensor seen as rows along one axis: `outer` × `extent` × `inner` elements, the rows' elements `inner` apart.
struct AxisRows {
  let outer: Int
  let extent: Int
  let inner: Int

  init(_ shape: [Int], axis: Int) {
    outer = shape.prefix(axis).reduce(1, *)
    extent = axis < shape.count ? shape[axis] : 1
    inner = shape.dropFirst(axis + 1).reduce(1, *)
  }

  /// All axes from `axis` on as one.
  init(_ shape: [Int], from axis: Int) {
    outer = shape.prefix(axis).reduce(1, *)
    extent = shape.dropFirst(axis).reduce(1, *)
    inner = 1
  }

  /// Calls `body` with each row's number and its first element's place.
  @inline(__always)
  func forEachRow(_ body: (_ row: Int, _ start: Int) -> Void) {
    for first in 0..<outer {
      for second in 0..<inner { body(first * inner + second, first * extent * inner + second) }
    }
  }
}

import ERIFormat

/// Where the rows of a tensor of heads lie: [batch, heads, rows, size], or [batch, rows, heads · size] with 3 dimensions.
struct HeadRows {
  let batch: Int
  let heads: Int
  let rows: Int
  let size: Int
  private let headStride: Int
  private let rowStride: Int

  /// - Parameter packed: how many heads stand side by side in the last of 3 dimensions.
  init(_ shape: [Int], packed: Int?, _ what: String) throws(FormatError) {
    switch shape.count {
    case 3:
      guard let packed, packed > 0 else {
        throw contractError("expected a number of heads for \(what) of 3 dimensions, found none")
      }
      guard shape[2] % packed == 0 else {
        throw contractError(
          "expected \(what)'s last extent to be a multiple of \(counted(packed, "head")), found \(shapeText(shape))")
      }
      (batch, heads, rows, size) = (shape[0], packed, shape[1], shape[2] / packed)
      (headStride, rowStride) = (size, shape[2])
    case 4:
      (batch, heads, rows, size) = (shape[0], shape[1], shape[2], shape[3])
      (headStride, rowStride) = (rows * size, size)
    default: throw contractError("expected \(what) of 3 or 4 dimensions, found \(shapeText(shape))")
    }
  }

  @inline(__always)
  func offset(_ batch: Int, _ head: Int, _ row: Int) -> Int {
    batch &* (heads &* rows &* size) &+ head &* headStride &+ row &* rowStride
  }
}

import ERIFormat

/// Looks for the simplest change that makes tensor B's values out of tensor A's.
struct ValueExplainer {
  let a: ElementView
  let b: ElementView
  /// Nil where the shapes differ.
  let difference: ValueDifference?

  /// The first explanation that holds for every element.
  func explanation() -> ValueExplanation? {
    guard let difference else {
      if a.count == b.count, a.count > 0, isEqual({ $0 }, exactly) { return .reshaped }
      return permutation()
    }
    if difference.differing == 0 {
      return .sameNumbers(
        a.dtype == b.dtype
          ? "with other bits: zeros of another sign or other codes of NaN"
          : "\(a.dtype.name) in A and \(b.dtype.name) in B")
    }
    return rounding() ?? quantization() ?? single(difference) ?? permutation() ?? reversal() ?? arithmetic(difference)
      ?? bytesOrRows()
  }

  /// Whether `test` holds between every element of B and the element of A at `place(index in B)`.
  private func isEqual(_ place: (Int) -> Int, _ test: (Double, Double) -> Bool) -> Bool {
    for index in 0..<b.count where !test(a[place(index)], b[index]) { return false }
    return true
  }

  private func exactly(_ x: Double, _ y: Double) -> Bool { isSame(x, y) }

  /// The roundings that could lie between the two, and which side they would have made.
  private var roundings: [(side: ValueExplanation.Side, rounding: Rounding)] {
    guard a.isFloat, b.isFloat else { return [] }
    var list: [(side: ValueExplanation.Side, rounding: Rounding)] = []
    for rounding in [Rounding.float32, .bfloat16, .float16, .bfloat16Cut] {
      list += [(.b, rounding), (.a, rounding)]
    }
    return list
  }

  private func rounding() -> ValueExplanation? {
    for (side, rounding) in roundings {
      let holds =
        side == .b
        ? isEqual({ $0 }) { isSame(rounding($0), $1) } : isEqual({ $0 }) { isSame($0, rounding($1)) }
      if holds { return .rounded(side, rounding.text) }
    }
    return nil
  }

  private func quantization() -> ValueExplanation? {
    for (side, view, other) in [(ValueExplanation.Side.b, b, a), (.a, a, b)] {
      guard view.step(0) > 0, other.isFloat else { continue }
      var holds = true
      for index in 0..<view.count where (view[index] - other[index]).magnitude > 0.500001 * view.step(index) {
        holds = false
        break
      }
      if holds { return .quantized(side) }
    }
    return nil
  }

  private func single(_ difference: ValueDifference) -> ValueExplanation? {
    guard difference.differing == 1, a.dtype == b.dtype else { return nil }
    let index = difference.worst
    let bits = a.bits(index) ^ b.bits(index)
    if bits.nonzeroBitCount == 1 {
      return .flippedBit(
        place: a.place(index), bit: bits.trailingZeroBitCount, from: a.text(index), to: b.text(index))
    }
    return .oneElement(place: a.place(index), from: a.text(index), to: b.text(index))
  }

  /// An order of A's axes that gives B, exactly or after a rounding of one side.
  private func permutation() -> ValueExplanation? {
    let rank = a.shape.count
    guard rank >= 2, rank <= 5, b.shape.count == rank, a.count == b.count, a.count > 0 else { return nil }
    var strides = [Int](repeating: 1, count: rank)
    for axis in (0..<rank - 1).reversed() { strides[axis] = strides[axis + 1] * a.shape[axis + 1] }
    for axes in ValueExplainer.permutations(rank) where axes != [Int](0..<rank) {
      guard zip(axes, b.shape).allSatisfy({ a.shape[$0] == $1 }) else { continue }
      let place: (Int) -> Int = { index in
        var rest = index
        var offset = 0
        for axis in (0..<rank).reversed() {
          offset += rest % b.shape[axis] * strides[axes[axis]]
          rest /= b.shape[axis]
        }
        return offset
      }
      if isEqual(place, exactly) { return .permuted(axes: axes, rounding: nil) }
      for (side, rounding) in roundings {
        let holds =
          side == .b
          ? isEqual(place) { isSame(rounding($0), $1) } : isEqual(place) { isSame($0, rounding($1)) }
        if holds { return .permuted(axes: axes, rounding: "\(side.rawValue) is \(rounding.text)") }
      }
    }
    return nil
  }

  /// All orders of so many axes, in lexicographic order.
  static func permutations(_ count: Int) -> [[Int]] {
    var orders: [[Int]] = [[]]
    for _ in 0..<count {
      orders = orders.flatMap { order in (0..<count).filter { !order.contains($0) }.map { order + [$0] } }
    }
    return orders
  }

  private func reversal() -> ValueExplanation? {
    var stride = 1
    for axis in a.shape.indices.reversed() {
      let extent = a.shape[axis]
      let step = stride
      stride *= extent
      guard extent > 1 else { continue }
      let place: (Int) -> Int = { index in
        let position = index / step % extent
        return index + (extent - 1 - 2 * position) * step
      }
      if isEqual(place, exactly) { return .reversed(axis: axis, extent: extent) }
    }
    return nil
  }

  /// One factor or summand for all, or a factor for every index of axis 0; up to a few roundings in float32.
  private func arithmetic(_ difference: ValueDifference) -> ValueExplanation? {
    guard a.count > 1, difference.largestAbsolute.isFinite, difference.magnitude > 0 else { return nil }
    if isEqual({ $0 }, { isSame(-$0, $1) }) { return .negated }
    guard let factor = factor(0..<a.count) else { return scaledRows() ?? shift(difference) }
    // Rounding alone is no factor.
    return (factor - 1).magnitude > ValueExplainer.roundingShare ? .scaled(factor) : nil
  }

  /// A few roundings in float32, as a share of the largest value.
  private static let roundingShare = 4e-7

  /// The factor that takes A's elements to B's in a range, up to rounding; nil: there is none.
  private func factor(_ range: Range<Int>) -> Double? {
    var largest = range.lowerBound
    for index in range where a[index].magnitude > a[largest].magnitude { largest = index }
    let (x, y) = (a[largest], b[largest])
    guard x != 0, y != 0, x.isFinite, y.isFinite else { return nil }
    let factor = y / x
    for index in range {
      guard (a[index] * factor - b[index]).magnitude <= ValueExplainer.roundingShare * y.magnitude else { return nil }
    }
    return factor
  }

  private func scaledRows() -> ValueExplanation? {
    guard a.shape.count >= 2, a.shape[0] > 1, a.shape[0] < a.count else { return nil }
    let width = a.count / a.shape[0]
    guard width > 2 else { return nil }
    var changed = false
    for row in 0..<a.shape[0] {
      let range = row * width..<(row + 1) * width
      if let factor = factor(range) {
        if (factor - 1).magnitude > ValueExplainer.roundingShare { changed = true }
        continue
      }
      // A row of zeros keeps any factor.
      for index in range where a[index] != 0 || b[index] != 0 { return nil }
    }
    return changed ? .scaledRows : nil
  }

  private func shift(_ difference: ValueDifference) -> ValueExplanation? {
    let offset = b[0] - a[0]
    guard offset != 0, offset.isFinite else { return nil }
    let bound = ValueExplainer.roundingShare * max(difference.magnitude, offset.magnitude)
    return isEqual({ $0 }) { ($0 + offset - $1).magnitude <= bound } ? .shifted(offset) : nil
  }

  private func bytesOrRows() -> ValueExplanation? {
    if a.dtype == b.dtype, a.dtype.byteCount > 1 {
      let shift = UInt64(64 - 8 * a.dtype.byteCount)
      var holds = true
      for index in 0..<a.count where a.bits(index).byteSwapped >> shift != b.bits(index) {
        holds = false
        break
      }
      if holds { return .swappedBytes }
    }
    guard a.dtype == b.dtype, let rows = a.shape.first, rows > 1, a.count / rows > 1 else { return nil }
    var unmatched: [[UInt8]: Int] = [:]
    for row in 0..<rows { unmatched[a.rowDigest(row, of: rows), default: 0] += 1 }
    for row in 0..<rows {
      let key = b.rowDigest(row, of: rows)
      guard let left = unmatched[key], left > 0 else { return nil }
      unmatched[key] = left - 1
    }
    return .reorderedRows
  }
}

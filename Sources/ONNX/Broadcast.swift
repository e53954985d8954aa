import ERIFormat

/// Operands of different shapes walked together, as NumPy broadcasts them: axes are aligned at the end, and an extent of 1 repeats.
struct Broadcast {
  let shape: [Int]
  /// Axes that every operand walks alike are merged; the last is walked by the innermost loop.
  private let extents: [Int]
  /// By operand and merged axis: elements from one index to the next, 0 where it repeats.
  private let strides: [[Int]]
  private let rows: Int

  init(_ shapes: [[Int]]) throws(FormatError) {
    let rank = shapes.map { $0.count }.max() ?? 0
    var shape = [Int](repeating: 1, count: rank)
    for operand in shapes {
      for (offset, extent) in operand.enumerated() {
        let axis = rank - operand.count + offset
        guard shape[axis] == extent || shape[axis] == 1 || extent == 1 else {
          throw contractError(
            "expected shapes that broadcast together, found \(joined(shapes.map(shapeText), separator: " and "))")
        }
        if shape[axis] == 1 { shape[axis] = extent }
      }
    }
    self.init(shape, shapes)
  }

  /// Operands whose shapes are known to broadcast to `shape`.
  private init(_ shape: [Int], _ shapes: [[Int]]) {
    self.shape = shape
    var extents: [Int] = []
    var strides = [[Int]](repeating: [], count: shapes.count)
    let own = shapes.map { Broadcast.strides($0, rank: shape.count) }
    for axis in shape.indices where shape[axis] != 1 {
      if let last = extents.last, own.indices.allSatisfy({ own[$0][axis] * shape[axis] == strides[$0].last }) {
        extents[extents.count - 1] = last * shape[axis]
        for operand in own.indices { strides[operand][extents.count - 1] = own[operand][axis] }
      } else {
        extents.append(shape[axis])
        for operand in own.indices { strides[operand].append(own[operand][axis]) }
      }
    }
    if extents.isEmpty {
      extents = [1]
      strides = strides.map { _ in [0] }
    }
    self.extents = extents
    self.strides = strides
    rows = extents.dropLast().reduce(1, *)
  }

  /// Requires that `shape` broadcasts to `target` without changing it.
  static func to(_ target: [Int], _ shape: [Int], _ what: String) throws(FormatError) -> Broadcast {
    let result = try Broadcast([target, shape])
    guard result.shape == target else {
      throw contractError("expected \(what) that broadcasts to \(shapeText(target)), found \(shapeText(shape))")
    }
    return result
  }

  private static func strides(_ shape: [Int], rank: Int) -> [Int] {
    var strides = [Int](repeating: 0, count: rank)
    var stride = 1
    for (axis, extent) in shape.enumerated().reversed() {
      if extent != 1 { strides[rank - shape.count + axis] = stride }
      stride *= extent
    }
    return strides
  }

  /// Calls `row` with the number of elements of a row, where it starts in the result, and where in each of up to three operands.
  @inline(__always)
  private func forEachRow(_ row: (_ count: Int, _ result: Int, _ starts: (Int, Int, Int)) -> Void) {
    let axes = extents.count - 1
    let count = extents[axes]
    guard count > 0, rows > 0 else { return }
    var indices = InlineArray<8, Int>(repeating: 0)
    var starts = (0, 0, 0)
    var result = 0
    for _ in 0..<rows {
      row(count, result, starts)
      result += count
      var axis = axes - 1
      while axis >= 0 {
        indices[axis] += 1
        starts.0 += strides[0][axis]
        if strides.count > 1 { starts.1 += strides[1][axis] }
        if strides.count > 2 { starts.2 += strides[2][axis] }
        if indices[axis] < extents[axis] { break }
        indices[axis] = 0
        starts.0 -= strides[0][axis] * extents[axis]
        if strides.count > 1 { starts.1 -= strides[1][axis] * extents[axis] }
        if strides.count > 2 { starts.2 -= strides[2][axis] * extents[axis] }
        axis -= 1
      }
    }
  }

  /// Calls `body` with each element's index in the result and in up to three operands.
  @inline(__always)
  func forEachElement(_ body: (_ result: Int, _ places: (Int, Int, Int)) -> Void) {
    let steps = (innermost(0), strides.count > 1 ? innermost(1) : 0, strides.count > 2 ? innermost(2) : 0)
    forEachRow { count, start, starts in
      for index in 0..<count {
        body(
          start + index, (starts.0 + index * steps.0, starts.1 + index * steps.1, starts.2 + index * steps.2))
      }
    }
  }

  private func innermost(_ operand: Int) -> Int { strides[operand][extents.count - 1] }

  /// result = f(a) for one operand.
  @inline(__always)
  func map<A, R>(_ a: UnsafePointer<A>, _ result: UnsafeMutablePointer<R>, _ f: (A) -> R) {
    let step = innermost(0)
    forEachRow { count, start, starts in
      let a = a + starts.0
      let result = result + start
      var index = 0
      while index < count {
        result[index] = f(a[index &* step])
        index &+= 1
      }
    }
  }

  /// result = f(a, b) for two operands.
  @inline(__always)
  func map<A, B, R>(
    _ a: UnsafePointer<A>, _ b: UnsafePointer<B>, _ result: UnsafeMutablePointer<R>, _ f: (A, B) -> R
  ) {
    let steps = (innermost(0), innermost(1))
    forEachRow { count, start, starts in
      let a = a + starts.0
      let b = b + starts.1
      let result = result + start
      var index = 0
      switch steps {
      case (1, 1):
        while index < count {
          result[index] = f(a[index], b[index])
          index &+= 1
        }
      case (1, 0):
        let b = b[0]
        while index < count {
          result[index] = f(a[index], b)
          index &+= 1
        }
      case (0, 1):
        let a = a[0]
        while index < count {
          result[index] = f(a, b[index])
          index &+= 1
        }
      default:
        while index < count {
          result[index] = f(a[index &* steps.0], b[index &* steps.1])
          index &+= 1
        }
      }
    }
  }

  /// result = f(a, b, c) for three operands.
  @inline(__always)
  func map<A, B, C, R>(
    _ a: UnsafePointer<A>, _ b: UnsafePointer<B>, _ c: UnsafePointer<C>, _ result: UnsafeMutablePointer<R>,
    _ f: (A, B, C) -> R
  ) {
    let steps = (innermost(0), innermost(1), innermost(2))
    forEachRow { count, start, starts in
      let a = a + starts.0
      let b = b + starts.1
      let c = c + starts.2
      let result = result + start
      var index = 0
      while index < count {
        result[index] = f(a[index &* steps.0], b[index &* steps.1], c[index &* steps.2])
        index &+= 1
      }
    }
  }
}

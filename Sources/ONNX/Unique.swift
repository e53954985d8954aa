import ERIFormat

/// Each element, or each slice along an axis, once.
extension ONNXNode {
  func uniqueKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    try outputs(4)
    let x = try operand(0, "x")
    var axis: Int?
    if let given = try integer("axis") { axis = try self.axis(given, rank: x.shape.count) }
    let type = axis == nil ? try BoundType(x.dtype, [x.type.elements]) : x.type
    let maker = UniqueKernel(x: type, axis: axis ?? 0, isSorted: try flag("sorted", default: true))
    return x.dtype == .bool ? try maker.kernel(UInt8.self) : try numberKernel(x, "x", maker)
  }
}

private struct UniqueKernel: NumberKernel {
  let x: BoundType
  let axis: Int
  let isSorted: Bool

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let count = x.shape[axis]
    let rows = x.shape.prefix(axis).reduce(1, *)
    let slices = Slices<Element>(count: count, rows: rows, width: x.strides[axis])
    let (axis, isSorted) = (axis, isSorted)
    let indices = try BoundType(.i64, [count])
    return ONNXKernel(
      [x, indices, indices, indices], dataSizedAxes: [axis, 0, nil, 0],
      scratchBytes: 3 * MemoryLayout<Int>.stride * count
    ) { memory in
      let values: UnsafePointer<Element> = memory.input(0)
      let firsts: UnsafeMutablePointer<Int64> = memory.output(1)
      let inverse: UnsafeMutablePointer<Int64> = memory.output(2)
      let counts: UnsafeMutablePointer<Int64> = memory.output(3)
      // Slices in ascending order, those that are the same in the order they come in.
      let order: UnsafeMutablePointer<Int> = memory.scratch()
      let spare = order + count
      let groups = spare + count
      for index in 0..<count { order[index] = index }
      mergeSort(order, spare, count) { slices.compare(values, $0, $1) < 0 }
      var found = 0
      for position in 0..<count {
        let slice = order[position]
        if position == 0 || slices.compare(values, order[position &- 1], slice) != 0 {
          firsts[found] = Int64(slice)
          counts[found] = 0
          found &+= 1
        }
        counts[found &- 1] &+= 1
        inverse[slice] = Int64(found &- 1)
      }
      if !isSorted {
        for group in 0..<found { groups[group] = group }
        mergeSort(groups, spare, found) { firsts[$0] < firsts[$1] }
        // From here on `order` is a group's new place.
        for place in 0..<found { order[groups[place]] = place }
        for index in 0..<count { inverse[index] = Int64(order[Int(inverse[index])]) }
        permute(firsts, groups, spare, found)
        permute(counts, groups, spare, found)
      }
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for row in 0..<rows {
        for group in 0..<found {
          (y + (row &* found &+ group) &* slices.width).update(
            from: slices.start(values, Int(firsts[group]), row), count: slices.width)
        }
      }
      memory.extents[0] = found
      memory.extents[1] = found
      memory.extents[3] = found
      return nil
    }
  }
}

/// What lies at each index of an axis.
private struct Slices<Element: ONNXNumber> {
  let count: Int
  let rows: Int
  let width: Int

  @inline(__always) func start(_ values: UnsafePointer<Element>, _ slice: Int, _ row: Int) -> UnsafePointer<Element> {
    values + (row &* count &+ slice) &* width
  }

  /// Below 0 where slice `a` comes before slice `b`, 0 where they are the same; NaN comes last and equals itself.
  func compare(_ values: UnsafePointer<Element>, _ a: Int, _ b: Int) -> Int {
    for row in 0..<rows {
      let left = start(values, a, row)
      let right = start(values, b, row)
      for index in 0..<width {
        let (x, y) = (left[index], right[index])
        if x < y { return -1 }
        if y < x { return 1 }
        if x.isNotNumber != y.isNotNumber { return x.isNotNumber ? 1 : -1 }
      }
    }
    return 0
  }
}

/// Puts element `order[i]` of what there was at place i.
private func permute(
  _ values: UnsafeMutablePointer<Int64>, _ order: UnsafePointer<Int>, _ spare: UnsafeMutablePointer<Int>, _ count: Int
) {
  for index in 0..<count { spare[index] = Int(values[index]) }
  for index in 0..<count { values[index] = Int64(spare[order[index]]) }
}

/// Sorts numbers without changing the order of those that are neither before the other.
func mergeSort(
  _ values: UnsafeMutablePointer<Int>, _ spare: UnsafeMutablePointer<Int>, _ count: Int,
  _ isBefore: (Int, Int) -> Bool
) {
  var width = 1
  while width < count {
    var start = 0
    while start < count {
      let middle = min(start + width, count)
      let end = min(middle + width, count)
      var (left, right, next) = (start, middle, start)
      while next < end {
        let takesRight = left == middle || (right < end && isBefore(values[right], values[left]))
        spare[next] = values[takesRight ? right : left]
        if takesRight { right &+= 1 } else { left &+= 1 }
        next &+= 1
      }
      start = end
    }
    values.update(from: spare, count: count)
    width *= 2
  }
}

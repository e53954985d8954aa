import ERIFormat

/// The elements in another order, some of them, or some repeatedly: each one a strided copy.
extension ONNXNode {
  func rearrangingKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    let maker: StridedCopyKernel
    switch op.name {
    case "Transpose": maker = try transposed(x.type)
    case "DepthToSpace": maker = try depthToSpace(x.type)
    case "SpaceToDepth": maker = try spaceToDepth(x.type)
    case "Expand": maker = try expanded(x.type)
    case "Tile": maker = try tiled(x.type)
    default: maker = try sliced(x.type)
    }
    return try maker.kernel(for: x.dtype)
  }

  private func transposed(_ x: BoundType) throws(FormatError) -> StridedCopyKernel {
    try arity(1, 1)
    let rank = x.shape.count
    let order = try integers("perm") ?? Array((0..<rank).reversed())
    let axes = try self.axes(order, rank: rank)
    guard axes.count == rank else {
      throw contractError("expected a permutation of \(counted(rank, "axis")), found \(shapeText(order))")
    }
    let strides = x.strides
    let shape = axes.map { x.shape[$0] }
    return StridedCopyKernel(
      result: try BoundType(x.dtype, shape), copy: StridedCopy(shape, sourceStrides: axes.map { strides[$0] }))
  }

  // MARK: Blocks

  /// An image's type and the blocks' size.
  private func blocks(_ x: BoundType) throws(FormatError) -> Int {
    try arity(1, 1)
    guard x.shape.count == 4 else { throw contractError("expected x of 4 dimensions, found \(shapeText(x.shape))") }
    let size = try integer("blocksize", default: 0)
    guard (1...Limits.window).contains(size) else {
      throw contractError("expected a blocksize from 1 to \(Limits.window), found \(size)")
    }
    return size
  }

  /// Whether the channels count whole images before places in a block.
  private func countsColumnsFirst() throws(FormatError) -> Bool {
    let mode = try text("mode", default: "DCR")
    guard mode == "DCR" || mode == "CRD" else { throw contractError("expected mode DCR or CRD, found \"\(mode)\"") }
    return mode == "CRD"
  }

  private func depthToSpace(_ x: BoundType) throws(FormatError) -> StridedCopyKernel {
    let size = try blocks(x)
    guard x.shape[1] % (size * size) == 0 else {
      throw contractError("expected channels in multiples of \(size * size), found \(x.shape[1])")
    }
    let channels = x.shape[1] / (size * size)
    let (height, width) = (x.shape[2], x.shape[3])
    let plane = height * width
    let result = try BoundType(x.dtype, [x.shape[0], channels, height * size, width * size])
    let columnsFirst = try countsColumnsFirst()
    let place = columnsFirst ? plane : channels * plane
    return StridedCopyKernel(
      result: result,
      copy: StridedCopy(
        [x.shape[0], channels, height, size, width, size],
        sourceStrides: [
          x.shape[1] * plane, columnsFirst ? size * size * plane : plane, width, size * place, 1, place,
        ]))
  }

  private func spaceToDepth(_ x: BoundType) throws(FormatError) -> StridedCopyKernel {
    let size = try blocks(x)
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    guard height % size == 0, width % size == 0 else {
      throw contractError("expected height and width in multiples of \(size), found \(height) and \(width)")
    }
    guard let depth = elementProduct([channels, size, size]) else {
      throw contractError("expected channels within the limits, found \(channels) in blocks of \(size)")
    }
    let result = try BoundType(x.dtype, [x.shape[0], depth, height / size, width / size])
    let plane = height * width
    let image = [height / size, width / size]
    let steps = [size * width, size]
    let columnsFirst = try countsColumnsFirst()
    return StridedCopyKernel(
      result: result,
      copy: StridedCopy(
        [x.shape[0]] + (columnsFirst ? [channels, size, size] : [size, size, channels]) + image,
        sourceStrides: [channels * plane] + (columnsFirst ? [plane, width, 1] : [width, 1, plane]) + steps))
  }

  // MARK: Repetitions

  private func expanded(_ x: BoundType) throws(FormatError) -> StridedCopyKernel {
    try arity(2, 2)
    let wanted = try integers(1, "shape") ?? []
    let rank = max(wanted.count, x.shape.count)
    let before = [Int](repeating: 1, count: rank - x.shape.count) + x.shape
    let after = [Int](repeating: 1, count: rank - wanted.count) + wanted
    var shape: [Int] = []
    for (extent, target) in zip(before, after) {
      guard extent == target || extent == 1 || target == 1 else {
        throw contractError("expected a shape that \(shapeText(x.shape)) extends to, found \(shapeText(wanted))")
      }
      shape.append(extent == 1 ? target : extent)
    }
    let result = try BoundType(x.dtype, shape)
    let strides = [Int](repeating: 0, count: rank - x.shape.count) + x.strides
    return StridedCopyKernel(
      result: result,
      copy: StridedCopy(shape, sourceStrides: zip(before, strides).map { $0 == 1 ? 0 : $1 }))
  }

  private func tiled(_ x: BoundType) throws(FormatError) -> StridedCopyKernel {
    try arity(2, 2)
    let repeats = try integers(1, "repeats") ?? []
    guard repeats.count == x.shape.count, repeats.allSatisfy({ $0 >= 0 }) else {
      throw contractError(
        "expected \(counted(x.shape.count, "repeat")) of at least 0, found \(shapeText(repeats))")
    }
    var shape: [Int] = []
    var parts: [Int] = []
    var strides: [Int] = []
    for (axis, stride) in x.strides.enumerated() {
      guard let extent = elementProduct([repeats[axis], x.shape[axis]]) else {
        throw contractError("expected extents within the limits, found \(repeats[axis]) times \(x.shape[axis])")
      }
      shape.append(extent)
      parts += [repeats[axis], x.shape[axis]]
      strides += [0, stride]
    }
    return StridedCopyKernel(
      result: try BoundType(x.dtype, shape), copy: StridedCopy(parts, sourceStrides: strides))
  }

  // MARK: Slices

  private func sliced(_ x: BoundType) throws(FormatError) -> StridedCopyKernel {
    try arity(op.opset < 10 ? 1 : 3, op.opset < 10 ? 1 : 5)
    guard let starts = try integers(1, orAttribute: "starts"), let ends = try integers(2, orAttribute: "ends") else {
      throw contractError("expected starts and ends, found none")
    }
    let axes = try self.axes(
      try integers(3, orAttribute: "axes") ?? Array(starts.indices), rank: x.shape.count)
    let steps = try integers(4, "steps") ?? [Int](repeating: 1, count: starts.count)
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
      throw contractError(
        "expected as many ends, axes and steps as starts, found \(starts.count), \(ends.count), \(axes.count) and \(steps.count)"
      )
    }
    var shape = x.shape
    var strides = x.strides
    var offset = 0
    for (index, axis) in axes.enumerated() {
      guard steps[index] != 0 else { throw contractError("expected steps other than 0, found 0") }
      let part = Slice(starts[index], ends[index], step: steps[index], extent: x.shape[axis])
      shape[axis] = part.count
      offset += part.first * strides[axis]
      strides[axis] *= part.step
    }
    return StridedCopyKernel(
      result: try BoundType(x.dtype, shape),
      copy: StridedCopy(shape, sourceStrides: strides, sourceOffset: shape.contains(0) ? 0 : offset))
  }
}

/// Every `step`th index from one to before another.
private struct Slice {
  let first: Int
  let step: Int
  let count: Int

  /// Negative indices count from the end; those outside are taken as the nearest that the direction allows.
  init(_ start: Int, _ end: Int, step: Int, extent: Int) {
    // No step beyond the extent changes anything.
    let step = min(max(step, -extent - 1), extent + 1)
    let start = start < 0 ? start + extent : start
    let end = end < 0 ? end + extent : end
    let distance: Int
    if step > 0 {
      first = min(max(start, 0), extent)
      distance = min(max(end, 0), extent) - first
    } else {
      first = max(min(start, extent - 1), 0)
      distance = extent == 0 ? 0 : first - max(min(end, extent - 1), -1)
    }
    count = distance <= 0 ? 0 : (distance + abs(step) - 1) / abs(step)
    self.step = count > 1 ? step : 0
  }
}

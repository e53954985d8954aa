import ERIFormat

/// Pairs of each head's elements, rotated by the angle of their row's position.
extension ONNXNode {
  func rotaryEmbeddingKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 4)
    try outputs(1)
    let rotation = try Rotation(self)
    let type = try operand(0, "x").type
    return type.dtype == .f64 ? rotation.kernel(type, Double.self) : rotation.kernel(type, Float.self)
  }
}

private struct Rotation {
  let x: HeadRows
  /// Pairs that are rotated, of each head's first 2 · pairs elements.
  let pairs: Int
  let isInterleaved: Bool
  /// Rows of the table of angles, where positions choose among them.
  let positions: Int?
  /// Rows from one batch to the next of a table without positions: 0 for one that serves all.
  let batchStride: Int

  init(_ node: ONNXNode) throws(FormatError) {
    let x = try node.operand(0, "x")
    let cosines = try node.operand(1, "cos_cache")
    let sines = try node.operand(2, "sin_cache")
    try node.require(x, "x", [.f32, .f64])
    try node.require(cosines, "cos_cache", [x.dtype])
    try node.require(sines, "sin_cache", [x.dtype])
    let rows = try HeadRows(x.shape, packed: try node.integer("num_heads"), "x")
    let given = try node.integer("rotary_embedding_dim", default: 0)
    let rotated = given == 0 ? rows.size : given
    guard rotated >= 0, rotated <= rows.size, rotated % 2 == 0 else {
      throw contractError("expected an even number of elements to rotate, up to \(rows.size), found \(rotated)")
    }
    (self.x, pairs) = (rows, rotated / 2)
    isInterleaved = try node.flag("interleaved")
    let table: [Int]
    if let ids = node.optional(3) {
      try node.require(ids, "position_ids", [.i64])
      guard ids.shape == [rows.batch, rows.rows] else {
        throw contractError(
          "expected position_ids \(shapeText([rows.batch, rows.rows])), found \(shapeText(ids.shape))")
      }
      positions = cosines.shape.first ?? 0
      batchStride = 0
      table = [positions ?? 0, pairs]
    } else {
      positions = nil
      let batches = cosines.shape.first == 1 ? 1 : rows.batch
      batchStride = batches == 1 ? 0 : rows.rows
      table = [batches, rows.rows, pairs]
    }
    guard cosines.shape == table, sines.shape == table else {
      throw contractError(
        "expected cos_cache and sin_cache \(shapeText(table)), found \(shapeText(cosines.shape)) and \(shapeText(sines.shape))"
      )
    }
  }

  func kernel<T: ONNXReal>(_ result: BoundType, _ type: T.Type) -> ONNXKernel {
    let rotation = self
    return ONNXKernel([result]) { memory in
      for batch in 0..<rotation.x.batch {
        for row in 0..<rotation.x.rows {
          var angle = batch &* rotation.batchStride &+ row
          if let extent = rotation.positions {
            let position = memory.input(3, as: Int64.self)[batch &* rotation.x.rows &+ row]
            guard position >= -extent, position < extent else {
              return .indexOutOfRange(index: Int(clamping: position), extent: extent)
            }
            angle = Int(position) &+ (position < 0 ? extent : 0)
          }
          for head in 0..<rotation.x.heads {
            rotation.rotate(memory, angle, rotation.x.offset(batch, head, row), T.self)
          }
        }
      }
      return nil
    }
  }

  private func rotate<T: ONNXReal>(_ memory: ONNXMemory, _ angle: Int, _ offset: Int, _ type: T.Type) {
    let source = memory.input(0, as: T.self) + offset
    let target = memory.output(0, as: T.self) + offset
    let cosines = memory.input(1, as: T.self) + angle &* pairs
    let sines = memory.input(2, as: T.self) + angle &* pairs
    let (step, distance) = isInterleaved ? (2, 1) : (1, pairs)
    for pair in 0..<pairs {
      let first = pair &* step
      let second = first &+ distance
      let (a, b) = (source[first], source[second])
      target[first] = cosines[pair] * a - sines[pair] * b
      target[second] = sines[pair] * a + cosines[pair] * b
    }
    (target + 2 &* pairs).update(from: source + 2 &* pairs, count: x.size &- 2 &* pairs)
  }
}

import ERIFormat

/// The mask of an attention: bools that allow keys, or numbers added to the scores.
struct AttentionMask {
  /// Keys that it speaks of; those after them are not seen.
  let keys: Int
  private let isBoolean: Bool
  private let batchStride: Int
  private let headStride: Int
  private let queryStride: Int
  private let keyStride: Int

  /// Operand 3 against [batch, heads, queries, keys]; nil where it is left out.
  init?(_ node: ONNXNode, _ full: [Int]) throws(FormatError) {
    guard let mask = node.optional(3) else { return nil }
    try node.require(mask, "attn_mask", [.bool, try node.operand(0, "q").dtype])
    let shape = mask.shape
    let missing = full.count - shape.count
    let extents = [Int](repeating: 1, count: max(missing, 0)) + shape
    // From operator set 24 on a shorter mask is filled up, and 1 is short; before, 1 is broadcast.
    let isBroadcast = node.op.opset < 24 && extents.last == 1
    guard missing >= 0, (0..<3).allSatisfy({ extents[$0] == full[$0] || extents[$0] == 1 }),
      extents[3] == full[3] || isBroadcast || node.op.opset >= 24 && extents[3] < full[3]
    else {
      throw contractError(
        "expected attn_mask to be broadcastable to \(shapeText(full)), found \(shapeText(shape))")
    }
    isBoolean = mask.dtype == .bool
    keys = isBroadcast ? full[3] : extents[3]
    keyStride = isBroadcast ? 0 : 1
    queryStride = extents[2] == 1 ? 0 : extents[3]
    headStride = extents[1] == 1 ? 0 : extents[2] * extents[3]
    batchStride = extents[0] == 1 ? 0 : extents[1] * extents[2] * extents[3]
  }

  /// Applies it to a row of scores and tells whether any key is left.
  func apply<T: ONNXReal>(
    _ memory: ONNXMemory, _ batch: Int, _ head: Int, _ query: Int, _ seen: Range<Int>, _ row: UnsafeMutablePointer<T>
  ) -> Bool {
    let offset = batch &* batchStride &+ head &* headStride &+ query &* queryStride
    var isSeeing = false
    if isBoolean {
      let allowed = memory.input(3, as: UInt8.self) + offset
      for key in seen {
        if allowed[key &* keyStride] != 0 { isSeeing = true } else { row[key] = -T.infinity }
      }
    } else {
      let bias = memory.input(3, as: T.self) + offset
      for key in seen {
        let value = bias[key &* keyStride]
        // Set rather than added: no score, not even NaN, brings back a key that is hidden.
        if value == -T.infinity { row[key] = value } else { (row[key], isSeeing) = (row[key] + value, true) }
      }
    }
    return isSeeing
  }
}

import CERISystem
import ERIFormat

/// Attention without softmax: a state by head that every token decays, corrects and reads.
extension ONNXNode {
  func linearAttentionKernel() throws(FormatError) -> ONNXKernel {
    try arity(3, 6)
    try outputs(2)
    let recurrence = try LinearRecurrence(self)
    let dtype = try operand(0, "query").dtype
    let (q, v) = (recurrence.q, recurrence.v)
    let packed = try BoundType(dtype, [q.batch, q.rows, q.heads, v.size])
    let results = [
      try BoundType(dtype, [q.batch, q.rows, packed.shape[2] * packed.shape[3]]),
      try BoundType(dtype, [q.batch, v.heads, q.size, v.size]),
    ]
    return dtype == .f64 ? recurrence.kernel(results, Double.self) : recurrence.kernel(results, Float.self)
  }
}

private struct LinearRecurrence {
  let q: HeadRows
  let k: HeadRows
  let v: HeadRows
  let hasState: Bool
  /// Elements of decay by token; nil: none. By head it has 1 or as many as a key.
  let decay: HeadRows?
  /// Rates by token: one of each head, or one of all.
  let rates: Int?
  let scale: Double

  init(_ node: ONNXNode) throws(FormatError) {
    let query = try node.operand(0, "query")
    try node.require(query, "query", [.f32, .f64])
    for (index, name) in [(1, "key"), (2, "value"), (3, "past_state"), (4, "decay"), (5, "beta")] {
      if index < 3 { _ = try node.operand(index, name) }
      if let operand = node.optional(index) { try node.require(operand, name, [query.dtype]) }
    }
    guard let queryHeads = try node.integer("q_num_heads"), let heads = try node.integer("kv_num_heads"),
      heads > 0, queryHeads > 0, queryHeads % heads == 0
    else { throw contractError("expected q_num_heads to be a multiple of kv_num_heads, found other numbers") }
    q = try LinearRecurrence.rows(node, 0, queryHeads, "query")
    k = try LinearRecurrence.rows(node, 1, heads, "key")
    v = try LinearRecurrence.rows(node, 2, heads, "value")
    guard k.batch == q.batch, v.batch == q.batch, k.rows == q.rows, v.rows == q.rows, k.size == q.size else {
      throw contractError(
        "expected query, key and value to agree in batch, tokens and head size, found \(q.batch) × \(q.rows) × \(q.size), \(k.batch) × \(k.rows) × \(k.size) and \(v.batch) × \(v.rows)"
      )
    }
    hasState = try LinearRecurrence.state(node, [q.batch, heads, q.size, v.size])
    let rule = try node.text("update_rule", default: "gated_delta")
    guard ["linear", "gated", "delta", "gated_delta"].contains(rule) else {
      throw contractError("expected update_rule linear, gated, delta or gated_delta, found \(rule)")
    }
    let isGated = rule == "gated" || rule == "gated_delta"
    let isDelta = rule == "delta" || rule == "gated_delta"
    guard isGated == (node.optional(4) != nil), isDelta == (node.optional(5) != nil) else {
      throw contractError(
        "expected \(isGated ? "decay" : "no decay") and \(isDelta ? "beta" : "no beta") with update_rule \(rule), found otherwise"
      )
    }
    decay = isGated ? try LinearRecurrence.rows(node, 4, heads, "decay") : nil
    if let decay, decay.batch != q.batch || decay.rows != q.rows || decay.size != 1 && decay.size != q.size {
      throw contractError(
        "expected decay by token of \(heads) or \(heads * q.size) elements, found \(decay.heads * decay.size)")
    }
    let beta = node.optional(5)?.shape
    rates = beta?.last
    if let beta, beta != [q.batch, q.rows, heads], beta != [q.batch, q.rows, 1] {
      throw contractError(
        "expected beta \(shapeText([q.batch, q.rows, heads])), with 1 or \(heads) at the end, found \(shapeText(beta))")
    }
    let given = try node.number("scale", default: 0)
    scale = given == 0 ? 1 / eri_sqrt(Double(max(q.size, 1))) : Double(given)
  }

  private static func rows(_ node: ONNXNode, _ index: Int, _ heads: Int, _ what: String) throws(FormatError)
    -> HeadRows
  {
    let shape = try node.operand(index, what).shape
    guard shape.count == 3 else {
      throw contractError("expected \(what) of 3 dimensions, found \(shapeText(shape))")
    }
    return try HeadRows(shape, packed: heads, what)
  }

  private static func state(_ node: ONNXNode, _ shape: [Int]) throws(FormatError) -> Bool {
    guard let state = node.optional(3) else { return false }
    guard state.shape == shape else {
      throw contractError("expected past_state \(shapeText(shape)), found \(shapeText(state.shape))")
    }
    return true
  }

  func kernel<T: ONNXReal>(_ results: [BoundType], _ type: T.Type) -> ONNXKernel {
    let (recurrence, count) = (self, results[1].elements)
    return ONNXKernel(results, scratchBytes: v.size * MemoryLayout<T>.stride) { memory in
      let states = memory.output(1, as: T.self)
      if recurrence.hasState {
        states.update(from: memory.input(3), count: count)
      } else {
        states.update(repeating: 0, count: count)
      }
      let size = recurrence.q.size &* recurrence.v.size
      for batch in 0..<recurrence.v.batch {
        for head in 0..<recurrence.v.heads {
          let state = states + (batch &* recurrence.v.heads &+ head) &* size
          for token in 0..<recurrence.v.rows {
            recurrence.update(memory, state, batch, head, token)
            recurrence.read(memory, state, batch, head, token)
          }
        }
      }
      return nil
    }
  }

  private func update<T: ONNXReal>(
    _ memory: ONNXMemory, _ state: UnsafeMutablePointer<T>, _ batch: Int, _ head: Int, _ token: Int
  ) {
    let key = memory.input(1, as: T.self) + k.offset(batch, head, token)
    let value = memory.input(2, as: T.self) + v.offset(batch, head, token)
    if let decay {
      let gates = memory.input(4, as: T.self) + decay.offset(batch, head, token)
      for row in 0..<k.size {
        let factor = T.exponential(gates[decay.size == 1 ? 0 : row])
        for column in 0..<v.size { state[row &* v.size &+ column] *= factor }
      }
    }
    // What is added along the key: the value, or the rate's share of what the state still lacks of it.
    let added: UnsafeMutablePointer<T> = memory.scratch()
    added.update(from: value, count: v.size)
    if let rates {
      for row in 0..<k.size { accumulate(-key[row], state + row &* v.size, into: added, v.size) }
      let rate = memory.input(5, as: T.self)[(batch &* q.rows &+ token) &* rates &+ (rates == 1 ? 0 : head)]
      for column in 0..<v.size { added[column] *= rate }
    }
    for row in 0..<k.size { accumulate(key[row], added, into: state + row &* v.size, v.size) }
  }

  /// Every query head that shares the state.
  private func read<T: ONNXReal>(
    _ memory: ONNXMemory, _ state: UnsafeMutablePointer<T>, _ batch: Int, _ head: Int, _ token: Int
  ) {
    let group = q.heads / v.heads
    for reader in head &* group..<(head &+ 1) &* group {
      let query = memory.input(0, as: T.self) + q.offset(batch, reader, token)
      let target = memory.output(0, as: T.self) + ((batch &* q.rows &+ token) &* q.heads &+ reader) &* v.size
      target.update(repeating: 0, count: v.size)
      for row in 0..<q.size { accumulate(T(scale) * query[row], state + row &* v.size, into: target, v.size) }
    }
  }
}

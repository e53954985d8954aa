import CERISystem
import ERIFormat

/// Softmax(scale · q kᵀ + mask) v by heads, with caches of keys and values.
extension ONNXNode {
  func attentionKernel() throws(FormatError) -> ONNXKernel {
    let isFlexible = op.name == "FlexAttention"
    try arity(3, isFlexible ? 3 : op.opset < 24 ? 6 : 7)
    try outputs(isFlexible ? 1 : 4)
    let plan = try AttentionPlan(self)
    let results = try plan.results(self)
    return try operand(0, "q").dtype == .f64
      ? plan.kernel(results, Double.self) : plan.kernel(results, Float.self)
  }
}

/// What an attention's run needs to know.
private struct AttentionPlan {
  let q: HeadRows
  let k: HeadRows
  let v: HeadRows
  let y: HeadRows
  /// Keys that come before `k`, and all keys.
  let past: Int
  let total: Int
  let mask: AttentionMask?
  /// Whether operand 6 tells by batch how many keys are none of padding.
  let countsKeys: Bool
  let isCausal: Bool
  /// Keys seen to either side of a query's own position; nil: all.
  let left: Int?
  let right: Int?
  let scale: Double
  /// 0: none.
  let softcap: Double
  let scores: ScoreOutput?

  /// What the fourth output holds.
  enum ScoreOutput: Int {
    case product, capped, biased, probabilities
  }

  init(_ node: ONNXNode) throws(FormatError) {
    let query = try node.operand(0, "q")
    let key = try node.operand(1, "k")
    let value = try node.operand(2, "v")
    try node.require(query, "q", [.f32, .f64])
    try node.require(key, "k", [query.dtype])
    try node.require(value, "v", [query.dtype])
    guard query.shape.count == key.shape.count, key.shape.count == value.shape.count else {
      throw contractError(
        "expected q, k and v of as many dimensions, found \(shapeText(query.shape)), \(shapeText(key.shape)) and \(shapeText(value.shape))"
      )
    }
    let queryHeads = try node.integer("q_num_heads")
    let keyHeads = try node.integer("kv_num_heads")
    q = try HeadRows(query.shape, packed: queryHeads, "q")
    k = try HeadRows(key.shape, packed: keyHeads, "k")
    v = try HeadRows(value.shape, packed: keyHeads, "v")
    guard k.batch == q.batch, v.batch == q.batch, k.size == q.size, v.heads == k.heads, v.rows == k.rows else {
      throw contractError(
        "expected q, k and v to agree in batch, heads, keys and head size, found \(shapeText(query.shape)), \(shapeText(key.shape)) and \(shapeText(value.shape))"
      )
    }
    guard k.heads == q.heads || k.heads > 0 && q.heads % k.heads == 0 else {
      throw contractError("expected the heads of q to be a multiple of k's, found \(q.heads) and \(k.heads)")
    }
    past = try AttentionPlan.past(node, k, v)
    total = past + k.rows
    y = try HeadRows(AttentionPlan.outputShape(query.shape, q, v), packed: q.heads, "y")
    mask = try AttentionMask(node, [q.batch, q.heads, q.rows, total])
    countsKeys = try AttentionPlan.countsKeys(node, q.batch)
    isCausal = try node.flag("is_causal")
    left = try AttentionPlan.window(node, "left_window_size")
    right = try AttentionPlan.window(node, "right_window_size")
    scale = try node.number("scale").map { Double($0) } ?? 1 / eri_sqrt(Double(max(q.size, 1)))
    softcap = Double(try node.number("softcap", default: 0))
    scores = try AttentionPlan.scores(node)
    // Whatever precision is asked for, sums are taken in float64.
    if let precision = try node.integer("softmax_precision"), ![1, 10, 11, 16].contains(precision) {
      throw contractError("expected softmax_precision 1, 10, 11 or 16, found \(precision)")
    }
  }

  private static func past(_ node: ONNXNode, _ k: HeadRows, _ v: HeadRows) throws(FormatError) -> Int {
    let keys = node.optional(4)
    let values = node.optional(5)
    guard let keys, let values else {
      guard keys == nil, values == nil else {
        throw contractError("expected past_key and past_value together, found one of them")
      }
      return 0
    }
    try node.require(keys, "past_key", [try node.operand(1, "k").dtype])
    try node.require(values, "past_value", [try node.operand(2, "v").dtype])
    guard keys.shape.count == 4, keys.shape == [k.batch, k.heads, keys.shape[2], k.size],
      values.shape == [v.batch, v.heads, keys.shape[2], v.size]
    else {
      throw contractError(
        "expected past_key and past_value of \(k.batch) × \(counted(k.heads, "head")) and sizes \(k.size) and \(v.size), found \(shapeText(keys.shape)) and \(shapeText(values.shape))"
      )
    }
    return keys.shape[2]
  }

  private static func outputShape(_ shape: [Int], _ q: HeadRows, _ v: HeadRows) throws(FormatError) -> [Int] {
    let wide = shape.count == 3 ? [q.batch, q.rows, q.heads, v.size] : [q.batch, q.heads, q.rows, v.size]
    let type = try BoundType(.f32, wide)
    return shape.count == 3 ? [q.batch, q.rows, q.heads * v.size] : type.shape
  }

  private static func countsKeys(_ node: ONNXNode, _ batch: Int) throws(FormatError) -> Bool {
    guard let counts = node.optional(6) else { return false }
    try node.require(counts, "nonpad_kv_seqlen", [.i64])
    guard counts.shape == [batch] else {
      throw contractError("expected nonpad_kv_seqlen \(shapeText([batch])), found \(shapeText(counts.shape))")
    }
    guard node.optional(4) == nil else {
      throw contractError("expected past_key or nonpad_kv_seqlen, found both")
    }
    return true
  }

  private static func window(_ node: ONNXNode, _ name: String) throws(FormatError) -> Int? {
    let size = try node.integer(name, default: -1)
    guard size >= -1 else { throw contractError("expected \(name) of at least -1, found \(size)") }
    return size < 0 ? nil : min(size, Limits.elements)
  }

  private static func scores(_ node: ONNXNode) throws(FormatError) -> ScoreOutput? {
    let mode = try node.integer("qk_matmul_output_mode", default: 0)
    guard let output = ScoreOutput(rawValue: mode) else {
      throw contractError("expected qk_matmul_output_mode from 0 to 3, found \(mode)")
    }
    return node.outputCount > 3 ? output : nil
  }

  func results(_ node: ONNXNode) throws(FormatError) -> [BoundType] {
    let dtype = try node.operand(0, "q").dtype
    let shape = try AttentionPlan.outputShape(try node.operand(0, "q").shape, q, v)
    let all = [
      shape, [k.batch, k.heads, total, k.size], [v.batch, v.heads, total, v.size], [q.batch, q.heads, q.rows, total],
    ]
    var results: [BoundType] = []
    // Those that nobody reads would take memory, the scores more than all else.
    for shape in all.prefix(max(node.outputCount, 1)) { results.append(try BoundType(dtype, shape)) }
    return results
  }

  func kernel<T: ONNXReal>(_ results: [BoundType], _ type: T.Type) -> ONNXKernel {
    let (plan, count) = (self, results.count)
    return ONNXKernel(results, scratchBytes: total * MemoryLayout<T>.stride) { memory in
      let keys = CachedRows<T>(memory, 4, plan.past, memory.input(1), plan.k)
      let values = CachedRows<T>(memory, 5, plan.past, memory.input(2), plan.v)
      if count > 1 { keys.copy(memory.output(1), plan.total) }
      if count > 2 { values.copy(memory.output(2), plan.total) }
      for batch in 0..<plan.q.batch {
        for head in 0..<plan.q.heads {
          for query in 0..<plan.q.rows { plan.attend(memory, keys, values, batch, head, query) }
        }
      }
      return nil
    }
  }

  /// One query: its scores, their softmax, and the mean of values that it weighs.
  private func attend<T: ONNXReal>(
    _ memory: ONNXMemory, _ keys: CachedRows<T>, _ values: CachedRows<T>, _ batch: Int, _ head: Int, _ query: Int
  ) {
    let row: UnsafeMutablePointer<T> = memory.scratch()
    let kept: UnsafeMutablePointer<T>? = scores.map { _ in
      memory.output(3, as: T.self) + ((batch &* q.heads &+ head) &* q.rows &+ query) &* total
    }
    let group = head / (q.heads / k.heads)
    let vector = memory.input(0, as: T.self) + q.offset(batch, head, query)
    let seen = visible(memory, batch, query)
    let computed = scores == .product || scores == .capped ? 0..<total : seen
    for key in computed {
      row[key] = dot(vector, keys.row(batch, group, key), q.size) * T(scale)
      if scores == .product { kept?[key] = row[key] }
      if softcap > 0 { row[key] = T(softcap) * T.hyperbolicTangent(row[key] / T(softcap)) }
      if scores == .capped { kept?[key] = row[key] }
    }
    let isSeeing = mask?.apply(memory, batch, head, query, seen, row) ?? !seen.isEmpty
    if scores == .biased, let kept {
      for key in 0..<total { kept[key] = seen.contains(key) ? row[key] : -T.infinity }
    }
    softmax(row, seen, isSeeing: isSeeing)
    if scores == .probabilities, let kept {
      for key in 0..<total { kept[key] = seen.contains(key) ? row[key] : 0 }
    }
    let target = memory.output(0, as: T.self) + y.offset(batch, head, query)
    target.update(repeating: 0, count: v.size)
    for key in seen where row[key] != 0 { accumulate(row[key], values.row(batch, group, key), into: target, v.size) }
  }

  /// The keys that a query may see but for the mask: whatever else restricts them leaves a run of them.
  private func visible(_ memory: ONNXMemory, _ batch: Int, _ query: Int) -> Range<Int> {
    var (lower, upper) = (0, min(total, mask?.keys ?? total))
    var position = past &+ query
    if countsKeys {
      // Clamped, for the counts may be any numbers.
      let counted = Int(max(-1, min(memory.input(6, as: Int64.self)[batch], Int64(total))))
      upper = min(upper, counted)
      position = counted &- q.rows &+ query
    }
    if isCausal { upper = min(upper, position &+ 1) }
    if let left { lower = max(lower, position &- left) }
    if let right { upper = min(upper, position &+ right &+ 1) }
    return lower..<max(lower, upper)
  }

  /// In place; a query that sees nothing gets zeros.
  private func softmax<T: ONNXReal>(_ row: UnsafeMutablePointer<T>, _ seen: Range<Int>, isSeeing: Bool) {
    var largest = -T.infinity
    for key in seen where !(row[key] <= largest) { largest = row[key] }
    guard isSeeing, largest != -T.infinity else {
      for key in seen { row[key] = 0 }
      return
    }
    var sum = 0.0
    for key in seen {
      row[key] = T.exponential(row[key] - largest)
      sum += Double(row[key])
    }
    let factor = 1 / sum
    for key in seen { row[key] = T(Double(row[key]) * factor) }
  }
}

/// Rows of which the first lie in a cache [batch, heads, past, size].
private struct CachedRows<T: ONNXReal> {
  private let cache: UnsafePointer<T>
  private let past: Int
  private let fresh: UnsafePointer<T>
  private let layout: HeadRows

  /// - Parameter index: the operand that is the cache, where there is one.
  init(_ memory: ONNXMemory, _ index: Int, _ past: Int, _ fresh: UnsafePointer<T>, _ layout: HeadRows) {
    cache = past > 0 ? memory.input(index) : fresh
    self.past = past
    self.fresh = fresh
    self.layout = layout
  }

  @inline(__always)
  func row(_ batch: Int, _ head: Int, _ row: Int) -> UnsafePointer<T> {
    row < past
      ? cache + ((batch &* layout.heads &+ head) &* past &+ row) &* layout.size
      : fresh + layout.offset(batch, head, row &- past)
  }

  /// All rows as [batch, heads, total, size].
  func copy(_ target: UnsafeMutablePointer<T>, _ total: Int) {
    var place = target
    for batch in 0..<layout.batch {
      for head in 0..<layout.heads {
        for index in 0..<total {
          place.update(from: row(batch, head, index), count: layout.size)
          place += layout.size
        }
      }
    }
  }
}

import ERIFormat

/// RNN, GRU and LSTM.
extension ONNXNode {
  func recurrentKernel() throws(FormatError) -> ONNXKernel {
    let isLSTM = op.name == "LSTM"
    try arity(3, isLSTM ? 8 : 6)
    try outputs(isLSTM ? 3 : 2)
    let layer = try RecurrentLayer(self)
    let results = try layer.results(try operand(0, "x").dtype)
    return results[0].dtype == .f64 ? try layer.kernel(results, Double.self) : try layer.kernel(results, Float.self)
  }
}

/// Extents, order and functions of a recurrent layer.
struct RecurrentLayer {
  enum Cell {
    case simple
    /// Whether the reset gate is applied after the recurrent product.
    case gru(resetsProduct: Bool)
    /// Whether the forget gate is what the input gate leaves.
    case lstm(isCoupled: Bool)
  }

  enum Direction {
    case forward, reverse, both
  }

  let cell: Cell
  let direction: Direction
  /// Whether the batch comes before the sequence.
  let isBatchFirst: Bool
  let steps: Int
  let batch: Int
  let inputs: Int
  let hidden: Int
  /// Infinity: none.
  let clip: Double
  /// By direction, gate functions in the operator's order.
  let activations: [RecurrentActivation]
  let hasBias: Bool
  let hasLengths: Bool
  let hasHidden: Bool
  let hasCell: Bool
  let hasPeepholes: Bool

  var gates: Int {
    switch cell {
    case .simple: 1
    case .gru: 3
    case .lstm: 4
    }
  }
  /// Activation functions of one direction.
  var functions: Int {
    switch cell {
    case .simple: 1
    case .gru: 2
    case .lstm: 3
    }
  }
  var directions: Int { direction == .both ? 2 : 1 }

  init(_ node: ONNXNode) throws(FormatError) {
    let x = try node.operand(0, "x")
    let w = try node.operand(1, "w")
    let r = try node.operand(2, "r")
    try node.require(x, "x", [.f32, .f64])
    isBatchFirst = try node.flag("layout")
    switch node.op.name {
    case "GRU": cell = .gru(resetsProduct: try node.flag("linear_before_reset"))
    case "LSTM": cell = .lstm(isCoupled: try node.flag("input_forget"))
    default: cell = .simple
    }
    let way = try node.text("direction", default: "forward")
    switch way {
    case "forward": direction = .forward
    case "reverse": direction = .reverse
    case "bidirectional": direction = .both
    default: throw contractError("expected direction forward, reverse or bidirectional, found \(way)")
    }
    guard x.shape.count == 3, r.shape.count == 3 else {
      throw contractError(
        "expected x and r of 3 dimensions, found \(shapeText(x.shape)) and \(shapeText(r.shape))")
    }
    (steps, batch, inputs) = (x.shape[isBatchFirst ? 1 : 0], x.shape[isBatchFirst ? 0 : 1], x.shape[2])
    hidden = r.shape[2]
    if let size = try node.integer("hidden_size"), size != hidden {
      throw contractError("expected r of hidden_size \(size), found \(shapeText(r.shape))")
    }
    clip = try node.number("clip").map { Double($0) } ?? .infinity
    guard clip >= 0 else { throw contractError("expected clip of at least 0, found a negative one") }
    let (directions, gates): (Int, Int)
    let defaults: [String]
    switch cell {
    case .simple: (gates, defaults) = (1, ["Tanh"])
    case .gru: (gates, defaults) = (3, ["Sigmoid", "Tanh"])
    case .lstm: (gates, defaults) = (4, ["Sigmoid", "Tanh", "Tanh"])
    }
    directions = direction == .both ? 2 : 1
    activations = try RecurrentActivation.list(node, defaults: defaults, directions: directions)
    let rows = gates * hidden
    let state = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
    try RecurrentLayer.check(w, "w", x.dtype, [directions, rows, inputs])
    try RecurrentLayer.check(r, "r", x.dtype, [directions, rows, hidden])
    hasBias = try RecurrentLayer.check(node.optional(3), "b", x.dtype, [directions, 2 * rows])
    hasLengths = try RecurrentLayer.check(node.optional(4), "sequence_lens", .i32, [batch])
    hasHidden = try RecurrentLayer.check(node.optional(5), "initial_h", x.dtype, state)
    hasCell = try RecurrentLayer.check(node.optional(6), "initial_c", x.dtype, state)
    hasPeepholes = try RecurrentLayer.check(node.optional(7), "p", x.dtype, [directions, 3 * hidden])
  }

  /// Whether the operand is there; of another type or shape it is refused.
  @discardableResult
  private static func check(
    _ operand: ONNXOperand?, _ what: String, _ dtype: DType, _ shape: [Int]
  ) throws(FormatError) -> Bool {
    guard let operand else { return false }
    guard operand.dtype == dtype, operand.shape == shape else {
      throw contractError("expected \(what) \(dtype.name) \(shapeText(shape)), found \(operand.type.text)")
    }
    return true
  }

  func results(_ dtype: DType) throws(FormatError) -> [BoundType] {
    let all = isBatchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
    let last = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
    let states: Int
    switch cell {
    case .simple, .gru: states = 1
    case .lstm: states = 2
    }
    return [try BoundType(dtype, all)] + [BoundType](repeating: try BoundType(dtype, last), count: states)
  }

  // MARK: Where elements lie

  @inline(__always)
  func inputOffset(_ step: Int, _ item: Int) -> Int {
    (isBatchFirst ? item &* steps &+ step : step &* batch &+ item) &* inputs
  }

  @inline(__always)
  func outputOffset(_ step: Int, _ way: Int, _ item: Int) -> Int {
    isBatchFirst
      ? ((item &* steps &+ step) &* directions &+ way) &* hidden
      : ((step &* directions &+ way) &* batch &+ item) &* hidden
  }

  @inline(__always)
  func stateOffset(_ way: Int, _ item: Int) -> Int {
    (isBatchFirst ? item &* directions &+ way : way &* batch &+ item) &* hidden
  }
}

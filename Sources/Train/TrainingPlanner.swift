import ERIFormat
import ERIRuntime

/// Turns a program bound to a batch into training steps: the graph's operators, dropout, and the loss's gradient through all of them.
struct TrainingPlanner {
  let program: Program
  let types: [ValueType]
  /// Rates by the value they act on.
  let dropouts: [String: Double]
  let frozenStatistics: Bool
  let exact: Bool
  private(set) var values: [TrainingValue?]
  private(set) var steps: [TrainingStep] = []
  /// How many nodes and outputs read each value.
  private var uses: [Int]
  private var converted: [ObjectIdentifier: TrainingValue] = [:]

  /// - Parameter storages: the memory of each tensor of the program that the graph reads.
  init(
    _ program: Program, types: [ValueType], dropouts: [String: Double], frozenStatistics: Bool, exact: Bool,
    storages: [Int: TrainingStorage]
  ) throws(TrainError) {
    self.program = program
    self.types = types
    self.dropouts = dropouts
    self.frozenStatistics = frozenStatistics
    self.exact = exact
    values = [TrainingValue?](repeating: nil, count: program.graph.values.count)
    uses = [Int](repeating: 0, count: program.graph.values.count)
    for node in program.graph.nodes { for case let input? in node.inputs { uses[input] += 1 } }
    for output in program.graph.outputs { uses[output] += 1 }
    for (index, value) in program.graph.values.enumerated() {
      let shape = TrainingPlanner.extents(types[index])
      switch value.source {
      case .input:
        values[index] = TrainingValue(
          value.name, shape: shape, layout: .rowMajor,
          storage: TrainingStorage(count: shape.reduce(1, *), needsGradient: false))
      case .tensor(let tensor):
        values[index] = storages[tensor].map {
          TrainingValue(value.name, shape: shape, layout: .rowMajor, storage: $0)
        }
      case .node: break
      }
    }
    for (index, node) in program.graph.nodes.enumerated() { try lower(node, index) }
    for output in program.graph.outputs {
      if let value = values[output], value.layout != .rowMajor { values[output] = convert(value, to: .rowMajor) }
    }
  }

  private static func extents(_ type: ValueType) -> [Int] { type.shape.map { $0.constant ?? 0 } }

  // MARK: What operators ask for

  func place(_ index: Int) -> String { program.place(ofNode: index) }

  func shape(_ value: Int) -> [Int] { TrainingPlanner.extents(types[value]) }

  /// The value of an input, in whatever layout it has.
  func natural(_ node: Node, _ input: Int, _ index: Int) throws(TrainError) -> TrainingValue {
    guard input < node.inputs.count, let value = node.inputs[input], let found = values[value] else {
      throw TrainError(.invalid, "\(place(index)): expected input \(input), found none; give the node what it needs")
    }
    return found
  }

  /// The value of an input, row-major.
  mutating func rowMajor(_ node: Node, _ input: Int, _ index: Int) throws(TrainError) -> TrainingValue {
    let value = try natural(node, input, index)
    return value.layout == .rowMajor ? value : convert(value, to: .rowMajor)
  }

  /// The value of an input, channels last; with two axes that is row-major.
  mutating func channelsLast(_ node: Node, _ input: Int, _ index: Int) throws(TrainError) -> TrainingValue {
    let value = try natural(node, input, index)
    if value.shape.count <= 2 || value.layout == .channelsLast(halo: 0) { return value }
    return convert(value, to: .channelsLast(halo: 0))
  }

  private mutating func convert(_ value: TrainingValue, to layout: Layout) -> TrainingValue {
    if let known = converted[ObjectIdentifier(value)] { return known }
    let result = TrainingValue(
      value.slot.name, shape: value.shape, layout: layout,
      storage: TrainingStorage(count: value.count, needsGradient: value.needsGradient))
    steps.append(LayoutTraining(value.slot.name, x: value, output: result))
    converted[ObjectIdentifier(value)] = result
    return result
  }

  /// A new value for a node's output.
  func result(_ node: Node, _ layout: Layout, from inputs: [TrainingValue]) -> TrainingValue {
    let value = node.outputs[0]
    return TrainingValue(
      program.graph.values[value].name, shape: shape(value), layout: layout,
      storage: TrainingStorage(
        count: shape(value).reduce(1, *), needsGradient: inputs.contains { $0.needsGradient }))
  }

  /// A node's output in the place of one of its inputs.
  func overwriting(_ node: Node, _ input: TrainingValue) -> TrainingValue {
    TrainingValue(
      program.graph.values[node.outputs[0]].name, shape: input.shape, layout: input.layout, storage: input.storage)
  }

  /// Whether a node may write its output where this input lies: nothing else reads it, now or for a gradient.
  func isOverwritable(_ node: Node, _ input: Int, _ value: TrainingValue) -> Bool {
    guard let index = node.inputs[input], uses[index] == 1, values[index] === value,
      case .node = program.graph.values[index].source
    else { return false }
    return !value.storage.isViewed && !(value.storage.isReadByProducer && value.needsGradient)
  }

  /// Notes the step of a node, and drops some of its output if that is a site of dropout.
  mutating func append(_ step: TrainingStep, _ node: Node, _ index: Int) throws(TrainError) {
    steps.append(step)
    var output = step.output
    if case .attention = node.op {
      // Attention drops probabilities, not its output.
    } else if let draw = try draw(node, index) {
      // Where ReLU's output is dropped, its gradient is 0 either way.
      let isKept = output.storage.isReadByProducer && !isRelu(node.op)
      let dropped = isKept || output.storage.isViewed ? result(node, output.layout, from: [output]) : output
      steps.append(DropoutTraining(output.slot.name, draw: draw, x: output, output: dropped))
      output = dropped
    }
    values[node.outputs[0]] = output
  }

  /// Notes that a node's output is another view of an input.
  mutating func view(_ node: Node, _ input: TrainingValue, _ layout: Layout, _ index: Int) throws(TrainError) {
    let value = node.outputs[0]
    let name = program.graph.values[value].name
    let view = input.viewed(name, shape: shape(value), layout: layout)
    values[value] = view
    if let draw = try draw(node, index) {
      let dropped = result(node, layout, from: [view])
      steps.append(DropoutTraining(name, draw: draw, x: view, output: dropped))
      values[value] = dropped
    }
  }

  /// The dropout of a node's output.
  func draw(_ node: Node, _ index: Int) throws(TrainError) -> DropoutDraw? {
    let name = program.graph.values[node.outputs[0]].name
    guard let rate = dropouts[name], rate > 0 else { return nil }
    guard rate < 1 else {
      throw TrainError(.invalid, "dropout of \(name): expected a rate of at least 0 and below 1, found \(rate)")
    }
    return DropoutDraw(rate: Float(rate), site: UInt64(index))
  }

  private func isRelu(_ op: Operator) -> Bool {
    if case .unary(let unary) = op { return unary.function == .relu }
    return false
  }
}

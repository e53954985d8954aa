import CERIKernels
import ERIFormat

/// Lowers a bound program to steps: folds batch norm into convolutions, computes what depends on weights alone, fuses bias, activation and
/// residual into products, and chooses layouts and kernels.
struct Planner {
  let program: Program
  let graph: BoundGraph
  let options: SessionOptions
  let kernels: OpaquePointer
  let store: WeightStore

  var steps: [Step] = []
  var slots: [Slot?]
  var inputs: [Slot] = []
  /// Other layouts of a value, made when a consumer asked for them.
  var variants: [[Slot]]
  /// Nodes that read each value, with graph outputs counted as one more reader (-1).
  var readers: [[Int]]
  /// Nodes whose work another step has taken up.
  var absorbed: [Bool]
  /// Nodes of weight norms of the file's own tensors, by value: left to whoever packs the weight, unless it is needed as it is.
  var uncomputed: [Int: Int] = [:]

  init(
    program: Program, graph: BoundGraph, options: SessionOptions, kernels: OpaquePointer, store: WeightStore
  ) {
    self.program = program
    self.graph = graph
    self.options = options
    self.kernels = kernels
    self.store = store
    let values = program.graph.values
    slots = [Slot?](repeating: nil, count: values.count)
    variants = [[Slot]](repeating: [], count: values.count)
    readers = [[Int]](repeating: [], count: values.count)
    absorbed = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      for case let input? in node.inputs { readers[input].append(index) }
    }
    for output in program.graph.outputs { readers[output].append(-1) }
  }

  /// Concrete extents of every value.
  var shapes: [[Int]] { graph.shapes }
  /// Values that depend on an input that was left out.
  var absent: [Bool] { graph.absent }

  /// Makes the plan.
  mutating func plan() throws(RuntimeError) -> (plan: Plan, inputs: [Slot?], outputs: [Slot]) {
    var inputSlots: [Slot?] = []
    for value in program.inputs {
      if absent[value] {
        inputSlots.append(nil)
        continue
      }
      let slot = Slot(
        program.graph.values[value].name, shape: shapes[value], layout: .rowMajor, dtype: graph.dtypes[value])
      slots[value] = slot
      inputs.append(slot)
      inputSlots.append(slot)
    }
    // What is known already; where an input is, it is read from here and not from what the caller writes later.
    for (value, block) in graph.constants {
      slots[value] = constantSlot(block, shapes[value], program.graph.values[value].name, graph.dtypes[value])
    }
    for index in graph.nodes.indices where !absorbed[index] {
      let node = graph.nodes[index]
      if node.outputs.allSatisfy({ absent[$0] || graph.constants[$0] != nil }) { continue }
      try lower(node.op, node, index)
    }
    var outputs: [Slot] = []
    for value in program.graph.outputs { outputs.append(try slot(value, .rowMajor, node: -1)) }
    // Constants are held by the steps that read them, and by nobody else.
    let kept = options.keepsValues ? slots : slots.map { $0?.isConstant ?? true ? nil : $0 }
    let plan = try Plan(
      steps: steps, slots: kept, inputs: inputs, outputs: outputs, threads: options.threads,
      keepsValues: options.keepsValues)
    return (plan, inputSlots, outputs)
  }

  // MARK: Slots

  func isConstant(_ value: Int) -> Bool {
    if case .tensor = program.graph.values[value].source { return true }
    return uncomputed[value] != nil || slots[value]?.isConstant ?? false
  }

  /// The row-major floats of a value that must be known when the plan is made.
  mutating func constant(
    _ value: Int, _ what: String, _ index: Int
  ) throws(RuntimeError) -> UnsafeMutablePointer<Float> {
    guard isConstant(value), case .constant(let pointer) = try slot(value, .rowMajor, node: index).root.place else {
      throw notConstant(value, what, index)
    }
    return pointer
  }

  /// The error where a value had to be known when the plan is made.
  func notConstant(_ value: Int, _ what: String, _ index: Int) -> RuntimeError {
    unsupported(index, what, "the computed value \"\(program.graph.values[value].name)\"")
  }

  /// The value in whatever layout it was made.
  mutating func natural(_ node: Node, _ input: Int, _ index: Int) throws(RuntimeError) -> Slot {
    guard let value = node.inputs[input] else { throw unsupported(index, "input \(input)", "none") }
    if let slot = slots[value] { return slot }
    return try slot(value, .rowMajor, node: index)
  }

  /// The value in row-major form.
  mutating func operand(_ node: Node, _ input: Int, _ index: Int) throws(RuntimeError) -> Slot {
    guard let value = node.inputs[input] else { throw unsupported(index, "input \(input)", "none") }
    return try slot(value, .rowMajor, node: index)
  }

  /// The value in channels-last form with at least the halo needed.
  mutating func channelsLast(
    _ node: Node, _ input: Int, _ index: Int, haloNeeded: Int
  ) throws(RuntimeError) -> Slot {
    guard let value = node.inputs[input] else { throw unsupported(index, "input \(input)", "none") }
    if let slot = slots[value], case .channelsLast(let border) = slot.layout, border >= haloNeeded { return slot }
    return try slot(value, .channelsLast(halo: max(haloNeeded, halo(value))), node: index)
  }

  /// The value in the given layout, converted if it was made in another.
  mutating func slot(_ value: Int, _ layout: Layout, node: Int) throws(RuntimeError) -> Slot {
    if let index = uncomputed.removeValue(forKey: value) { try computeWeightNorm(graph.nodes[index], index) }
    if let slot = slots[value], slot.layout == layout { return slot }
    if let slot = variants[value].first(where: { $0.layout == layout }) { return slot }
    let name = program.graph.values[value].name
    if case .tensor(let tensor) = program.graph.values[value].source, layout == .rowMajor {
      let slot = constantSlot(try store.block(tensor: tensor), shapes[value], name, graph.dtypes[value])
      variants[value].append(slot)
      return slot
    }
    let source: Slot
    if let known = slots[value] { source = known } else { source = try slot(value, .rowMajor, node: node) }
    let converted = Slot(name, shape: shapes[value], layout: layout)
    try append(LayoutStep(node: max(node, 0), input: source, output: converted))
    variants[value].append(converted)
    return converted
  }

  mutating func result(_ node: Node, _ layout: Layout) -> Slot {
    let value = node.outputs[0]
    let slot = Slot(program.graph.values[value].name, shape: shapes[value], layout: layout)
    slots[value] = slot
    return slot
  }

  func constantSlot(_ block: FloatBlock, _ shape: [Int], _ name: String, _ dtype: DType = .f32) -> Slot {
    let slot = Slot(name, shape: shape, layout: .rowMajor, dtype: dtype)
    slot.hold(block)
    return slot
  }

  func constantOperand(_ block: FloatBlock, _ shape: [Int], _ name: String) -> Operand {
    Operand(constantSlot(block, shape, name), sliced: false)
  }

  /// Adds a step, or runs it now if all it reads is constant.
  mutating func append(_ step: Step) throws(RuntimeError) {
    guard !step.operands.isEmpty, step.operands.allSatisfy({ $0.slot.isConstant }) else {
      steps.append(step)
      return
    }
    let slot = step.output.slot
    slot.hold(try FloatBlock(count: slot.itemFloats * slot.items))
    let scratch = try FloatBlock(count: step.scratchCount)
    let frame = Frame(kernels: kernels, arena: scratch.pointer, workspace: scratch.pointer, item: 0, outerItem: 0)
    step.run(frame, 0, step.items * step.unitsPerItem)
  }

  func unsupported(_ index: Int, _ expected: String, _ found: String) -> RuntimeError {
    RuntimeError(
      .unsupported, at: program.place(ofNode: index),
      "expected \(expected), found \(found); this runtime cannot compute it")
  }
}

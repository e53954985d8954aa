/// A model over N clips of T steps, cut where its steps meet: what is computed of each step alone, and what works over time.
///
/// A graph brings its steps together by a reshape from [T·N, …] to [N, T, …]. All that leads from an input [N, T, …] to such a
/// place and treats every item of the leading axis alike becomes a branch of its own, over [N, …]; the rest is the window, whose
/// inputs are the branches' results and the inputs that work over time from the start.
package struct StepSplit: Sendable {
  /// What is computed of one input's steps, each alone.
  package struct Branch: Sendable {
    /// The whole model's input.
    package let input: String
    /// A model of [N, …] that takes `starts` and gives `ends`.
    package let part: Model
    /// The part's inputs: each holds the step under its own shape.
    package let starts: [String]
    /// The part's outputs, inputs of the window by the same names.
    package let ends: [String]
  }

  /// An input [N, T, …] of the whole model.
  package struct StepInput: Sendable {
    package let name: String
    /// Extents of one step.
    package let shape: [Int]
  }

  /// T.
  package let steps: Int
  /// The whole model's inputs that have steps, in its order.
  package let inputs: [StepInput]
  package let branches: [Branch]
  package let window: Model

  /// - Throws: `FormatError` `.unsupported` if no input is [N, T, …] of one and the same T, or the model's outputs are of each step.
  package init(_ model: Model) throws(FormatError) {
    let program = try Program(validating: model)
    var analysis = try StepAnalysis(program)
    try analysis.settle()
    steps = analysis.steps
    inputs = analysis.sequences.map { value in
      StepInput(
        name: program.graph.values[value].name,
        shape: program.types[value].shape.dropFirst(2).map { $0.constant ?? 0 })
    }
    var rest = PartBuilder(program)
    rest.keepsOmissions = true
    var branches: [Branch] = []
    for branch in analysis.branches() {
      var omission = Input.Omission.required
      if case .input(let input) = program.graph.values[branch.input].source { omission = input.omission }
      for end in branch.ends { rest.starts[end] = omission }
      var builder = PartBuilder(program)
      builder.leading = (analysis.itemCount, analysis.clipCount)
      for start in branch.starts { builder.starts[start] = .required }
      try builder.take(branch.ends)
      let name = { (value: Int) in program.graph.values[value].name }
      branches.append(
        Branch(
          input: name(branch.input), part: builder.model(model), starts: branch.starts.map(name),
          ends: branch.ends.map(name)))
    }
    self.branches = branches
    try rest.take(program.graph.outputs)
    window = rest.model(model)
  }
}

/// Which values of a program belong to single steps.
private struct StepAnalysis {
  /// What a value is made of.
  private enum Form: Equatable {
    /// Tensors alone.
    case constant
    /// It is the input [N, T, …] itself.
    case sequence
    /// [T·N, …], every item from one step of that input alone.
    case items(Int)
    /// Anything else.
    case window
  }

  private let program: Program
  let steps: Int
  /// N and T·N.
  let clipCount: Dimension
  let itemCount: Dimension
  /// Inputs [N, T, …].
  let sequences: [Int]
  /// Those of them that have to be whole in the window.
  private var whole: Set<Int> = []
  private var forms: [Form] = []

  init(_ program: Program) throws(FormatError) {
    self.program = program
    var found: [Int] = []
    var leading: [Dimension] = []
    for value in program.inputs {
      let shape = program.types[value].shape
      // Two extents are no steps: a number or two of each clip.
      guard shape.count > 2, shape[0].coefficient == 1, shape[0].symbols.count == 1, let count = shape[1].constant,
        count > 0, shape.dropFirst(2).allSatisfy({ $0.constant != nil }), !StepAnalysis.hasChannels(value, program)
      else { continue }
      if leading.isEmpty { leading = [shape[0], shape[1]] }
      guard leading == [shape[0], shape[1]] else {
        throw FormatError(
          .unsupported, at: "input \"\(program.graph.values[value].name)\"",
          "expected \(ValueType(.f32, leading).text(program.graph.symbols)) as in the inputs before it, found "
            + "\(program.types[value].text(program.graph.symbols)); only inputs of as many steps can be streamed")
      }
      found.append(value)
    }
    guard let clips = leading.first, let count = leading.last?.constant,
      let items = Dimension(count).times(clips)
    else {
      throw FormatError(
        .unsupported, at: "graph",
        "expected an input of steps [N, T, …] with a fixed T, found none; only such a model can be streamed")
    }
    (steps, clipCount, itemCount, sequences) = (count, clips, items, found)
    for value in found {
      guard case .input(let input) = program.graph.values[value].source, case .filled = input.omission else { continue }
      whole.insert(value)
    }
  }

  /// Whether an operator takes the value's axis 1 as channels, so that it cannot be steps.
  private static func hasChannels(_ value: Int, _ program: Program) -> Bool {
    program.graph.nodes.contains { node in
      guard node.inputs.first == value else { return false }
      switch node.op {
      case .conv, .batchNorm, .maxPool, .prelu: return true
      case .weightNorm, .linear, .layerNorm, .attention, .attentionPool, .unary, .binary, .concat, .reshape, .transpose,
        .gate, .onnx, .softmax:
        return false
      }
    }
  }

  /// Decides every value's form; an input whose steps also work over time from the start is left whole.
  mutating func settle() throws(FormatError) {
    var isSettled = false
    while !isSettled {
      forms = program.graph.values.indices.map { value in
        switch program.graph.values[value].source {
        case .tensor: .constant
        case .input: sequences.contains(value) && !whole.contains(value) ? .sequence : .window
        case .node: .window
        }
      }
      isSettled = true
      for node in program.graph.nodes {
        let form = form(of: node)
        for output in node.outputs { forms[output] = form }
        if case .items = form { continue }
        for case let input? in node.inputs {
          guard let sequence = sequence(cutAt: input), whole.insert(sequence).inserted else { continue }
          isSettled = false
        }
        if !isSettled { break }
      }
    }
    for output in program.graph.outputs {
      guard case .items = forms[output] else { continue }
      throw FormatError(
        .unsupported, at: "output \"\(program.graph.values[output].name)\"",
        "expected one that works over time, found one of each step; only a model of whole clips can be streamed")
    }
  }

  /// The input that a value is, or is a mere reshape of: nothing of it would be saved by a cut there.
  private func sequence(cutAt value: Int) -> Int? {
    if forms[value] == .sequence { return value }
    guard case .items(let origin) = forms[value],
      let node = program.graph.nodes.first(where: { $0.outputs.contains(value) }), node.inputs.contains(origin)
    else { return nil }
    return origin
  }

  /// Per input with steps of their own: where they begin and where they are needed together.
  func branches() -> [(input: Int, starts: [Int], ends: [Int])] {
    sequences.compactMap { sequence in
      var (starts, ends): ([Int], [Int]) = ([], [])
      for node in program.graph.nodes {
        let isItem = node.outputs.contains { forms[$0] == .items(sequence) }
        for case let input? in node.inputs {
          if isItem, forms[input] == .sequence { starts += node.outputs }
          if !isItem, forms[input] == .items(sequence), !ends.contains(input) { ends.append(input) }
        }
      }
      return ends.isEmpty ? nil : (sequence, starts, ends)
    }
  }

  private func form(of node: Node) -> Form {
    var origins: Set<Int> = []
    var isSequence = false
    for case let input? in node.inputs {
      switch forms[input] {
      case .constant: continue
      case .sequence:
        origins.insert(input)
        isSequence = true
      case .items(let origin): origins.insert(origin)
      case .window: return .window
      }
    }
    guard let origin = origins.first else { return .constant }
    guard origins.count == 1, node.outputs.allSatisfy({ program.types[$0].shape.first == itemCount }) else {
      return .window
    }
    return keepsItems(node, fromSequence: isSequence) ? .items(origin) : .window
  }

  /// Whether item i of the result comes of item i of the operands alone, whatever their number.
  private func keepsItems(_ node: Node, fromSequence: Bool) -> Bool {
    /// Whether the first operands are items and the others constant, and an item has axes of its own.
    func acts(on count: Int, rank: Int = 2) -> Bool {
      for (position, input) in node.inputs.enumerated() {
        guard let input else { continue }
        if position < count, forms[input] == .constant || program.types[input].shape.count < rank { return false }
        if position >= count, forms[input] != .constant { return false }
      }
      return true
    }
    if fromSequence {
      guard case .reshape = node.op else { return false }
      return true
    }
    switch node.op {
    case .conv, .batchNorm, .maxPool, .linear, .layerNorm, .prelu, .unary, .reshape: return acts(on: 1)
    case .attentionPool: return acts(on: 1, rank: 3)
    case .attention: return acts(on: 3, rank: 3)
    case .binary:
      // A constant must not reach along the leading axis.
      let rank = node.outputs.first.map { program.types[$0].shape.count } ?? 0
      return node.inputs.allSatisfy { input in
        guard let input else { return false }
        let shape = program.types[input].shape
        return forms[input] == .constant ? shape.count < rank || shape.first?.constant == 1 : shape.count == rank
      }
    case .concat(let concat): return concat.axis != 0 && acts(on: node.inputs.count)
    case .transpose(let transpose): return transpose.permutation.first == 0
    case .softmax(let softmax): return softmax.axis != 0
    case .weightNorm, .gate, .onnx: return false
    }
  }
}

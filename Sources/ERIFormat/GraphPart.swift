extension Model {
  /// The part of the graph that computes a value, as a model of its own: its operators with their tensors, and as inputs those of the
  /// whole graph and the values that it starts from instead of computing them. Metadata stay, goldens go.
  /// - Parameters:
  ///   - starts: names of the values that become inputs.
  ///   - end: name of the value that becomes the output.
  /// - Throws: `FormatError` if the graph is invalid or has no value of such a name.
  package func part(from starts: [String], to end: String) throws(FormatError) -> Model {
    let program = try Program(validating: self)
    var builder = PartBuilder(program)
    for start in starts { builder.starts[try program.index(of: start)] = .required }
    try builder.take([try program.index(of: end)])
    return builder.model(self)
  }
}

extension Program {
  fileprivate func index(of name: String) throws(FormatError) -> Int {
    guard let index = value(named: name) else {
      throw FormatError(
        .invalid, at: "graph", "expected a value \"\(name)\", found none; name one of a network of `eri init`")
    }
    return index
  }
}

/// Takes operators and tensors out of a program into a graph of their own.
struct PartBuilder {
  private let program: Program
  /// Values that become inputs instead of being computed, and what their absence means.
  var starts: [Int: Input.Omission] = [:]
  /// Whether inputs of the whole graph may be left out of the part as of the whole.
  var keepsOmissions = false
  /// The leading extent that becomes another one, in inputs and reshapes alike.
  var leading: (old: Dimension, new: Dimension)?
  private var graph = Graph()
  private var tensors: [Tensor] = []
  /// Values of the whole graph to those of the part.
  private var numbers: [Int: Int] = [:]

  init(_ program: Program) {
    self.program = program
    graph.symbols = program.graph.symbols
  }

  /// The model with the part taken so far for its graph, without goldens.
  func model(_ whole: Model) -> Model {
    var model = whole
    model.graph = graph
    model.tensors = tensors
    model.goldens = []
    return model
  }

  /// Takes over what these values need, in the whole graph's order, which is topological, and makes them the outputs.
  mutating func take(_ ends: [Int]) throws(FormatError) {
    var producers: [Int: Int] = [:]
    for (index, node) in program.graph.nodes.enumerated() {
      for output in node.outputs { producers[output] = index }
    }
    var needed: Set<Int> = []
    var open = ends
    while let next = open.popLast() {
      guard starts[next] == nil, let node = producers[next], needed.insert(node).inserted else { continue }
      open += program.graph.nodes[node].inputs.compactMap { $0 }
    }
    for index in program.graph.nodes.indices where needed.contains(index) {
      let node = program.graph.nodes[index]
      let inputs = node.inputs.map { input in input.map { operand($0) } }
      let outputs = node.outputs.map { add(program.graph.values[$0], for: $0) }
      graph.nodes.append(Node(relabelled(node.op), inputs: inputs, outputs: outputs))
    }
    for end in ends {
      guard let output = numbers[end] else {
        throw FormatError(
          .invalid, at: "value \"\(program.graph.values[end].name)\"",
          "expected a value that operators compute, found another")
      }
      graph.outputs.append(output)
    }
  }

  private func relabelled(_ op: Operator) -> Operator {
    guard case .reshape(let reshape) = op else { return op }
    return .reshape(Reshape(relabelled(reshape.shape)))
  }

  private func relabelled(_ shape: [Dimension]) -> [Dimension] {
    guard let leading, shape.first == leading.old else { return shape }
    return [leading.new] + shape.dropFirst()
  }

  private mutating func operand(_ index: Int) -> Int {
    if let known = numbers[index] { return known }
    var value = program.graph.values[index]
    switch value.source {
    case .tensor(let tensor):
      tensors.append(program.tensors[tensor])
      value.source = .tensor(tensors.count - 1)
    case .input(let input):
      // What may be absent up to a Gate of the whole graph has to be there for a part that may end before it.
      var omission = input.omission
      if case .gated = omission, !keepsOmissions { omission = .required }
      value.source = .input(Input(input.type, omission: omission))
    case .node:
      let type = program.types[index]
      let input = ValueType(type.dtype, relabelled(type.shape))
      value.source = .input(Input(input, omission: starts[index] ?? .required))
      value.declared = nil
    }
    return add(value, for: index)
  }

  private mutating func add(_ value: Value, for index: Int) -> Int {
    graph.values.append(value)
    numbers[index] = graph.values.count - 1
    return graph.values.count - 1
  }
}

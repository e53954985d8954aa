package import ERIFormat

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
    for start in starts { builder.starts.insert(try program.index(of: start)) }
    try builder.take(try program.index(of: end))
    var model = self
    model.graph = builder.graph
    model.tensors = builder.tensors
    model.goldens = []
    return model
  }

  /// The model with the tensors of another in the place of its own of the same name.
  /// - Throws: `FormatError` if one is missing here or of another type or shape.
  package func replacing(tensorsOf other: Model) throws(FormatError) -> Model {
    var model = self
    var places: [[UInt8]: Int] = [:]
    for (index, tensor) in tensors.enumerated() { places[Array(tensor.name.utf8)] = index }
    for tensor in other.tensors where tensor.role != .optimizerState {
      guard let place = places[Array(tensor.name.utf8)] else {
        throw FormatError(
          .invalid, at: "tensor \"\(tensor.name)\"",
          "expected a tensor of the network it goes into, found none of that name")
      }
      let own = tensors[place]
      guard own.dtype == tensor.dtype, own.shape == tensor.shape else {
        throw FormatError(
          .invalid, at: "tensor \"\(tensor.name)\"",
          "expected \(own.dtype.name) \(shapeText(own.shape)), found \(tensor.dtype.name) \(shapeText(tensor.shape))")
      }
      model.tensors[place].values = tensor.values
    }
    return model
  }
}

extension Program {
  fileprivate func index(of name: String) throws(FormatError) -> Int {
    guard let index = value(named: name) else {
      throw FormatError(
        .invalid, at: "graph", "expected a value \"\(name)\", found none; train a network of `eri init`")
    }
    return index
  }
}

private struct PartBuilder {
  let program: Program
  var starts: Set<Int> = []
  private(set) var graph = Graph()
  private(set) var tensors: [Tensor] = []
  /// Values of the whole graph to those of the part.
  private var numbers: [Int: Int] = [:]

  init(_ program: Program) {
    self.program = program
    graph.symbols = program.graph.symbols
  }

  /// Takes over what a value needs, in the whole graph's order, which is topological.
  mutating func take(_ end: Int) throws(FormatError) {
    var producers: [Int: Int] = [:]
    for (index, node) in program.graph.nodes.enumerated() {
      for output in node.outputs { producers[output] = index }
    }
    var needed: Set<Int> = []
    var open = [end]
    while let next = open.popLast() {
      guard !starts.contains(next), let node = producers[next], needed.insert(node).inserted else { continue }
      open += program.graph.nodes[node].inputs.compactMap { $0 }
    }
    for index in program.graph.nodes.indices where needed.contains(index) {
      let node = program.graph.nodes[index]
      let inputs = node.inputs.map { input in input.map { operand($0) } }
      let outputs = node.outputs.map { add(program.graph.values[$0], for: $0) }
      graph.nodes.append(Node(node.op, inputs: inputs, outputs: outputs))
    }
    guard let output = numbers[end] else {
      throw FormatError(
        .invalid, at: "value \"\(program.graph.values[end].name)\"",
        "expected a value that operators compute, found another")
    }
    graph.outputs = [output]
  }

  private mutating func operand(_ index: Int) -> Int {
    if let known = numbers[index] { return known }
    var value = program.graph.values[index]
    switch value.source {
    case .tensor(let tensor):
      tensors.append(program.tensors[tensor])
      value.source = .tensor(tensors.count - 1)
    case .input(let input):
      // What may be absent up to a Gate of the whole graph has to be there for the part.
      let omission: Input.Omission = if case .filled = input.omission { input.omission } else { .required }
      value.source = .input(Input(input.type, omission: omission))
    case .node: value.source = .input(Input(program.types[index]))
    }
    return add(value, for: index)
  }

  private mutating func add(_ value: Value, for index: Int) -> Int {
    graph.values.append(value)
    numbers[index] = graph.values.count - 1
    return graph.values.count - 1
  }
}

import ERIFormat

/// A model file's content, as `inspect` tells it.
struct ModelContent {
  /// An input or output of the graph.
  struct Port {
    let name: String
    let dtype: DType
    /// Symbols by name, "?" for an extent that only binding decides; nil: nothing is known of the shape before.
    let shape: [String]?
    let isOptional: Bool
  }

  let path: String
  let model: Model
  let digests: Digests
  let tensorDigests: [String]
  let inputs: [Port]
  let outputs: [Port]
  /// Names of the graph's operators and how often each occurs, in order of first use.
  let operators: [(name: String, count: Int)]

  /// Reads what the directory says; a graph that is there must be valid.
  init(_ loaded: LoadedModel) throws(CommandFailure) {
    path = loaded.path
    model = loaded.model
    digests = try loaded.digests()
    var tensorDigests: [String] = []
    for tensor in model.tensors {
      do throws(FormatError) { tensorDigests.append(try tensor.digest().text) } catch { throw loaded.failure(error) }
    }
    self.tensorDigests = tensorDigests
    guard let graph = model.graph else {
      inputs = []
      outputs = []
      operators = []
      return
    }
    let program = try loaded.program()
    func port(_ value: Int) -> Port {
      var isOptional = false
      if case .input(let input) = graph.values[value].source { isOptional = input.omission != .required }
      return Port(
        name: graph.values[value].name, dtype: program.types[value].dtype,
        shape: program.types[value].isRanked ? program.types[value].shape.map { $0.text(graph.symbols) } : nil,
        isOptional: isOptional)
    }
    inputs = program.inputs.map(port)
    outputs = graph.outputs.map(port)
    var operators: [(name: String, count: Int)] = []
    for node in graph.nodes {
      let name = node.op.label
      if let index = operators.firstIndex(where: { $0.name == name }) {
        operators[index].count += 1
      } else {
        operators.append((name, 1))
      }
    }
    self.operators = operators
  }

  /// Elements of all weights.
  var parameterCount: Int {
    var count = 0
    for tensor in model.tensors where tensor.role == .weight { count += tensor.elementCount ?? 0 }
    return count
  }

  /// Bytes of all tensors' values.
  var tensorBytes: Int {
    var count = 0
    for tensor in model.tensors { count += tensor.byteCount ?? 0 }
    return count
  }
}

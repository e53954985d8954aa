import ERIFormat

/// A graph and its tensors while they are changed; node and value numbers stay what they are until `compacted`.
struct EditableGraph {
  var values: [Value]
  /// nil: removed.
  var nodes: [Node?]
  var tensors: [Tensor]
  let symbols: [String]
  let outputs: [Int]

  init(_ graph: Graph, _ tensors: [Tensor]) {
    values = graph.values
    nodes = graph.nodes
    self.tensors = tensors
    symbols = graph.symbols
    outputs = graph.outputs
  }

  /// The nodes that read a value; an output of the graph counts as -1.
  func readers(of value: Int) -> [Int] {
    var readers: [Int] = []
    for (index, node) in nodes.enumerated() {
      for input in node?.inputs ?? [] where input == value { readers.append(index) }
    }
    for output in outputs where output == value { readers.append(-1) }
    return readers
  }

  /// The only node that reads a value, and nothing else does.
  func soleReader(of value: Int) -> Int? {
    let readers = readers(of: value)
    return readers.count == 1 && readers[0] >= 0 ? readers[0] : nil
  }

  /// The tensor that a value comes from, if it is of float32 and not quantised.
  func floatTensor(of value: Int?) -> Int? {
    guard let value, case .tensor(let tensor) = values[value].source, tensors[tensor].dtype == .f32,
      tensors[tensor].quantization == nil
    else { return nil }
    return tensor
  }

  func floats(_ tensor: Int) throws(FormatError) -> [Float] { try tensors[tensor].elements(zero: Float(0)) }

  /// Adds a weight under a name of its own; returns its value.
  mutating func addWeight(_ name: String, _ shape: [Int], _ floats: [Float]) -> Int {
    var free = name
    while tensors.contains(where: { $0.name == free }) || values.contains(where: { $0.name == free }) { free += "_" }
    // Before the optimiser's state, which stands last.
    let place = tensors.firstIndex { $0.role == .optimizerState } ?? tensors.count
    tensors.insert(Tensor(free, shape, floats: floats), at: place)
    values.append(Value(free, .tensor(place)))
    return values.count - 1
  }

  /// The graph without what nothing uses, of all values or of these alone.
  func compacted(removing removable: Set<Int>? = nil) -> (graph: Graph, tensors: [Tensor]) {
    var isUsed = values.indices.map { !(removable?.contains($0) ?? true) }
    for (index, value) in values.enumerated() { if case .input = value.source { isUsed[index] = true } }
    for output in outputs { isUsed[output] = true }
    for node in nodes {
      for case let value? in node?.inputs ?? [] { isUsed[value] = true }
      for value in node?.outputs ?? [] { isUsed[value] = true }
    }
    var graph = Graph()
    graph.symbols = symbols
    var kept: [Tensor] = []
    var newTensor: [Int: Int] = [:]
    var newValue = [Int](repeating: 0, count: values.count)
    for (index, value) in values.enumerated() where isUsed[index] {
      var value = value
      if case .tensor(let tensor) = value.source {
        if newTensor[tensor] == nil {
          newTensor[tensor] = kept.count
          kept.append(tensors[tensor])
        }
        value.source = .tensor(newTensor[tensor] ?? 0)
      }
      newValue[index] = graph.values.count
      graph.values.append(value)
    }
    for case let node? in nodes {
      graph.nodes.append(
        Node(node.op, inputs: node.inputs.map { $0.map { newValue[$0] } }, outputs: node.outputs.map { newValue[$0] }))
    }
    graph.outputs = outputs.map { newValue[$0] }
    return (graph, kept)
  }
}

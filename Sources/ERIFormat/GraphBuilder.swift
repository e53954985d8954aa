/// Builds a graph node by node, checking each against its contract as it is added.
package struct GraphBuilder {
  package private(set) var graph = Graph()
  package private(set) var tensors: [Tensor] = []
  private var types: [ValueType] = []
  private var inference: ShapeInference

  /// - Parameter symbols: names of the symbolic dimensions.
  package init(symbols: [String]) {
    graph.symbols = symbols
    inference = ShapeInference(symbolNames: symbols)
  }

  /// Type of a value so far.
  package func type(of value: Int) -> ValueType { types[value] }

  /// Declares an input; returns its value.
  package mutating func input(_ name: String, _ type: ValueType, omission: Input.Omission = .required) -> Int {
    add(Value(name, .input(Input(type, omission: omission))), type)
  }

  /// Adds a tensor; returns its value.
  package mutating func tensor(_ tensor: Tensor) -> Int {
    tensors.append(tensor)
    return add(Value(tensor.name, .tensor(tensors.count - 1)), ValueType(tensor.valueType, constant: tensor.shape))
  }

  /// Applies an operator with one output; returns its value.
  package mutating func apply(_ op: Operator, _ inputs: [Int?], name: String) throws(FormatError) -> Int {
    let outputs: [ValueType]
    do throws(FormatError) {
      outputs = try op.outputs(inputs.map { $0.map { types[$0] } }, &inference)
    } catch {
      throw error.inside("\(op.label) \(name)")
    }
    let output = add(Value(name, .node), outputs[0])
    graph.nodes.append(Node(op, inputs: inputs, outputs: [output]))
    return output
  }

  /// Names a value as an output of the graph.
  package mutating func output(_ value: Int) { graph.outputs.append(value) }

  /// Makes a value hold, wherever it is read, what the quantisation's integers stand for.
  package mutating func quantize(_ value: Int, _ quantization: Quantization) {
    graph.values[value].quantization = quantization
  }

  private mutating func add(_ value: Value, _ type: ValueType) -> Int {
    graph.values.append(value)
    types.append(type)
    return graph.values.count - 1
  }
}

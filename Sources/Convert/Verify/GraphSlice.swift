package import ERIFormat
import ERIReference

/// A part of a graph as a model of its own: the operators that make one value, their tensors, and as inputs the values they start
/// from.
package struct GraphSlice: Sendable {
  package var model: Model
  package var inputs: [GivenValue]
  /// The type of the value that it computes.
  private let outputType: DType

  /// Takes out what computes a value.
  /// - Parameters:
  ///   - value: the value that becomes the slice's output.
  ///   - given: the values that the slice starts from instead of computing them.
  /// - Throws: `FormatError` if an input is needed that is not given.
  init(_ side: GraphSide, computing value: Int, from given: @escaping (Int) -> GivenValue?) throws(FormatError) {
    let graph = side.program.graph
    var builder = Builder(side: side, given: given)
    try builder.take(value)
    var model = Model()
    var sliced = Graph()
    sliced.values = builder.values
    sliced.nodes = builder.nodes
    guard let output = builder.numbers[value] else {
      throw contractError("expected a node that computes \"\(graph.values[value].name)\", found none")
    }
    sliced.outputs = [output]
    model.graph = sliced
    model.tensors = builder.tensors
    self.model = model
    inputs = builder.inputs
    outputType = side.dtypes[value]
  }

  /// Names and types of the arrays that a run of it reads and writes.
  package var arrays: [(place: String, dtype: DType)] {
    let outputs = model.graph?.outputs.compactMap { model.graph?.values[$0].name } ?? []
    return inputs.map { ("input \"\($0.name)\"", $0.dtype) } + outputs.map { ("output \"\($0)\"", outputType) }
  }

  /// How many operators it has.
  package var nodeCount: Int { model.graph?.nodes.count ?? 0 }

  /// The output as this runtime computes it.
  func output(threads: Int) throws(FormatError) -> GivenValue {
    try GraphSide.output(try Program(validating: model), inputs, threads: threads)
  }

  /// The output in Double.
  func reference() throws(FormatError) -> ReferenceTensor {
    let program = try Program(validating: model)
    var given: [String: ReferenceTensor] = [:]
    for input in inputs { given[input.name] = try input.reference() }
    let values = try ReferenceExecutor(program).run(inputs: given)
    guard let output = values[program.graph.values[program.graph.outputs[0]].name] else {
      throw contractError("expected an output that can be computed, found none")
    }
    return output
  }

  private struct Builder {
    let side: GraphSide
    let given: (Int) -> GivenValue?
    var values: [Value] = []
    var nodes: [Node] = []
    var tensors: [Tensor] = []
    var inputs: [GivenValue] = []
    /// Values of the whole graph to those of the slice.
    var numbers: [Int: Int] = [:]

    private mutating func add(_ value: Value, for index: Int) -> Int {
      values.append(value)
      numbers[index] = values.count - 1
      return values.count - 1
    }

    /// Takes over the nodes that a value needs, in the graph's order, which is topological.
    mutating func take(_ value: Int) throws(FormatError) {
      let graph = side.program.graph
      var needed: Set<Int> = []
      var open = [value]
      while let next = open.popLast() {
        guard next == value || given(next) == nil, let node = side.producer[next], needed.insert(node).inserted else {
          continue
        }
        open += graph.nodes[node].inputs.compactMap { $0 }
      }
      for index in graph.nodes.indices where needed.contains(index) { try append(graph.nodes[index]) }
    }

    private mutating func append(_ node: Node) throws(FormatError) {
      var operands: [Int?] = []
      for input in node.inputs {
        guard let input else {
          operands.append(nil)
          continue
        }
        operands.append(try operand(input))
      }
      let outputs = node.outputs.map { output in
        let value = side.program.graph.values[output]
        return add(Value(value.name, .node, quantization: value.quantization), for: output)
      }
      nodes.append(Node(side.fixed(node.op), inputs: operands, outputs: outputs))
    }

    private mutating func operand(_ index: Int) throws(FormatError) -> Int {
      if let known = numbers[index] { return known }
      let value = side.program.graph.values[index]
      if case .tensor(let tensor) = value.source {
        tensors.append(side.program.tensors[tensor])
        return add(Value(value.name, .tensor(tensors.count - 1)), for: index)
      }
      guard let start = given(index) else {
        throw FormatError(.invalid, at: "value \"\(value.name)\"", "expected a value to start from, found none")
      }
      // What tensors alone decide must be known when a plan is made.
      if side.isConstant[index] {
        tensors.append(
          Tensor(value.name, start.dtype, start.shape, role: .constant, values: .bytes(start.bytes)))
        return add(Value(value.name, .tensor(tensors.count - 1)), for: index)
      }
      inputs.append(start.named(value.name))
      return add(Value(value.name, .input(Input(ValueType(start.dtype, constant: start.shape)))), for: index)
    }
  }
}

extension GraphSide {
  /// The operator with the extents that the run gave its symbols.
  func fixed(_ op: Operator) -> Operator {
    guard case .reshape(let reshape) = op else { return op }
    let sizes = symbolSizes.map { Optional($0) }
    return .reshape(Reshape(reshape.shape.map { Dimension($0.evaluated(sizes) ?? 0) }))
  }
}

extension GraphSlice {
  /// The slice on one index of axis 0 alone, if it is one operator that treats each of them by itself.
  func cropped(to item: Int) -> GraphSlice? {
    guard var graph = model.graph, graph.nodes.count == 1, inputs.count == 1, let node = graph.nodes.first,
      GraphSlice.treatsItemsApart(node.op), let value = node.inputs.first ?? nil, inputs[0].shape.count > 1,
      graph.values[value].name == inputs[0].name, let part = inputs[0].item(item)
    else { return nil }
    graph.values[value].source = .input(Input(ValueType(part.dtype, constant: part.shape)))
    var slice = self
    slice.model.graph = graph
    slice.inputs[0] = part
    return slice
  }

  private static func treatsItemsApart(_ op: Operator) -> Bool {
    switch op {
    case .conv, .batchNorm, .linear, .maxPool, .layerNorm, .unary, .prelu: true
    case .weightNorm, .attention, .attentionPool, .binary, .concat, .reshape, .transpose, .gate, .softmax, .onnx: false
    }
  }
}

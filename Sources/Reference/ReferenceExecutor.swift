package import ERIFormat

/// Runs a whole program in Double, one plain loop per operator: the arbiter of the tests and of `verify`.
package struct ReferenceExecutor {
  private let program: Program

  package init(_ program: Program) { self.program = program }

  /// Every value that can be computed from the inputs, by name; inputs left out must be filled or gated.
  /// - Throws: `FormatError` naming the input that is missing, unknown or of another shape, or the fault of a tensor.
  package func run(inputs: [String: ReferenceTensor]) throws(FormatError) -> [String: ReferenceTensor] {
    let graph = program.graph
    let sizes = try symbolSizes(inputs)
    var values = [ReferenceTensor?](repeating: nil, count: graph.values.count)
    for (index, value) in graph.values.enumerated() {
      switch value.source {
      case .input(let input):
        values[index] = try self.input(input, inputs[value.name], sizes, value.name)?.held(value.quantization)
      case .tensor(let tensor): values[index] = try ReferenceTensor(program.tensors[tensor])
      case .node: break
      }
    }
    for (index, node) in graph.nodes.enumerated() {
      do throws(FormatError) { try run(node, sizes, &values) } catch {
        throw error.inside(program.place(ofNode: index))
      }
      for output in node.outputs {
        values[output] = values[output]?.held(graph.values[output].quantization)
      }
    }
    var named: [String: ReferenceTensor] = [:]
    for (value, tensor) in zip(graph.values, values) { named[value.name] = tensor }
    return named
  }

  /// An input as it is given or filled; nil where it may be absent.
  private func input(
    _ input: Input, _ given: ReferenceTensor?, _ sizes: [Int], _ name: String
  ) throws(FormatError) -> ReferenceTensor? {
    let shape = input.type.shape.map { $0.evaluated(sizes.map { $0 }) ?? 0 }
    if var given {
      guard given.shape == shape else {
        throw FormatError(
          .invalid, at: "input \"\(name)\"", "expected \(shapeText(shape)), found \(shapeText(given.shape))")
      }
      given.dtype = input.type.dtype.inReference
      return given
    }
    switch input.omission {
    case .filled(let fill): return ReferenceTensor(shape: shape, repeating: Double(fill))
    case .gated: return nil
    case .required:
      throw FormatError(.invalid, at: "input \"\(name)\"", "expected a tensor, found none; give it")
    }
  }

  private func run(_ node: Node, _ sizes: [Int], _ values: inout [ReferenceTensor?]) throws(FormatError) {
    let operands = node.inputs.map { $0.flatMap { values[$0] } }
    let isComplete = zip(node.inputs, operands).allSatisfy { $0 == nil || $1 != nil }
    if case .gate(let gate) = node.op {
      // An absent operand's shape is what binding says.
      var shape = operands[0]?.shape
      if shape == nil { shape = try program.bind(symbolSizes: sizes)[node.outputs[0]].shape.map { $0.constant ?? 0 } }
      values[node.outputs[0]] = gate.reference(operands[0], operands[1], shape: shape ?? [])
      return
    }
    // A value that is absent makes all that depends on it absent.
    guard isComplete else { return }
    if case .onnx(let op) = node.op {
      for (output, tensor) in zip(node.outputs, try op.reference(operands, outputCount: node.outputs.count)) {
        values[output] = tensor
      }
      return
    }
    var inference = ShapeInference(symbolNames: [])
    let types = try node.op.bound(to: sizes).outputs(
      operands.map { $0.map { ValueType(.f32, constant: $0.shape) } }, &inference)
    values[node.outputs[0]] = node.op.reference(operands, shape: types[0].shape.map { $0.constant ?? 0 })
  }

  private func symbolSizes(_ inputs: [String: ReferenceTensor]) throws(FormatError) -> [Int] {
    let graph = program.graph
    for name in inputs.keys.sorted() where !program.inputs.contains(where: { graph.values[$0].name == name }) {
      throw FormatError(.invalid, at: "input \"\(name)\"", "expected an input of the graph, found no such name")
    }
    return program.symbolSizes { inputs[$0]?.shape }
  }
}

extension Operator {
  /// The operator's first output for these operands, all present but the optional ones.
  func reference(_ x: [ReferenceTensor?], shape: [Int]) -> ReferenceTensor? {
    switch self {
    case .conv(let op): op.reference(x[0], x[1], x.count > 2 ? x[2] : nil, shape: shape)
    case .batchNorm(let op): op.reference(x[0], x[1], x[2], x[3], x[4])
    case .weightNorm(let op): op.reference(x[0], x[1])
    case .linear(let op): op.reference(x[0], x[1], x.count > 2 ? x[2] : nil, shape: shape)
    case .maxPool(let op): op.reference(x[0], shape: shape)
    case .layerNorm(let op): op.reference(x[0], x[1], x[2])
    case .attention(let op): op.reference(x[0], x[1], x[2], shape: shape)
    case .attentionPool(let op): op.reference(x[0], x[1], x[2], shape: shape)
    case .unary(let op): op.reference(x[0])
    case .binary(let op): op.reference(x[0], x[1], shape: shape)
    case .concat(let op): op.reference(x.compactMap { $0 }, shape: shape)
    case .reshape: x[0].map { ReferenceTensor(shape: shape, values: $0.values) }
    case .transpose(let op): op.reference(x[0], shape: shape)
    case .gate(let op): op.reference(x[0], x.count > 1 ? x[1] : nil, shape: shape)
    case .onnx: nil
    case .prelu(let op): op.reference(x[0], x[1])
    case .softmax(let op): op.reference(x[0])
    }
  }
}

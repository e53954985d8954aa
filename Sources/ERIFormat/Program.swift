/// A validated graph with its tensors: immutable, and what passes cannot crash the runtime.
///
/// Every name, reference, attribute, type and shape rule is checked, with symbols standing for the batch and other extents that
/// a caller chooses; binding them to sizes runs the same rules again on constants.
public struct Program: Sendable {
  package let graph: Graph
  package let tensors: [Tensor]
  /// One per value, extents as far as they are known without binding.
  package let types: [ValueType]
  /// Indices of the values that are inputs, in declaration order.
  package let inputs: [Int]
  /// Whether an operator of ONNX is among the nodes, so that types are decided only when the graph is bound.
  package let usesONNX: Bool

  /// Validates a model's graph.
  /// - Throws: `FormatError` `.unsupported` if the model has no graph, `.invalid` or `.limitExceeded` naming the place of the first fault.
  public init(validating model: Model) throws(FormatError) {
    guard let graph = model.graph else {
      throw FormatError(
        .unsupported, at: "",
        "expected a model with a graph, found tensors alone; give it one with `eri convert --network`")
    }
    self.graph = graph
    tensors = model.tensors
    try Program.checkCounts(graph, model.tensors)
    inputs = graph.values.indices.filter { if case .input = graph.values[$0].source { true } else { false } }
    usesONNX = graph.nodes.contains { if case .onnx = $0.op { true } else { false } }
    types = try Program.inferTypes(graph, model.tensors, inputSizes: nil)
  }

  /// Types of all values once the graph's symbols have sizes: the same rules on constants.
  package func bind(symbolSizes: [Int]) throws(FormatError) -> [ValueType] {
    guard symbolSizes.count == graph.symbols.count else {
      throw FormatError(
        .invalid, at: "graph",
        "expected sizes of \(counted(graph.symbols.count, "symbol")), found \(symbolSizes.count)")
    }
    return try Program.inferTypes(graph, tensors, inputSizes: symbolSizes)
  }

  /// Sizes of the symbols that inputs of these shapes have for extents; 1 for one that none has.
  /// - Parameter shape: of the input with that name, nil where it is left out.
  package func symbolSizes(shape: (String) -> [Int]?) -> [Int] {
    var sizes = [Int](repeating: 1, count: graph.symbols.count)
    for index in inputs {
      guard let given = shape(graph.values[index].name) else { continue }
      for (extent, dimension) in zip(given, types[index].shape)
      where dimension.coefficient == 1 && dimension.symbols.count == 1 { sizes[dimension.symbols[0]] = extent }
    }
    return sizes
  }

  /// Index of the value of that name.
  package func value(named name: String) -> Int? {
    // By bytes, as names are told apart: Swift's strings are equal when only their normal forms are.
    graph.values.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// The name of node `index`'s first output and its operator: "node 3 (conv video.backbone.conv1)".
  package func place(ofNode index: Int) -> String { Program.place(graph, index) }

  private static func place(_ graph: Graph, _ index: Int) -> String {
    let node = graph.nodes[index]
    guard let output = node.outputs.first, output >= 0, output < graph.values.count else {
      return "node \(index) (\(node.op.label))"
    }
    return "node \(index) (\(node.op.label) \(graph.values[output].name))"
  }

  private static func limit(
    _ count: Int, _ maximum: Int, _ what: String, at place: String = "graph"
  ) throws(FormatError) {
    guard count <= maximum else {
      throw FormatError(.limitExceeded, at: place, "expected at most \(maximum) \(what), found \(count)")
    }
  }

  private static func checkCounts(_ graph: Graph, _ tensors: [Tensor]) throws(FormatError) {
    try limit(graph.symbols.count, Limits.symbols, "symbols")
    try limit(graph.values.count, Limits.values, "values")
    try limit(graph.nodes.count, Limits.nodes, "nodes")
    try limit(graph.outputs.count, Limits.arity, "outputs")
    try limit(tensors.count, Limits.tensors, "tensors")
    guard !graph.outputs.isEmpty else {
      throw FormatError(.invalid, at: "graph", "expected at least one output, found none")
    }
    for output in graph.outputs where output < 0 || output >= graph.values.count {
      throw FormatError(
        .invalid, at: "graph", "expected an output among \(graph.values.count) values, found number \(output + 1)")
    }
    try TensorRules.checkNames(graph.symbols, "symbol")
    try TensorRules.checkNames(graph.values.map { $0.name }, "value", from: 1)
    for (index, node) in graph.nodes.enumerated() {
      try limit(node.inputs.count, Limits.arity, "inputs", at: place(graph, index))
      try limit(node.outputs.count, Limits.arity, "outputs", at: place(graph, index))
    }
  }

  private static func inferTypes(
    _ graph: Graph, _ tensors: [Tensor], inputSizes: [Int]?
  ) throws(FormatError) -> [ValueType] {
    var types = [ValueType?](repeating: nil, count: graph.values.count)
    var inference = ShapeInference(symbolNames: inputSizes == nil ? graph.symbols : [])
    for (index, value) in graph.values.enumerated() {
      switch value.source {
      case .input(let input):
        types[index] = try inputType(input, value.name, graph, inputSizes, inference)
      case .tensor(let tensor):
        guard tensor >= 0, tensor < tensors.count else {
          throw FormatError(
            .invalid, at: "value \"\(value.name)\"",
            "expected a tensor's index below \(tensors.count), found \(tensor)")
        }
        guard tensors[tensor].shape.count <= Limits.rank, tensors[tensor].byteCount != nil else {
          throw FormatError(
            .limitExceeded, at: "tensor \"\(tensors[tensor].name)\"",
            "expected at most \(Limits.rank) dimensions and \(Limits.elements) elements, found \(shapeText(tensors[tensor].shape))"
          )
        }
        // No digest covers it: two models that compute differently would bear the same one.
        guard tensors[tensor].role != .optimizerState else {
          throw FormatError(
            .invalid, at: "value \"\(value.name)\"",
            "expected a weight or a constant, found optimiser state \"\(tensors[tensor].name)\"")
        }
        types[index] = ValueType(tensors[tensor].valueType, constant: tensors[tensor].shape)
      case .node:
        break
      }
    }
    for value in graph.values {
      guard let declared = value.declared else { continue }
      try checkDeclared(declared, value, graph)
    }
    for index in graph.nodes.indices {
      do throws(FormatError) {
        try inferNode(graph, index, inputSizes, &types, &inference)
      } catch {
        throw error.inside(place(graph, index))
      }
    }
    var complete: [ValueType] = []
    complete.reserveCapacity(types.count)
    for (index, type) in types.enumerated() {
      guard let type else {
        throw FormatError(
          .invalid, at: "value \"\(graph.values[index].name)\"", "expected a node that computes it, found none")
      }
      try checkQuantization(graph.values[index], type)
      complete.append(type)
    }
    return complete
  }

  private static func checkDeclared(
    _ declared: ValueType, _ value: Value, _ graph: Graph
  ) throws(FormatError) {
    guard case .node = value.source else {
      throw FormatError(
        .invalid, at: "value \"\(value.name)\"", "expected a declared type of a node's output alone, found one here")
    }
    for dimension in declared.shape {
      for symbol in dimension.symbols where symbol < 0 || symbol >= graph.symbols.count {
        throw FormatError(
          .invalid, at: "value \"\(value.name)\"",
          "expected a symbol below \(graph.symbols.count), found \(symbol)")
      }
    }
  }

  private static func checkQuantization(_ value: Value, _ type: ValueType) throws(FormatError) {
    guard let quantization = value.quantization, type.isDecided else { return }
    let known = type.shape.compactMap { $0.constant }
    do throws(FormatError) {
      if case .tensor = value.source {
        throw contractError("expected the quantization of a tensor's value on the tensor, found another on the value")
      }
      guard type.dtype == .f32 else {
        throw contractError("expected quantization of a float32 value, found \(type.dtype.name)")
      }
      try quantization.check(shape: known.count == type.shape.count ? known : nil)
    } catch { throw error.inside("value \"\(value.name)\"") }
  }

  private static func inputType(
    _ input: Input, _ name: String, _ graph: Graph, _ sizes: [Int]?, _ inference: ShapeInference
  ) throws(FormatError) -> ValueType {
    let place = "input \"\(name)\""
    guard input.type.shape.count <= Limits.rank else {
      throw FormatError(
        .limitExceeded, at: place, "expected at most \(Limits.rank) dimensions, found \(input.type.shape.count)")
    }
    if case .filled(let fill) = input.omission {
      guard input.type.dtype == .f32, fill.isFinite else {
        throw FormatError(
          .invalid, at: place, "expected a finite float32 fill value, found \(fill) for \(input.type.dtype.name)")
      }
    }
    var shape: [Dimension] = []
    for dimension in input.type.shape {
      for symbol in dimension.symbols where symbol < 0 || symbol >= graph.symbols.count {
        throw FormatError(.invalid, at: place, "expected a symbol below \(graph.symbols.count), found \(symbol)")
      }
      guard let sizes else {
        shape.append(dimension)
        continue
      }
      guard let extent = dimension.evaluated(sizes.map { $0 }) else {
        throw FormatError(.limitExceeded, at: place, "expected at most \(Limits.elements) elements, found more")
      }
      shape.append(Dimension(extent))
    }
    do throws(FormatError) { _ = try inference.product(shape) } catch { throw error.inside(place) }
    return ValueType(input.type.dtype, shape)
  }

  private static func inferNode(
    _ graph: Graph, _ index: Int, _ sizes: [Int]?, _ types: inout [ValueType?], _ inference: inout ShapeInference
  ) throws(FormatError) {
    let node = graph.nodes[index]
    var operands: [ValueType?] = []
    for input in node.inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard input >= 0, input < types.count else {
        throw contractError("expected inputs among \(types.count) values, found number \(input + 1)")
      }
      guard let type = types[input] else {
        throw contractError(
          "expected inputs computed by earlier nodes, found \"\(graph.values[input].name)\" computed later")
      }
      operands.append(type)
    }
    let outputs = try outputTypes(node, operands, sizes, &inference)
    guard outputs.count == node.outputs.count else {
      throw contractError("expected \(counted(outputs.count, "output")), found \(node.outputs.count)")
    }
    for (output, type) in zip(node.outputs, outputs) {
      guard output >= 0, output < types.count else {
        throw contractError("expected outputs among \(types.count) values, found number \(output + 1)")
      }
      guard case .node = graph.values[output].source, types[output] == nil else {
        throw contractError("expected an output computed once, found \"\(graph.values[output].name)\" computed already")
      }
      guard type.shape.count <= Limits.rank else {
        throw FormatError(
          .limitExceeded, at: "", "expected at most \(Limits.rank) dimensions, found \(type.shape.count)")
      }
      _ = try inference.product(type.shape)
      types[output] = type.isDecided ? type : graph.values[output].declared ?? type
    }
  }

  /// Undecided where the operator's rule, or an operand, is.
  private static func outputTypes(
    _ node: Node, _ operands: [ValueType?], _ sizes: [Int]?, _ inference: inout ShapeInference
  ) throws(FormatError) -> [ValueType] {
    if case .onnx = node.op {
      _ = try node.op.outputs(operands, &inference)
      return [ValueType](repeating: .undecided, count: node.outputs.count)
    }
    if operands.contains(where: { $0.map { !$0.isDecided } ?? false }) { return [.undecided] }
    return try node.op.bound(to: sizes).outputs(operands, &inference)
  }
}

extension Operator {
  /// The operator once the graph's symbols have sizes; nil: as it is.
  /// - Throws: `FormatError` `.limitExceeded` for an extent past the limits.
  package func bound(to sizes: [Int]?) throws(FormatError) -> Operator {
    guard let sizes, case .reshape(let reshape) = self else { return self }
    var shape: [Dimension] = []
    for dimension in reshape.shape {
      guard let extent = dimension.evaluated(sizes.map { $0 }) else {
        throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.elements) elements, found more")
      }
      shape.append(Dimension(extent))
    }
    return .reshape(Reshape(shape))
  }
}

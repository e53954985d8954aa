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
    let types = try program.bind(symbolSizes: sizes)
    let shapes = types.map { $0.shape.map { $0.constant ?? 0 } }
    var values = [ReferenceTensor?](repeating: nil, count: graph.values.count)
    for (index, value) in graph.values.enumerated() {
      switch value.source {
      case .input(let input):
        if let given = inputs[value.name] {
          guard given.shape == shapes[index] else {
            throw FormatError(
              .invalid, at: "input \"\(value.name)\"",
              "expected \(shapeText(shapes[index])), found \(shapeText(given.shape))")
          }
          values[index] = given
        } else if case .filled(let fill) = input.omission {
          values[index] = ReferenceTensor(shape: shapes[index], repeating: Double(fill))
        } else if case .required = input.omission {
          throw FormatError(.invalid, at: "input \"\(value.name)\"", "expected a tensor, found none; give it")
        }
      case .tensor(let tensor): values[index] = try ReferenceTensor(program.tensors[tensor])
      case .node: break
      }
    }
    for node in graph.nodes {
      let operands = node.inputs.map { $0.flatMap { values[$0] } }
      let shape = shapes[node.outputs[0]]
      if case .gate(let gate) = node.op {
        values[node.outputs[0]] = gate.reference(operands[0], operands[1], shape: shape)
        continue
      }
      // A value that is absent makes all that depends on it absent.
      guard zip(node.inputs, operands).allSatisfy({ $0 == nil || $1 != nil }) else { continue }
      values[node.outputs[0]] = node.op.reference(operands, shape: shape)
    }
    var named: [String: ReferenceTensor] = [:]
    for (value, tensor) in zip(graph.values, values) { named[value.name] = tensor }
    return named
  }

  private func symbolSizes(_ inputs: [String: ReferenceTensor]) throws(FormatError) -> [Int] {
    let graph = program.graph
    for name in inputs.keys.sorted() where !program.inputs.contains(where: { graph.values[$0].name == name }) {
      throw FormatError(.invalid, at: "input \"\(name)\"", "expected an input of the graph, found no such name")
    }
    var sizes = [Int](repeating: 1, count: graph.symbols.count)
    for index in program.inputs {
      guard let given = inputs[graph.values[index].name] else { continue }
      for (extent, dimension) in zip(given.shape, program.types[index].shape) {
        if dimension.coefficient == 1, dimension.symbols.count == 1 { sizes[dimension.symbols[0]] = extent }
      }
    }
    return sizes
  }
}

extension ReferenceTensor {
  /// A float32 tensor of a file.
  init(_ tensor: Tensor) throws(FormatError) {
    guard tensor.dtype == .f32, let count = tensor.elementCount else {
      throw FormatError(
        .unsupported, at: "tensor \"\(tensor.name)\"", "expected float32, found \(tensor.dtype.name)")
    }
    let bytes: [UInt8]
    do throws(FormatError) { bytes = try tensor.bytes() } catch { throw error.inside("tensor \"\(tensor.name)\"") }
    let floats = (0..<count).map { index in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[4 * index + $1]) << UInt32(8 * $1) })
    }
    self.init(shape: tensor.shape, values: floats.map { Double($0) })
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
    }
  }
}

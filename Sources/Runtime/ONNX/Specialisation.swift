#if !ERI_WITHOUT_ONNX
  import ERIFormat
  import ERIONNX

  /// An operator of our own in the place of one of ONNX that means the same, so that its kernels and fusions serve foreign graphs too.
  struct Specialisation {
    let applied: ONNXNode
    let node: Node
    let result: BoundType
    /// By operand: whether it is the same whatever a caller gives.
    let isStatic: [Bool]

    private var op: ONNXOperator { applied.op }
    private var operands: [BoundType?] { applied.operands.map { $0?.type } }

    /// The node, and whether its weight lies [inputs, outputs] where Linear has [outputs, inputs]; nil: there is none.
    func native() -> (node: Node, hasTransposedWeight: Bool)? {
      guard op.domain.isEmpty, node.outputs.count == 1, result.dtype == .f32, !result.shape.isEmpty,
        result.elements > 0,
        let x = operands.first ?? nil, x.dtype == .f32, x.elements > 0
      else { return nil }
      switch op.name {
      case "Add": return elementwise(.add)
      case "Sub": return elementwise(.subtract)
      case "Mul": return elementwise(.multiply)
      case "Div": return elementwise(.divide)
      case "Relu": return plain(.unary(Unary(.relu)), 1)
      case "Sigmoid": return plain(.unary(Unary(.sigmoid)), 1)
      case "Tanh": return plain(.unary(Unary(.tanh)), 1)
      case "Exp": return plain(.unary(Unary(.exp)), 1)
      case "Gelu": return plain(.unary(Unary(op.text("approximate") == "tanh" ? .geluTanh : .gelu)), 1)
      case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity":
        return plain(.reshape(Reshape(result.shape.map { Dimension($0) })), 1)
      case "Transpose":
        return plain(.transpose(Transpose(op.integers("perm") ?? [Int](x.shape.indices.reversed()))), 1)
      case "Concat":
        let axis = op.integer("axis") ?? 0
        guard operands.allSatisfy({ $0.map { $0.elements > 0 } ?? false }) else { return nil }
        return plain(.concat(Concat(axis: axis < 0 ? axis + x.shape.count : axis)), operands.count)
      case "Softmax":
        let axis = op.integer("axis") ?? (op.opset < 13 ? 1 : -1)
        let position = axis < 0 ? axis + x.shape.count : axis
        // Before 13 the axes from there on are one.
        guard op.opset >= 13 || position == x.shape.count - 1 else { return nil }
        return plain(.softmax(Softmax(axis: position)), 1)
      case "LayerNormalization":
        let axis = op.integer("axis") ?? -1
        guard axis == -1 || axis == x.shape.count - 1, operands.count == 3, operands[2] != nil else { return nil }
        return plain(.layerNorm(LayerNorm(epsilon: op.number("epsilon") ?? 1e-5)), 3)
      case "BatchNormalization": return batchNorm()
      case "Conv": return convolution(x)
      case "MaxPool": return maxPool(x)
      case "Gemm": return gemm()
      case "MatMul":
        guard let weight = operands[1], weight.shape.count == 2, x.shape.count >= 2, isStatic[1] else { return nil }
        return fitting(.linear(Linear()), 2, hasTransposedWeight: true)
      default: return nil
      }
    }

    // MARK: Operators

    private func elementwise(_ function: ERIFormat.Binary.Function) -> (Node, Bool)? {
      guard operands.count == 2 else { return nil }
      return plain(.binary(ERIFormat.Binary(function)), 2)
    }

    private func batchNorm() -> (Node, Bool)? {
      guard operands.count == 5, op.integer("training_mode") ?? 0 == 0, op.integer("spatial") ?? 1 == 1,
        isStatic[1...].allSatisfy({ $0 })
      else { return nil }
      return plain(.batchNorm(BatchNorm(epsilon: op.number("epsilon") ?? 1e-5)), 5)
    }

    private func convolution(_ x: BoundType) -> (Node, Bool)? {
      let axes = x.shape.count - 2
      guard (1...2).contains(axes), let weight = operands[1], weight.shape.count == axes + 2,
        isStatic[1...].allSatisfy({ $0 })
      else { return nil }
      guard let window = window(x, [Int](weight.shape[2...])) else { return nil }
      return plain(
        .conv(
          Conv(
            strides: window.map { $0.stride }, dilations: window.map { $0.dilation },
            padsBegin: window.map { $0.before }, padsEnd: window.map { $0.after }, groups: op.integer("group") ?? 1)),
        node.inputs.count)
    }

    private func maxPool(_ x: BoundType) -> (Node, Bool)? {
      let axes = x.shape.count - 2
      let ceil = op.integer("ceil_mode") ?? 0 != 0
      guard (1...2).contains(axes), let kernel = op.integers("kernel_shape"), kernel.count == axes,
        let window = window(x, kernel, roundsUp: ceil)
      else { return nil }
      return plain(
        .maxPool(
          MaxPool(
            kernel: kernel, strides: window.map { $0.stride }, dilations: window.map { $0.dilation },
            padsBegin: window.map { $0.before }, padsEnd: window.map { $0.after }, ceilMode: ceil)), 1)
    }

    /// How the window slides over x's spatial axes; the general kernel has found its attributes valid.
    private func window(_ x: BoundType, _ kernel: [Int], roundsUp: Bool = false) -> [WindowAxis]? {
      try? applied.windowGeometry([Int](x.shape[2...]), kernel: kernel, roundsUp: roundsUp).axes
    }

    private func gemm() -> (Node, Bool)? {
      guard op.integer("transA") ?? 0 == 0, op.number("alpha") ?? 1 == 1, op.number("beta") ?? 1 == 1, isStatic[1]
      else {
        return nil
      }
      if operands.count > 2, let bias = operands[2], bias.shape != [result.shape.last ?? 0] { return nil }
      let isTransposed = op.integer("transB") ?? 0 == 0
      return fitting(.linear(Linear()), node.inputs.count, hasTransposedWeight: isTransposed)
    }

    // MARK: Contract

    /// The node, if its contract takes the operands and gives the result's shape.
    private func plain(_ op: Operator, _ count: Int) -> (Node, Bool)? { fitting(op, count, hasTransposedWeight: false) }

    private func fitting(_ op: Operator, _ count: Int, hasTransposedWeight: Bool) -> (Node, Bool)? {
      guard count <= node.inputs.count else { return nil }
      var types = operands[..<count].map { $0.map { ValueType($0.dtype, constant: $0.shape) } }
      if hasTransposedWeight, let weight = types[1] { types[1] = ValueType(weight.dtype, weight.shape.reversed()) }
      var inference = ShapeInference(symbolNames: [])
      guard let outputs = try? op.outputs(types, &inference), outputs.count == 1,
        outputs[0] == ValueType(.f32, constant: result.shape)
      else { return nil }
      return (Node(op, inputs: [Int?](node.inputs[..<count]), outputs: node.outputs), hasTransposedWeight)
    }
  }
#endif

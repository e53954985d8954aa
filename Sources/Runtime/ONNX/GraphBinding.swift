#if !ERI_WITHOUT_ONNX
  import CERIKernels
  import ERIFormat
  import ERIONNX

  /// Decides types node by node and computes what depends on constants, shapes and known inputs alone, so that shapes computed by the graph
  /// itself need no rule of their own.
  struct GraphBinding {
    private let program: Program
    private let sizes: [Int]
    private let absent: [Bool]
    private let store: WeightStore
    private var types: [BoundType?]
    private var constants: [Int: FloatBlock] = [:]
    private var kernels: [Int: ONNXKernel] = [:]
    private var nodes: [Node]
    private var transposedWeights: Set<Int> = []
    /// Values that tensors alone decide, so that what is packed from them serves every binding.
    private var isStatic: [Bool]
    /// Values of which only an upper bound of the extents is known.
    private var dataSized: Set<Int> = []

    init(_ program: Program, _ binding: InputBinding, _ store: WeightStore) {
      self.program = program
      sizes = binding.symbolSizes
      absent = binding.absent
      self.store = store
      types = [BoundType?](repeating: nil, count: program.graph.values.count)
      nodes = program.graph.nodes
      isStatic = program.graph.values.map { if case .tensor = $0.source { true } else { false } }
    }

    /// Binds all nodes in order.
    mutating func bound(_ given: [Session.InputShape]) throws(RuntimeError) -> BoundGraph {
      let deciding = program.decidingInputs
      for (index, value) in program.graph.values.enumerated() {
        do throws(FormatError) {
          switch value.source {
          case .input(let input):
            var shape: [Int] = []
            for dimension in input.type.shape { shape.append(dimension.evaluated(sizes.map { $0 }) ?? -1) }
            types[index] = try BoundType(input.type.dtype, shape)
          case .tensor(let tensor):
            types[index] = try BoundType(program.tensors[tensor].valueType, program.tensors[tensor].shape)
          case .node: break
          }
        } catch { throw RuntimeError(error.inside("value \"\(value.name)\"")) }
        if deciding.contains(index), case .input = value.source, !absent[index] { try hold(index, value.name, given) }
      }
      for index in program.graph.nodes.indices where !program.graph.nodes[index].outputs.allSatisfy({ absent[$0] }) {
        do throws(FormatError) {
          if case .onnx(let op) = program.graph.nodes[index].op {
            try bindONNX(op, index)
          } else {
            try bindNative(index)
          }
        } catch { throw RuntimeError(error.inside(program.place(ofNode: index))) }
      }
      return BoundGraph(
        nodes, types, absent: absent, constants: constants, kernels: kernels, transposedWeights: transposedWeights)
    }

    /// Takes the values of an input that decides shapes.
    private mutating func hold(
      _ value: Int, _ name: String, _ given: [Session.InputShape]
    ) throws(RuntimeError) {
      guard let type = types[value], let input = given.first(where: { $0.name == name }) else { return }
      guard let values = input.values, values.count == type.byteCount else {
        throw RuntimeError(
          .invalid, at: "input \"\(name)\"",
          "expected its \(type.byteCount) bytes of values when the graph is bound, since shapes depend on them, found \(input.values?.count ?? 0)"
        )
      }
      let block = try FloatBlock(byteCount: type.byteCount)
      UnsafeMutableRawBufferPointer(start: block.pointer, count: values.count).copyBytes(from: values)
      constants[value] = block
    }

    private mutating func bindNative(_ index: Int) throws(FormatError) {
      let node = program.graph.nodes[index]
      var operands: [ValueType?] = []
      for input in node.inputs {
        guard let type = input.flatMap({ types[$0] }) else {
          operands.append(nil)
          continue
        }
        try requireFixed(node)
        guard type.elements > 0 else {
          throw FormatError(.unsupported, at: "", "expected extents of at least 1, found \(shapeText(type.shape))")
        }
        operands.append(ValueType(type.dtype, constant: type.shape))
      }
      var inference = ShapeInference(symbolNames: [])
      let results = try node.op.bound(to: sizes).outputs(operands, &inference)
      for (output, result) in zip(node.outputs, results) {
        types[output] = try BoundType(result.dtype, result.shape.map { $0.constant ?? -1 })
      }
    }

    private mutating func bindONNX(_ op: ONNXOperator, _ index: Int) throws(FormatError) {
      let node = program.graph.nodes[index]
      try requireFixed(node)
      let deciding = op.decidingInputs
      let isConstant = node.inputs.enumerated().allSatisfy { position, input in
        input.map { isKnown($0) || !op.readsValues(ofInput: position) } ?? true
      }
      // Constants that are merely data stay in the file until a plan wants them.
      var blocks: [FloatBlock?] = []
      var operands: [ONNXOperand?] = []
      for (position, input) in node.inputs.enumerated() {
        guard let input, let type = types[input] else {
          blocks.append(nil)
          operands.append(nil)
          continue
        }
        let isWanted = isConstant && op.readsValues(ofInput: position) || deciding.contains(position)
        let block = isWanted ? try known(input) : constants[input]
        blocks.append(block)
        operands.append(ONNXOperand(type, values: block.map { UnsafeRawPointer($0.pointer) }))
      }
      let applied = ONNXNode(op, operands, outputCount: node.outputs.count)
      let kernel = try withExtendedLifetime(blocks) { () throws(FormatError) -> ONNXKernel in try applied.kernel() }
      for (position, output) in node.outputs.enumerated() {
        let type = kernel.outputs[position]
        if let declared = program.graph.values[output].declared, declared.dtype != type.dtype {
          throw FormatError(
            .invalid, at: "",
            "expected \(declared.dtype.name) for \"\(program.graph.values[output].name)\" as the file declares it, found \(type.dtype.name)"
          )
        }
        types[output] = type
        if kernel.dataSizedAxes[position] != nil { dataSized.insert(output) }
      }
      let inputsAreStatic = node.inputs.map { $0.map { isStatic[$0] } ?? true }
      for output in node.outputs { isStatic[output] = inputsAreStatic.allSatisfy { $0 } }
      guard isConstant else {
        let specialisation = Specialisation(
          applied: applied, node: node, result: kernel.outputs[0], isStatic: inputsAreStatic)
        if let (native, hasTransposedWeight) = specialisation.native() {
          nodes[index] = native
          if hasTransposedWeight { transposedWeights.insert(index) }
        } else {
          kernels[index] = kernel
        }
        return
      }
      try compute(kernel, blocks, node)
    }

    /// Runs a kernel whose operands are all known.
    private mutating func compute(_ kernel: ONNXKernel, _ blocks: [FloatBlock?], _ node: Node) throws(FormatError) {
      var results: [FloatBlock] = []
      for type in kernel.outputs { results.append(try allocated(type.byteCount)) }
      let scratch = try allocated(kernel.scratchBytes)
      let found = try withExtendedLifetime((blocks, results, scratch)) { () throws(FormatError) -> [BoundType] in
        try kernel.evaluate(
          blocks.map { $0.map { UnsafeRawPointer($0.pointer) } },
          into: results.map { UnsafeMutableRawPointer($0.pointer) }, scratch: UnsafeMutableRawPointer(scratch.pointer))
      }
      for (position, output) in node.outputs.enumerated() {
        constants[output] = results[position]
        types[output] = found[position]
        dataSized.remove(output)
      }
    }

    private func allocated(_ byteCount: Int) throws(FormatError) -> FloatBlock {
      do throws(RuntimeError) { return try FloatBlock(byteCount: byteCount) } catch {
        throw FormatError(.limitExceeded, at: "", error.message)
      }
    }

    private func isKnown(_ value: Int) -> Bool {
      if case .tensor = program.graph.values[value].source { return true }
      return constants[value] != nil
    }

    private func known(_ value: Int) throws(FormatError) -> FloatBlock? {
      if case .tensor(let tensor) = program.graph.values[value].source {
        do throws(RuntimeError) { return try store.block(tensor: tensor) } catch {
          throw FormatError(.invalid, at: error.place, error.message)
        }
      }
      return constants[value]
    }

    /// Refuses operands whose extents only a run tells.
    private func requireFixed(_ node: Node) throws(FormatError) {
      for case let input? in node.inputs where dataSized.contains(input) {
        throw FormatError(
          .unsupported, at: "",
          "expected operands whose shapes are known before the graph runs, found \"\(program.graph.values[input].name)\", whose size depends on data; such a value can only be an output"
        )
      }
    }
  }

  extension BoundGraph {
    init(
      _ nodes: [Node], _ types: [BoundType?], absent: [Bool], constants: [Int: FloatBlock],
      kernels: [Int: ONNXKernel], transposedWeights: Set<Int>
    ) {
      self.nodes = nodes
      self.transposedWeights = transposedWeights
      shapes = types.map { $0?.shape ?? [] }
      dtypes = types.map { $0?.dtype ?? .f32 }
      self.absent = absent
      self.constants = constants
      self.kernels = kernels
    }
  }

  extension Program {
    /// The inputs that shapes depend on by their values, which binding must be told.
    var decidingInputs: Set<Int> {
      var producers = [Int?](repeating: nil, count: graph.values.count)
      var pending: [Int] = []
      for (index, node) in graph.nodes.enumerated() {
        for output in node.outputs { producers[output] = index }
        guard case .onnx(let op) = node.op else { continue }
        for position in op.decidingInputs where position < node.inputs.count {
          if let input = node.inputs[position] { pending.append(input) }
        }
      }
      var seen: Set<Int> = []
      while let value = pending.popLast() {
        guard seen.insert(value).inserted, let producer = producers[value] else { continue }
        for (position, input) in graph.nodes[producer].inputs.enumerated() {
          // A shape is known without the values.
          if case .onnx(let op) = graph.nodes[producer].op, !op.readsValues(ofInput: position) { continue }
          if let input { pending.append(input) }
        }
      }
      return seen.filter { if case .input = graph.values[$0].source { true } else { false } }
    }
  }
#endif

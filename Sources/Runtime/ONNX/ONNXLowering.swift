import ERIFormat

#if ERI_WITHOUT_ONNX

  extension Planner {
    mutating func lowerONNX(_ op: ONNXOperator, _ node: Node, _ index: Int) throws(RuntimeError) {
      throw unsupported(index, "operators of our own", "\(op.qualifiedName) of ONNX, which this build leaves out")
    }
  }
#else
  import ERIONNX

  extension Planner {
    mutating func lowerONNX(_ op: ONNXOperator, _ node: Node, _ index: Int) throws(RuntimeError) {
      guard let kernel = graph.kernels[index] else { throw unsupported(index, "a bound operator", op.qualifiedName) }
      var inputs: [Slot?] = []
      for position in node.inputs.indices {
        inputs.append(node.inputs[position] == nil ? nil : try operand(node, position, index))
      }
      var outputs: [Slot] = []
      for (position, type) in kernel.outputs.enumerated() {
        let value = position < node.outputs.count ? node.outputs[position] : nil
        let slot = Slot(
          value.map { program.graph.values[$0].name } ?? "\(op.name) output \(position)", shape: type.shape,
          layout: .rowMajor, dtype: type.dtype)
        if let value { slots[value] = slot }
        outputs.append(slot)
      }
      steps.append(ONNXStep(node: index, name: op.name, kernel: kernel, inputs: inputs, outputs: outputs))
    }
  }
#endif

#if !ERI_WITHOUT_ONNX
  import ERIFormat
  import ERIONNX

  /// An operator of ONNX by its general kernel; one unit.
  final class ONNXStep: Step {
    private let kernel: ONNXKernel
    private let name: String
    /// Where each operand stands among the node's inputs.
    private let positions: [Int]
    private let tables: PointerTable
    private var latest: ONNXFault?

    /// - Parameters:
    ///   - inputs: nil: an optional one left out.
    ///   - outputs: one for each of the kernel's.
    init(node: Int, name: String, kernel: ONNXKernel, inputs: [Slot?], outputs: [Slot]) {
      self.kernel = kernel
      self.name = name
      positions = inputs.indices.filter { inputs[$0] != nil }
      tables = PointerTable(inputs: max(inputs.count, 1), outputs: outputs.count)
      super.init(
        node: node, operands: inputs.compactMap { $0.map { Operand($0, sliced: false) } },
        output: Operand(outputs[0], sliced: false),
        moreOutputs: outputs.dropFirst().map { Operand($0, sliced: false) }, items: 1, unitsPerItem: 1,
        scratchCount: (kernel.scratchBytes + 3) / 4, workPerItem: outputs[0].elements)
      for (index, axis) in kernel.dataSizedAxes.enumerated() {
        if let axis { outputs[index].dataSized = (axis, UnsafePointer(tables.extents + index)) }
      }
    }

    override var kernelName: String { name }

    override var canFail: Bool { true }

    override var fault: String? { latest?.text }

    override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
      guard begin < end else { return }
      var index = 0
      while index < positions.count {
        tables.inputs[positions[index]] = UnsafeRawPointer(frame.address(operands[index]))
        index &+= 1
      }
      tables.outputs[0] = UnsafeMutableRawPointer(frame.address(output))
      index = 0
      while index < moreOutputs.count {
        tables.outputs[index &+ 1] = UnsafeMutableRawPointer(frame.address(moreOutputs[index]))
        index &+= 1
      }
      latest = kernel.run(
        ONNXMemory(
          inputs: UnsafePointer(tables.inputs), outputs: UnsafePointer(tables.outputs),
          scratch: UnsafeMutableRawPointer(scratch(frame)), extents: tables.extents))
    }
  }
#endif

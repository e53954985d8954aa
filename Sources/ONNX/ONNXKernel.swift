package import ERIFormat

/// Computes a node's outputs; made once types are known, run as often as its operands change.
package struct ONNXKernel {
  /// Types of the outputs. Where an extent depends on data it is the largest possible, and a run tells how much of it is meant.
  package var outputs: [BoundType]
  /// By output: the axis whose extent depends on data (NonZero's last), or nil. The values lie densely in the actual shape.
  package var dataSizedAxes: [Int?]
  /// Bytes of memory that a run needs for itself, aligned to 64.
  package var scratchBytes: Int
  /// Neither allocates nor traps whatever the operands hold: indices and divisors that come from them are checked.
  package var run: (ONNXMemory) -> ONNXFault?

  package init(
    _ outputs: [BoundType], dataSizedAxes: [Int?]? = nil, scratchBytes: Int = 0,
    run: @escaping (ONNXMemory) -> ONNXFault?
  ) {
    self.outputs = outputs
    self.dataSizedAxes = dataSizedAxes ?? [Int?](repeating: nil, count: outputs.count)
    self.scratchBytes = scratchBytes
    self.run = run
  }
}

extension ONNXKernel {
  /// Runs once, where it need not be done without allocating.
  /// - Parameters:
  ///   - outputs: memory for each of the kernel's.
  ///   - scratch: `scratchBytes` of it.
  /// - Returns: the outputs' types, extents that depend on data as the run found them.
  /// - Throws: `FormatError` `.invalid` for what an operand held.
  package func evaluate(
    _ inputs: [UnsafeRawPointer?], into outputs: [UnsafeMutableRawPointer], scratch: UnsafeMutableRawPointer
  ) throws(FormatError) -> [BoundType] {
    let tables = PointerTable(inputs: max(inputs.count, 1), outputs: max(outputs.count, 1))
    for (index, input) in inputs.enumerated() { tables.inputs[index] = input }
    for (index, output) in outputs.enumerated() { tables.outputs[index] = output }
    let fault = withExtendedLifetime(tables) {
      run(
        ONNXMemory(
          inputs: UnsafePointer(tables.inputs), outputs: UnsafePointer(tables.outputs), scratch: scratch,
          extents: tables.extents))
    }
    if let fault { throw contractError(fault.text) }
    var types = self.outputs
    for (index, axis) in dataSizedAxes.enumerated() {
      guard let axis else { continue }
      var shape = types[index].shape
      shape[axis] = min(shape[axis], tables.extents[index])
      types[index] = try BoundType(types[index].dtype, shape)
    }
    return types
  }
}

/// Where a run finds its operands and puts its outputs; none overlap.
package struct ONNXMemory {
  package let inputs: UnsafePointer<UnsafeRawPointer?>
  package let outputs: UnsafePointer<UnsafeMutableRawPointer>
  package let scratch: UnsafeMutableRawPointer
  /// By output: the extent along its data-sized axis, which the run writes.
  package let extents: UnsafeMutablePointer<Int>

  package init(
    inputs: UnsafePointer<UnsafeRawPointer?>, outputs: UnsafePointer<UnsafeMutableRawPointer>,
    scratch: UnsafeMutableRawPointer, extents: UnsafeMutablePointer<Int>
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.scratch = scratch
    self.extents = extents
  }

  /// Operand `index`, which the kernel knows to be there.
  func input<Element>(_ index: Int, as type: Element.Type = Element.self) -> UnsafePointer<Element> {
    (inputs[index] ?? UnsafeRawPointer(scratch)).assumingMemoryBound(to: Element.self)
  }

  func output<Element>(_ index: Int, as type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
    outputs[index].assumingMemoryBound(to: Element.self)
  }

  /// Scratch memory from a byte offset on.
  func scratch<Element>(_ offset: Int = 0, as type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
    (scratch + offset).assumingMemoryBound(to: Element.self)
  }
}

/// Why a run stopped: what an operand held.
package enum ONNXFault: Equatable, Sendable {
  /// An index outside the extent it points into.
  case indexOutOfRange(index: Int, extent: Int)
  case divisionByZero
  /// A value that the operator does not take, in words.
  case value(StaticString)

  /// "expected an index from -4 to 3, found 7".
  package var text: String {
    switch self {
    case .indexOutOfRange(let index, let extent): "expected an index from \(-extent) to \(extent - 1), found \(index)"
    case .divisionByZero: "expected a divisor other than 0, found 0"
    case .value(let words): "expected \(words)"
    }
  }

  package static func == (a: ONNXFault, b: ONNXFault) -> Bool { a.text == b.text }
}

import ERIFormat
import ERIReference
import ERIRuntime

/// A program bound to inputs and run once, every value kept.
struct GraphSide {
  let program: Program
  let inputs: [GivenValue]
  /// Concrete extents of every value, none of one that was not computed.
  let shapes: [[Int]]
  /// The type of every value.
  let dtypes: [DType]
  let symbolSizes: [Int]
  /// Values that depend on tensors alone.
  let isConstant: [Bool]
  /// The node that computes each value.
  let producer: [Int?]
  /// Multiply-adds of a run.
  let multiplyAdds: Int
  private let session: Session

  /// Runs the program without Winograd and without fusing anything.
  /// - Throws: `FormatError` if the inputs do not fit or this runtime cannot run it.
  init(_ program: Program, _ inputs: [GivenValue], threads: Int) throws(FormatError) {
    self.program = program
    self.inputs = inputs
    let graph = program.graph
    symbolSizes = program.symbolSizes { name in inputs.first { $0.name == name }?.shape }
    var types = try program.bind(symbolSizes: symbolSizes)
    var isConstant = graph.values.map { if case .tensor = $0.source { true } else { false } }
    var producer = [Int?](repeating: nil, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      let depends = node.inputs.contains { $0.map { !isConstant[$0] } ?? false }
      for output in node.outputs {
        producer[output] = index
        isConstant[output] = !depends
      }
    }
    self.isConstant = isConstant
    self.producer = producer
    var options = SessionOptions()
    options.exact = true
    options.keepsValues = true
    options.threads = threads
    session = try GraphSide.run(program, inputs, options)
    for (index, type) in types.enumerated() where !type.isDecided {
      guard let found = session.typedValue(index) else { continue }
      types[index] = ValueType(found.dtype, constant: found.shape)
    }
    shapes = types.map { $0.shape.map { $0.constant ?? 0 } }
    dtypes = types.map { $0.dtype }
    multiplyAdds = session.profile.reduce(0) { $0 + $1.multiplyAdds }
  }

  /// A session that has run.
  private static func run(
    _ program: Program, _ inputs: [GivenValue], _ options: SessionOptions
  ) throws(FormatError) -> Session {
    for input in inputs {
      guard let index = program.value(named: input.name), program.types[index].dtype != input.dtype else { continue }
      throw FormatError(
        .invalid, at: "input \"\(input.name)\"",
        "expected \(program.types[index].dtype.name), found \(input.dtype.name)")
    }
    do throws(RuntimeError) {
      let session = try Session(program, options: options)
      let deciding = session.inputDescriptions.filter { $0.decidesShapes }.map { $0.name }
      try session.bind(
        inputs.map { Session.InputShape($0.name, $0.shape, values: deciding.contains($0.name) ? $0.bytes : nil) })
      for input in inputs {
        _ = session.withInputBytes(input.name) { $0.copyBytes(from: input.bytes) }
      }
      try session.runToEnd()
      return session
    } catch {
      throw FormatError(error)
    }
  }

  /// The first output of a program, as this runtime computes it without Winograd.
  static func output(_ program: Program, _ inputs: [GivenValue], threads: Int) throws(FormatError) -> GivenValue {
    var options = SessionOptions()
    options.exact = true
    options.threads = threads
    let session = try run(program, inputs, options)
    guard let output = session.outputs.first, let bytes = session.withOutputBytes(0, { [UInt8]($0) }) else {
      throw contractError("expected an output that was computed, found none")
    }
    return GivenValue(name: output.name, dtype: output.dtype, shape: output.shape, bytes: bytes)
  }

  /// A value of the run, or nil where it was not computed.
  func value(_ index: Int) -> GivenValue? {
    session.typedValue(index).map { GivenValue(name: name(index), dtype: $0.dtype, shape: $0.shape, bytes: $0.bytes) }
  }

  /// Every value in Double, by name.
  func reference() throws(FormatError) -> [String: ReferenceTensor] {
    var given: [String: ReferenceTensor] = [:]
    for input in inputs { given[input.name] = try input.reference() }
    return try ReferenceExecutor(program).run(inputs: given)
  }
}

extension FormatError {
  /// A fault of the runtime, for those who speak of files.
  init(_ error: RuntimeError) {
    let kind: Kind =
      switch error.kind {
      case .invalid: .invalid
      case .unsupported: .unsupported
      case .noMemory: .limitExceeded
      }
    self.init(kind, at: error.place, error.message)
  }
}

import CERISystem
package import ERIFormat
import ERIReference
import ERIRuntime

/// An input or another value that a run starts from.
package struct GivenValue: Sendable {
  package let name: String
  package let shape: [Int]
  package let values: [Float]

  /// The values as the reference takes them.
  var reference: ReferenceTensor { ReferenceTensor(shape: shape, values: values.map { Double($0) }) }
}

/// A program bound to inputs and run once, every value kept.
struct GraphSide {
  let program: Program
  let inputs: [GivenValue]
  /// Concrete extents of every value.
  let shapes: [[Int]]
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
    var sizes = [Int](repeating: 1, count: graph.symbols.count)
    for index in program.inputs {
      guard let given = inputs.first(where: { $0.name == graph.values[index].name }) else { continue }
      for (extent, dimension) in zip(given.shape, program.types[index].shape)
      where dimension.coefficient == 1 && dimension.symbols.count == 1 { sizes[dimension.symbols[0]] = extent }
    }
    symbolSizes = sizes
    shapes = try program.bind(symbolSizes: sizes).map { $0.shape.map { $0.constant ?? 0 } }
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
    multiplyAdds = session.profile.reduce(0) { $0 + $1.multiplyAdds }
  }

  /// A session that has run.
  private static func run(
    _ program: Program, _ inputs: [GivenValue], _ options: SessionOptions
  ) throws(FormatError) -> Session {
    do throws(RuntimeError) {
      let session = try Session(program, options: options)
      try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
      for input in inputs {
        _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
      }
      try session.runToEnd()
      return session
    } catch {
      throw FormatError(error)
    }
  }

  /// The first output of a program, as this runtime computes it without Winograd.
  static func output(_ program: Program, _ inputs: [GivenValue], threads: Int) throws(FormatError) -> [Float] {
    var options = SessionOptions()
    options.exact = true
    options.threads = threads
    return try run(program, inputs, options).withOutput(0) { [Float]($0) } ?? []
  }

  /// A value of the run, or nil where it was not computed.
  func values(_ index: Int) -> [Float]? { session.value(named: program.graph.values[index].name) }

  /// Names of computed values that are not float32, outputs first.
  var otherTypes: [String] {
    let graph = program.graph
    let others = graph.values.indices.filter { producer[$0] != nil && program.types[$0].dtype != .f32 }
    return (others.filter { graph.outputs.contains($0) } + others.filter { !graph.outputs.contains($0) }).map {
      name($0)
    }
  }

  /// Every value in Double, by name.
  func reference() throws(FormatError) -> [String: ReferenceTensor] {
    var given: [String: ReferenceTensor] = [:]
    for input in inputs { given[input.name] = input.reference }
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

extension GivenValue {
  /// What both graphs are run on: arrays of a folder, or normal deviates as goldens draw them, every symbol of size 1.
  /// - Parameter folder: holds NAME.npy for each input, `/` as `_`; nil: drawn from `seed` with the input's name as the stream.
  /// - Throws: `FormatError` if a required input's file is missing, or one is of another type.
  package static func inputs(of program: Program, folder: String?, seed: UInt64) throws(FormatError) -> [GivenValue] {
    var inputs: [GivenValue] = []
    for index in program.inputs {
      let value = program.graph.values[index]
      guard case .input(let input) = value.source else { continue }
      guard let folder else {
        // Left out it has a value of its own.
        if case .filled = input.omission { continue }
        inputs.append(try drawn(value.name, input, program.graph.symbols.count, seed))
        continue
      }
      var file = ""
      for scalar in value.name.unicodeScalars { file.unicodeScalars.append(scalar == "/" ? "_" : scalar) }
      let path = "\(folder)/\(file).npy"
      if input.omission != .required, !exists(path) { continue }
      inputs.append(try read(path, value.name, input, program))
    }
    return inputs
  }

  private static func drawn(
    _ name: String, _ input: Input, _ symbols: Int, _ seed: UInt64
  ) throws(FormatError) -> GivenValue {
    guard input.type.dtype == .f32 else {
      throw FormatError(
        .unsupported, at: "input \"\(name)\"",
        "expected float32 inputs to run graphs on, found \(input.type.dtype.name); compare weights with --policy same-weights"
      )
    }
    let ones = [Int?](repeating: 1, count: symbols)
    let shape = input.type.shape.compactMap { $0.evaluated(ones) }
    guard shape.count == input.type.shape.count, let count = elementProduct(shape) else {
      throw FormatError(
        .limitExceeded, at: "input \"\(name)\"", "expected at most \(Limits.elements) elements, found more")
    }
    var random = SeededRandom(seed: seed, stream: name)
    return GivenValue(name: name, shape: shape, values: (0..<count).map { _ in Float(random.normal()) })
  }

  private static func exists(_ path: String) -> Bool {
    let descriptor = eri_file_open_read(path)
    guard descriptor >= 0 else { return false }
    eri_file_close(descriptor)
    return true
  }

  private static func read(
    _ path: String, _ name: String, _ input: Input, _ program: Program
  ) throws(FormatError) -> GivenValue {
    let file = try NPYFile(path: path)
    guard input.type.dtype == .f32 else {
      throw FormatError(
        .unsupported, at: "input \"\(name)\"",
        "expected float32 inputs to run graphs on, found \(input.type.dtype.name); compare weights with --policy same-weights"
      )
    }
    guard file.header.dtype == .f32 else {
      throw FormatError(
        .invalid, at: "\(path): input \"\(name)\"",
        "expected \(input.type.dtype.name) \(input.type.text(program.graph.symbols)), found \(file.header.dtype.name); "
          + "nothing is converted here")
    }
    var values = [Float](repeating: 0, count: file.header.byteCount / 4)
    var failure: FormatError?
    values.withUnsafeMutableBytes { buffer in
      do throws(FormatError) { try file.readValues(into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return GivenValue(name: name, shape: file.header.shape, values: values)
  }
}

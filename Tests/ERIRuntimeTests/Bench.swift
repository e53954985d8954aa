import CERIKernels
import ERIFormat
import ERIReference
import ERIRuntime
import ERITestSupport
import Testing

/// A graph under test with operands drawn from a seed, run by the runtime and by the Double reference.
struct Bench {
  var builder: GraphBuilder
  private(set) var inputs: [(name: String, shape: [Int], values: [Float])] = []
  private let seed: UInt64

  init(seed: UInt64 = 1, symbols: [String] = []) {
    self.seed = seed
    builder = GraphBuilder(symbols: symbols)
  }

  /// Normal deviates of a named stream.
  func deviates(_ name: String, _ shape: [Int]) -> [Float] {
    var random = SeededRandom(seed: seed, stream: name)
    return (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) }
  }

  /// Adds a run-time input; returns its value.
  mutating func input(_ shape: [Int]) -> Int {
    let name = "x\(inputs.count)"
    inputs.append((name, shape, deviates(name, shape)))
    return builder.input(name, ValueType(.f32, constant: shape))
  }

  /// Adds a weight, its deviates mapped; returns its value.
  mutating func weight(_ shape: [Int], _ map: (Float) -> Float = { $0 }) -> Int {
    let name = "w\(builder.tensors.count)"
    return builder.tensor(Tensor(name, shape, floats: deviates(name, shape).map(map)))
  }

  /// Applies an operator; returns its value.
  mutating func apply(_ op: Operator, _ operands: [Int?], name: String? = nil) throws -> Int {
    try builder.apply(op, operands, name: name ?? "y\(builder.graph.nodes.count)")
  }

  /// The program with these outputs.
  func program(outputs: [Int]) throws -> Program {
    var model = Model()
    var graph = builder.graph
    graph.outputs = outputs
    model.graph = graph
    model.tensors = builder.tensors
    return try Program(validating: model)
  }

  /// The runtime's outputs.
  func run(_ program: Program, _ options: SessionOptions = SessionOptions()) throws -> [[Float]] {
    let session = try session(program, options)
    return session.outputs.indices.map { session.withOutput($0) { [Float]($0) } ?? [] }
  }

  /// A session after one run.
  func session(_ program: Program, _ options: SessionOptions) throws -> Session {
    let session = try Session(program, options: options)
    try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
    for input in inputs {
      let isBound = session.withInput(input.name) { buffer in
        for (index, value) in input.values.enumerated() { buffer[index] = value }
        return true
      }
      #expect(isBound == true)
    }
    #expect(session.run() == .done)
    return session
  }

  /// The reference's values by name.
  func reference(_ program: Program) throws -> [String: ReferenceTensor] {
    var given: [String: ReferenceTensor] = [:]
    for input in inputs {
      given[input.name] = ReferenceTensor(shape: input.shape, values: input.values.map { Double($0) })
    }
    return try ReferenceExecutor(program).run(inputs: given)
  }

  /// Runs the program under every instruction set of this processor, with one and with three threads, against the reference.
  func expectReference(
    outputs: [Int], _ tolerance: Tolerance = .products, options: SessionOptions = SessionOptions(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let program = try program(outputs: outputs)
    let expected = try reference(program)
    for variant in 0..<eri_kernels_variant_count() where eri_kernels_variant(variant) != nil {
      for threads in [1, 3] {
        var options = options
        options.instructionSet = String(cString: eri_kernels_variant_name(variant))
        options.threads = threads
        let session = try session(program, options)
        for (index, output) in session.outputs.enumerated() {
          let values = session.withOutput(index) { [Float]($0) } ?? []
          let reference = try #require(expected[output.name], sourceLocation: sourceLocation)
          #expect(output.shape == reference.shape, sourceLocation: sourceLocation)
          let difference = relativeDifference(values, reference.values)
          #expect(
            difference <= tolerance.bound,
            "\(output.name) with \(options.instructionSet ?? "") and \(threads) threads, seed \(seed): \(difference)",
            sourceLocation: sourceLocation)
        }
      }
    }
  }
}

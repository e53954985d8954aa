import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct WeightLoadingTests {
  /// Values that cannot be read.
  private final class Unreadable: TensorSource, @unchecked Sendable {
    override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
      throw FormatError(.invalid, at: "", "expected values, found a scratch")
    }
  }

  private static let threadCounts = [1, 2, 4]

  private func options(threads: Int = 1, memory: MemoryUse = .fast, exact: Bool = false) -> SessionOptions {
    var options = SessionOptions()
    options.threads = threads
    options.memory = memory
    options.exact = exact
    return options
  }

  /// Two layers, the named tensors of which cannot be read.
  private func program(unreadable: Set<String>) throws -> Program {
    var bench = Bench()
    var value = bench.input([2, 8])
    for _ in 0..<3 {
      value = try bench.apply(.linear(Linear()), [value, bench.weight([8, 8]), bench.weight([8])])
    }
    var model = Model()
    var graph = bench.builder.graph
    graph.outputs = [value]
    model.graph = graph
    model.tensors = bench.builder.tensors
    for index in model.tensors.indices where unreadable.contains(model.tensors[index].name) {
      model.tensors[index].values = .source(Unreadable())
    }
    return try Program(validating: model)
  }

  @Test(arguments: threadCounts) func `the first weight that cannot be read is named, on any number of threads`(
    _ threads: Int
  ) throws {
    let session = try Session(try program(unreadable: ["w2", "w4"]), options: options(threads: threads))
    #expect(
      throws: RuntimeError(.invalid, at: "tensor \"w2\"", "expected values, found a scratch")
    ) { try session.bind([Session.InputShape("x0", [2, 8])]) }
    #expect(session.run() == .notBound)
  }

  @Test func `any of the threads may take a job where there are fewer weights than threads`() throws {
    // Which thread takes it is chance: 200 sessions leave none out.
    for _ in 0..<200 {
      let session = try Session(try program(unreadable: ["w0", "w1", "w2", "w3", "w4"]), options: options(threads: 12))
      #expect(throws: RuntimeError.self) { try session.bind([Session.InputShape("x0", [2, 8])]) }
    }
  }

  @Test func `a weight that failed is read again by the next binding`() throws {
    let session = try Session(try program(unreadable: ["w0"]))
    for rows in [2, 2] {
      #expect(throws: RuntimeError.self) { try session.bind([Session.InputShape("x0", [rows, 8])]) }
    }
  }

  @Test(arguments: threadCounts) func `a plan for little memory gives exact's outputs bit for bit`(
    _ threads: Int
  ) throws {
    let network = try NarrowDualBranch(clips: 2)
    let low = try network.output(options(threads: threads, memory: .low))
    #expect(try low == network.output(options(exact: true)))
    #expect(try low != network.output())
  }

  @Test func `a plan for little memory keeps every weight in about its own size`() throws {
    let network = try NarrowDualBranch(clips: 1)
    let low = try network.session(options(memory: .low)).weightByteCount
    #expect(try low < network.session(options()).weightByteCount)
  }

  @Test func `a weight norm that two nodes read is computed once and right`() throws {
    var bench = Bench()
    let x = bench.input([1, 4, 6])
    let v = bench.weight([4, 4, 3])
    let g = bench.weight([4, 1, 1])
    let w = try bench.apply(.weightNorm(WeightNorm()), [v, g])
    let conv = Operator.conv(Conv(strides: [1], dilations: [1], padsBegin: [2], padsEnd: [0]))
    let y = try bench.apply(conv, [x, w, nil])
    let z = try bench.apply(conv, [y, w, nil])
    try bench.expectReference(outputs: [z, w])
  }
}

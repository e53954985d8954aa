import CERIKernels
import CERISystem
public import ERIFormat

/// How a session computes.
public struct SessionOptions: Sendable {
  /// Threads, the caller's included; results are the same bits whatever the number.
  public var threads = 1
  /// "scalar", "avx2", …; nil: what the environment variable ERI_ISA names, else the fastest this processor runs.
  public var instructionSet: String?
  /// Use no algorithm that rounds more than a direct sum of products (no Winograd).
  public var exact = false
  /// What matters more, time or memory.
  public var memory = MemoryUse.fast
  /// Measure the time of each step.
  public var profiles = false
  /// When layers of 8-bit weights and inputs compute with integers; otherwise they compute in float32 from the same integers.
  package enum Integers: Sendable {
    case whereFaster, always, never
  }

  package var integers = Integers.whereFaster
  /// Choices for every binding instead of the rules' own.
  package var choices: PlanChoices?
  /// Choices by what is bound, where `choices` gives none.
  package var tuned: TunedPlans?
  /// Fuse nothing and keep every value readable after a run.
  package var keepsValues = false

  /// Whether no method may transform weights, which rounds more and multiplies their size.
  var sumsDirectly: Bool { exact || memory == .low }

  /// One thread, fastest kernels.
  public init() {}
}

/// What a session's plan is made for.
public enum MemoryUse: String, CaseIterable, Equatable, Sendable {
  /// The fastest methods; weights may be kept in a form several times their size.
  case fast
  /// Every weight once, in its own size, and no method that needs more: the outputs are those of `exact`, bit for bit.
  case low
}

/// How a run ended.
public enum RunStatus: Equatable, Sendable {
  /// All outputs are written.
  case done
  /// An operand held what its operator cannot take, an index out of range; the outputs mean nothing.
  case failed(RuntimeError)
  /// `bind` has not succeeded yet.
  case notBound
}

/// Time of one step, summed over runs and threads.
public struct StepTime: Sendable {
  /// The value the step's node computes.
  public let name: String
  /// The kernel: "conv winograd".
  public let kernel: String
  /// Time in nanoseconds, all threads together.
  public let nanoseconds: UInt64
  /// Multiply-adds of one run, in direct form.
  public let multiplyAdds: Int
  /// The graph's node.
  package let node: Int
}

/// A program made ready to run on given shapes: the plan, its memory and its threads. Use one session from one thread at a time.
public final class Session {
  /// An input's name and the extents a caller will give it.
  public struct InputShape: Equatable, Sendable {
    /// The input's name.
    public let name: String
    /// Extents.
    public let shape: [Int]
    /// The values, row-major and little-endian, of an input that other shapes depend on (`decidesShapes`); else they may be left out.
    public let values: [UInt8]?

    /// Makes a description.
    public init(_ name: String, _ shape: [Int], values: [UInt8]? = nil) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// A declared input, for messages: "faces float32 [N, 32, 3, 112, 112]".
  public struct InputDescription: Equatable, Sendable {
    /// The input's name.
    public let name: String
    /// Its element type.
    public let dtype: DType
    /// Its shape, symbols by name.
    public let shape: String
    /// Whether it may be left out.
    public let isOptional: Bool
    /// Whether other shapes depend on its values, so that `bind` must be told them, and again when they change.
    public let decidesShapes: Bool
  }

  /// An output's name and extents.
  public struct OutputDescription: Equatable, Sendable {
    /// The output's name.
    public let name: String
    /// Its element type.
    public let dtype: DType
    /// Extents; one that depends on data is as the last run left it.
    public let shape: [Int]
  }

  private let program: Program
  private let options: SessionOptions
  private let kernels: OpaquePointer
  private let store: WeightStore
  private let executor: Executor
  private var inputs: [Slot?] = []
  private var outputSlots: [Slot] = []
  private var plan: Plan?
  /// What the plan is bound to.
  private var bound: [InputShape] = []
  /// Whether the last binding found its choices among the measured ones.
  package private(set) var usesTunedPlan = false

  /// Starts the threads; weights are packed by `bind`.
  /// - Throws: `RuntimeError` `.invalid` for a thread count outside 1…1024, `.unsupported` for an instruction set this processor or build lacks or a dtype that is not computed here.
  public init(_ program: Program, options: SessionOptions = SessionOptions()) throws(RuntimeError) {
    self.program = program
    self.options = options
    guard (1...1024).contains(options.threads) else {
      throw RuntimeError(.invalid, at: "threads", "expected 1 to 1024, found \(options.threads)")
    }
    for (value, type) in zip(program.graph.values, program.types) where type.dtype != .f32 && !program.usesONNX {
      throw RuntimeError(
        .unsupported, at: "value \"\(value.name)\"",
        "expected float32, found \(type.dtype.name); this runtime computes in float32")
    }
    kernels = try Session.kernels(options.instructionSet)
    store = WeightStore(program)
    executor = try Executor(threads: options.threads, kernels: kernels, profiles: options.profiles)
  }

  /// The kernels of that name, of the one that ERI_ISA names, or the fastest.
  package static func kernels(_ name: String?) throws(RuntimeError) -> OpaquePointer {
    var chosen = name
    if chosen == nil, let text = eri_environment("ERI_ISA") { chosen = String(cString: text) }
    guard let chosen, !chosen.isEmpty else { return eri_kernels_best() }
    if let kernels = eri_kernels_named(chosen) { return kernels }
    var known: [String] = []
    for variant in 0..<eri_kernels_variant_count() where eri_kernels_variant(variant) != nil {
      known.append(String(cString: eri_kernels_variant_name(variant)))
    }
    throw RuntimeError(
      .unsupported, at: "instruction set",
      "expected one of \(joined(known, separator: ", ")), found \"\(chosen)\"; set ERI_ISA to one of them or leave it out"
    )
  }

  /// The program's declared inputs.
  public var inputDescriptions: [InputDescription] {
    let deciding = decidingInputs
    return program.inputs.map { index in
      var isOptional = true
      if case .input(let input) = program.graph.values[index].source, case .required = input.omission {
        isOptional = false
      }
      return InputDescription(
        name: program.graph.values[index].name, dtype: program.types[index].dtype,
        shape: program.types[index].text(program.graph.symbols), isOptional: isOptional,
        decidesShapes: deciding.contains(index))
    }
  }

  private var decidingInputs: Set<Int> {
    #if ERI_WITHOUT_ONNX
      return []
    #else
      return program.decidingInputs
    #endif
  }

  private func boundGraph(_ given: [InputShape], _ binding: InputBinding) throws(RuntimeError) -> BoundGraph {
    #if !ERI_WITHOUT_ONNX
      if program.usesONNX {
        var graph = GraphBinding(program, binding, store)
        return try graph.bound(given)
      }
    #endif
    return try BoundGraph(program, binding)
  }

  /// Name of the kernels in use: "avx2".
  public var instructionSet: String { String(cString: eri_kernels_name(kernels)) }

  /// Binds the plan to the shapes of the inputs that will be given; inputs left out must be filled or gated.
  /// - Throws: `RuntimeError` `.invalid` naming the input whose name, shape or absence does not fit, `.unsupported` or `.noMemory`.
  public func bind(_ given: [InputShape]) throws(RuntimeError) {
    plan = nil
    bound = []
    executor.release()
    let binding = try InputBinding(program, given)
    let graph = try boundGraph(given, binding)
    var planner = Planner(program: program, graph: graph, options: options, kernels: kernels, store: store)
    planner.choices = choices(for: given)
    store.begin()
    let (plan, inputs, outputs) = try planner.plan()
    try store.finish(executor.workers)
    store.releaseTensors()
    try executor.prepare(plan)
    self.inputs = inputs
    outputSlots = outputs
    for (position, value) in program.inputs.enumerated() {
      guard let fill = binding.fills[value], let slot = inputs[position] else { continue }
      executor.address(slot).update(repeating: fill, count: slot.elements)
    }
    self.plan = plan
    bound = given
  }

  /// As `bind`, unless the plan is bound to these very inputs already.
  /// - Throws: as `bind`.
  package func bindIfNeeded(_ given: [InputShape]) throws(RuntimeError) {
    if plan == nil || given != bound { try bind(given) }
  }

  /// Measured choices for these inputs; the rules' own where there are none, or where the options leave nothing to choose.
  private func choices(for given: [InputShape]) -> PlanChoices {
    usesTunedPlan = false
    if let choices = options.choices { return choices }
    guard !options.sumsDirectly, !options.keepsValues, let tuned = options.tuned else { return PlanChoices() }
    let key = TunedPlans.Key(instructionSet: instructionSet, threads: options.threads, inputs: given)
    guard let choices = tuned[key] else { return PlanChoices() }
    usesTunedPlan = true
    return choices
  }

  /// Lets the caller write a float32 input that `bind` was given; the buffer keeps its content between runs.
  /// - Returns: the body's result, or nil if the input is not bound or of another type.
  public func withInput<Result>(_ name: String, _ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result? {
    guard let slot = inputSlot(name), slot.dtype == .f32 else { return nil }
    return body(UnsafeMutableBufferPointer(start: executor.address(slot), count: slot.elements))
  }

  /// The same for an input of any type, as row-major little-endian bytes.
  public func withInputBytes<Result>(_ name: String, _ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result? {
    guard let slot = inputSlot(name) else { return nil }
    return body(UnsafeMutableRawBufferPointer(start: executor.address(slot), count: slot.byteCount))
  }

  private func inputSlot(_ name: String) -> Slot? {
    guard plan != nil,
      let position = program.inputs.firstIndex(where: { program.graph.values[$0].name.utf8.elementsEqual(name.utf8) })
    else { return nil }
    return inputs[position]
  }

  /// As `run`, whose ending otherwise than done is thrown.
  /// - Throws: `RuntimeError` `.invalid` if the session is not bound, or with the operator whose operand stopped the run.
  public func runToEnd() throws(RuntimeError) {
    switch run() {
    case .done: break
    case .notBound: throw RuntimeError(.invalid, at: "", "expected inputs bound before the run, found none")
    case .failed(let error): throw error
    }
  }

  /// Computes all outputs. Does not allocate, throw or print; takes no lock with one thread.
  public func run() -> RunStatus {
    guard let plan else { return .notBound }
    executor.run(plan)
    for step in plan.fallibleSteps {
      if let fault = step.fault {
        return .failed(RuntimeError(.invalid, at: program.place(ofNode: step.node), fault))
      }
    }
    return .done
  }

  /// Names, types and extents of the outputs, in the graph's order, once bound.
  public var outputs: [OutputDescription] {
    zip(program.graph.outputs, outputSlots).map {
      OutputDescription(name: program.graph.values[$0].name, dtype: $1.dtype, shape: $1.actualShape)
    }
  }

  /// Lets the caller read float32 output `index` after a run.
  /// - Returns: the body's result, or nil if there is no such output or it is of another type.
  public func withOutput<Result>(_ index: Int, _ body: (UnsafeBufferPointer<Float>) -> Result) -> Result? {
    guard plan != nil, index >= 0, index < outputSlots.count, outputSlots[index].dtype == .f32 else { return nil }
    let slot = outputSlots[index]
    return body(UnsafeBufferPointer(start: executor.address(slot), count: slot.actualShape.reduce(1, *)))
  }

  /// The same for an output of any type, as row-major little-endian bytes.
  public func withOutputBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
    guard plan != nil, index >= 0, index < outputSlots.count else { return nil }
    let slot = outputSlots[index]
    return body(
      UnsafeRawBufferPointer(
        start: executor.address(slot), count: slot.actualShape.reduce(1, *) * slot.dtype.byteCount))
  }

  /// Bytes of the arena and the threads' workspaces.
  public var arenaByteCount: Int { executor.byteCount }
  /// Bytes of the packed weights.
  public var weightByteCount: Int { store.packedFloats * 4 }

  /// Time of each step so far, if the options ask for it.
  public var profile: [StepTime] {
    guard let plan else { return [] }
    return plan.steps.enumerated().map { index, step in
      StepTime(
        name: step.output.slot.name, kernel: step.kernelName, nanoseconds: executor.nanoseconds(step: index),
        multiplyAdds: step.workPerItem * step.items, node: step.node)
    }
  }

  /// The kernels of the steps, in order: what the plan chose.
  package var kernelNames: [String] { plan?.steps.map { $0.kernelName } ?? [] }

  /// A value of any type after a run under `keepsValues`, its extents as the run left them; nil if it was not computed.
  package func typedValue(_ index: Int) -> (dtype: DType, shape: [Int], bytes: [UInt8])? {
    guard let plan, index >= 0, index < plan.slots.count, let slot = plan.slots[index] else { return nil }
    let shape = slot.actualShape
    guard slot.dtype != .f32 else {
      guard let floats = value(named: program.graph.values[index].name) else { return nil }
      return (.f32, shape, floats.prefix(shape.reduce(1, *)).withUnsafeBytes { [UInt8]($0) })
    }
    let count = shape.reduce(1, *) * slot.dtype.byteCount
    return (slot.dtype, shape, [UInt8](UnsafeRawBufferPointer(start: executor.address(slot), count: count)))
  }

  /// Elements of a value from one index of axis 1 to the next, as it is bound; 0 if there is no such value.
  package func innerExtent(_ name: String) -> Int {
    guard let plan, let index = program.value(named: name), let slot = plan.slots[index] else { return 0 }
    return slot.shape.dropFirst(2).reduce(1, *)
  }

  /// A value after a run under `keepsValues`, row-major; nil if there is no such value or it was not computed.
  package func value(named name: String) -> [Float]? {
    guard let plan, let index = program.value(named: name), let slot = plan.slots[index], slot.dtype == .f32 else {
      return nil
    }
    let memory = executor.address(slot)
    if let codes = slot.codes, let integers = eri_i8_beside(eri_kernels_name(kernels)) {
      let target = Slot(name, shape: slot.shape, layout: slot.layout)
      guard let block = try? FloatBlock(count: target.itemFloats * target.items) else { return nil }
      target.hold(block)
      let source = Slot(name, shape: slot.shape, layout: slot.layout, codes: codes)
      source.place = .constant(memory)
      DequantizeStep(node: 0, integers: integers, grid: codes, input: source, output: target).run(
        executor.frame, 0, slot.items)
      return withExtendedLifetime(block) { floats(target, block.pointer) }
    }
    return floats(slot, memory)
  }

  /// A float slot's elements, row-major.
  private func floats(_ slot: Slot, _ memory: UnsafeMutablePointer<Float>) -> [Float]? {
    let name = slot.name
    switch slot.layout {
    case .rowMajor:
      return [Float](UnsafeBufferPointer(start: memory, count: slot.elements))
    case .channelsLast:
      let target = Slot(name, shape: slot.shape, layout: .rowMajor)
      guard let block = try? FloatBlock(count: slot.elements) else { return nil }
      target.hold(block)
      let source = Slot(name, shape: slot.shape, layout: slot.layout)
      source.place = .constant(memory)
      let step = LayoutStep(node: 0, input: source, output: target)
      step.run(executor.frame, 0, slot.items)
      return [Float](UnsafeBufferPointer(start: block.pointer, count: slot.elements))
    }
  }
}

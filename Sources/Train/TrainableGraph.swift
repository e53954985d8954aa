package import ERIFormat
package import ERINetworks
import ERIRuntime

/// A model's graph made trainable: its weights and their gradients in flat buffers, and forward, loss and backward over one arena.
///
/// The forward pass runs on the runtime's kernels. The loss is the squared error of the graph's one output. Use one graph from one thread.
package final class TrainableGraph {
  /// One weight of the model.
  package struct Parameter: Sendable {
    package let name: String
    package let shape: [Int]
    /// Its elements in `weights` and `gradients`.
    package let range: Range<Int>
    package let isFrozen: Bool
  }

  /// A running mean or variance, which batches update and no gradient does.
  package struct Statistic {
    package let name: String
    package let shape: [Int]
    package let values: UnsafeMutableBufferPointer<Float>
  }

  /// In the model's order.
  package let parameters: [Parameter]
  package let statistics: [Statistic]
  /// All parameters one after another, each from a multiple of 16 on; what lies between is 0.
  package let weights: UnsafeMutableBufferPointer<Float>
  package let gradients: UnsafeMutableBufferPointer<Float>
  private let model: Model
  private let program: Program
  private let run: TrainingRun
  private let dropouts: [String: Double]
  private let frozenStatistics: Bool
  private let exact: Bool
  private let blocks: [FloatBlock]
  /// The memory of each tensor that the graph reads.
  private let storages: [Int: TrainingStorage]
  private var plans: [Int: TrainingPlan] = [:]
  private var plan: TrainingPlan?

  /// - Parameters:
  ///   - dropouts: sites by the names of the graph's values.
  ///   - isFrozen: whether a weight of that name stays as it is.
  ///   - frozenStatistics: batch normalisation uses the running statistics and leaves them.
  ///   - exact: use no convolution that rounds more than a direct sum of products.
  /// - Throws: `TrainError` if the graph has an operator without a gradient, or not one output and one symbol, or memory is short.
  package init(
    _ model: Model, dropouts: [DropoutSite] = [], isFrozen: (String) -> Bool = { _ in false },
    frozenStatistics: Bool = false, exact: Bool = false, threads: WorkerThreads
  ) throws(TrainError) {
    self.model = model
    do throws(FormatError) { program = try Program(validating: model) } catch { throw TrainError(error) }
    guard program.graph.outputs.count == 1, program.graph.symbols.count == 1 else {
      throw TrainError(
        .unsupported,
        "graph: expected one output and one symbol, the batch, found \(counted(program.graph.outputs.count, "output")) "
          + "and \(counted(program.graph.symbols.count, "symbol")); train one of the networks that `eri init` makes")
    }
    run = try TrainingRun(kernels: try TrainingKernels().pointer, threads: threads)
    var rates: [String: Double] = [:]
    for site in dropouts { rates[site.value] = site.rate }
    self.dropouts = rates
    self.frozenStatistics = frozenStatistics
    self.exact = exact
    let memory = try TensorMemory(program, isFrozen: isFrozen)
    parameters = memory.parameters
    statistics = memory.statistics
    weights = memory.weights
    gradients = memory.gradients
    storages = memory.storages
    blocks = memory.blocks
  }

  /// Lays out the memory for so many samples, keeping what it laid out for other numbers. Inputs and targets must be written after it, and
  /// stay until the graph is bound to another number; those that may be left out hold what stands in for them.
  package func bind(batch: Int) throws(TrainError) {
    if plan?.batch == batch { return }
    let plan: TrainingPlan
    if let known = plans[batch] { plan = known } else { plan = try makePlan(batch) }
    plans[batch] = plan
    try run.reserve(arena: plan.arenaCount, shared: plan.sharedCount, scratch: plan.scratchCount)
    self.plan = plan
    for index in program.inputs {
      guard case .input(let input) = program.graph.values[index].source, case .filled(let fill) = input.omission else {
        continue
      }
      self.input(program.graph.values[index].name).update(repeating: fill)
    }
  }

  private func makePlan(_ batch: Int) throws(TrainError) -> TrainingPlan {
    let types: [ValueType]
    do throws(FormatError) { types = try program.bind(symbolSizes: [batch]) } catch { throw TrainError(error) }
    let planner = try TrainingPlanner(
      program, types: types, dropouts: dropouts, frozenStatistics: frozenStatistics, exact: exact, storages: storages)
    var inputs: [String: TrainingValue] = [:]
    for index in program.inputs { inputs[program.graph.values[index].name] = planner.values[index] }
    let outputIndex = program.graph.outputs[0]
    guard let output = planner.values[outputIndex], output.needsGradient else {
      throw TrainError(
        .unsupported,
        "output \"\(program.graph.values[outputIndex].name)\": expected one that something trained decides, "
          + "found none; train one of the networks that `eri init` makes, and not all of it frozen")
    }
    return try TrainingPlan(batch: batch, planner: planner, output: output, inputs: inputs)
  }

  /// Names of the graph's inputs, in declaration order.
  package var inputNames: [String] { program.inputs.map { program.graph.values[$0].name } }

  /// Those of them that have no value unless they are written.
  package var requiredInputNames: [String] {
    program.inputs.filter {
      guard case .input(let input) = program.graph.values[$0].source, case .filled = input.omission else { return true }
      return false
    }.map { program.graph.values[$0].name }
  }

  /// The values of an input of the bound batch, row-major; empty if there is none of that name.
  package func input(_ name: String) -> UnsafeMutableBufferPointer<Float> {
    guard let value = plan?.inputs[name] else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    return UnsafeMutableBufferPointer(start: run.data(value), count: value.count)
  }

  /// What the outputs should be, row-major as they are.
  package var targets: UnsafeMutableBufferPointer<Float> {
    guard let plan else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    return UnsafeMutableBufferPointer(start: run.arena + plan.targets.offset, count: plan.targets.count)
  }

  /// The outputs of the last step.
  package var outputs: UnsafeBufferPointer<Float> {
    guard let plan else { return UnsafeBufferPointer(start: nil, count: 0) }
    return UnsafeBufferPointer(start: run.data(plan.output), count: plan.output.count)
  }

  package func clearGradients() { gradients.update(repeating: 0) }

  /// Forward, loss and backward over the bound batch: adds the gradients of scale · Σ (ŷ - y)².
  /// - Parameter key: decides the dropout masks, together with their sites.
  /// - Returns: Σ (ŷ - y)².
  @discardableResult
  package func step(key: UInt64, scale: Float) -> Double {
    guard let plan else { return 0 }
    run.key = key
    plan.forward(run)
    let (y, dy, targets) = (run.data(plan.output), run.gradient(plan.output), targets)
    var loss = 0.0
    for index in 0..<plan.output.count {
      let difference = Double(y[index]) - Double(targets[index])
      loss += difference * difference
      dy[index] = Float(2 * Double(scale) * difference)
    }
    plan.backward(run)
    return loss
  }

  /// How long each step of the bound batch took so far.
  package var times: [TrainingStepTime] { plan?.times ?? [] }

  /// The model with the weights and statistics as they are now.
  package func exported() -> Model {
    var result = model
    var values: [String: UnsafeRawBufferPointer] = [:]
    for parameter in parameters {
      values[parameter.name] = UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: weights[parameter.range]))
    }
    for statistic in statistics { values[statistic.name] = UnsafeRawBufferPointer(statistic.values) }
    for index in result.tensors.indices {
      if let bytes = values[result.tensors[index].name] { result.tensors[index].values = .bytes([UInt8](bytes)) }
    }
    return result
  }
}

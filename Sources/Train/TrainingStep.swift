import ERIRuntime

/// One operator in training: forward as the runtime computes it, and the gradients of its inputs.
class TrainingStep {
  let name: String
  let inputs: [TrainingValue]
  let output: TrainingValue
  private let kernel: Step?
  /// Floats that each thread, and all together, need within one pass.
  var scratchCount: Int
  var sharedCount: Int
  /// Nanoseconds of all passes so far.
  var forwardTime: UInt64 = 0
  var backwardTime: UInt64 = 0

  /// - Parameter kernel: the runtime's step that computes the output; nil where `forward` is overridden.
  init(
    _ name: String, inputs: [TrainingValue], output: TrainingValue, kernel: Step? = nil, scratch: Int = 0,
    shared: Int = 0
  ) {
    self.name = name
    self.inputs = inputs
    self.output = output
    self.kernel = kernel
    scratchCount = max(scratch, kernel?.scratchCount ?? 0)
    sharedCount = shared
  }

  /// What runs, for profiles.
  var kind: String { "" }

  /// Computes the output.
  func forward(_ run: TrainingRun) {
    guard let kernel else { return }
    run.split(kernel.items * kernel.unitsPerItem) { begin, end, thread in kernel.run(run.frame(thread), begin, end) }
  }

  /// Says which gradients the step writes and what it reads for them.
  func planBackward(_ plan: BackwardPlan) {}

  /// Computes the gradients of the inputs from the output's.
  func backward(_ run: TrainingRun) {}
}

/// What one step declares of its backward pass: it fixes how long memory lives and who writes a gradient first.
final class BackwardPlan {
  private let time: Int

  init(time: Int) { self.time = time }

  /// The gradient of an input, to be written or added to; nil where none is wanted.
  func target(_ value: TrainingValue) -> GradientTarget? {
    guard value.needsGradient else { return nil }
    return GradientTarget(storage: value.storage, accumulates: value.storage.useGradient(at: time))
  }

  /// Notes that the gradient of the output is read.
  func source(_ value: TrainingValue) { _ = value.storage.useGradient(at: time) }

  /// Notes that a value is read again.
  func keep(_ value: TrainingValue) { value.storage.use(at: time) }
}

/// Doubles that sums over a batch go to.
final class DoubleBlock {
  let pointer: UnsafeMutablePointer<Double>
  let count: Int

  init(count: Int) {
    self.count = count
    pointer = .allocate(capacity: max(count, 1))
    clear()
  }

  deinit { pointer.deallocate() }

  func clear() { pointer.initialize(repeating: 0, count: count) }
}

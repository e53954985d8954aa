import CERISystem
import ERIFormat
import ERIRuntime

/// A graph bound to one batch: its steps forward and backward, and where in the arena everything lies.
final class TrainingPlan {
  let batch: Int
  private let steps: [TrainingStep]
  private let backwardSteps: [TrainingStep]
  /// By name.
  let inputs: [String: TrainingValue]
  let output: TrainingValue
  let targets: TrainingBuffer
  let arenaCount: Int
  let sharedCount: Int
  let scratchCount: Int

  init(batch: Int, planner: TrainingPlanner, output: TrainingValue, inputs: [String: TrainingValue])
    throws(TrainError)
  {
    self.batch = batch
    self.inputs = inputs
    self.output = output
    let steps = planner.steps
    targets = TrainingBuffer(count: output.count)
    // Step i runs forward at time i, the loss at time n, step i backward at time 2 n - i.
    let lossTime = steps.count
    let end = 2 * steps.count + 1
    var storages: [ObjectIdentifier: TrainingStorage] = [:]
    for (time, step) in steps.enumerated() {
      for value in step.inputs + [step.output] {
        value.storage.use(at: time)
        storages[ObjectIdentifier(value.storage)] = value.storage
      }
    }
    // The caller writes inputs and targets before a step, not always again before the next, and reads output and targets after it.
    for value in inputs.values {
      value.storage.use(at: 0)
      value.storage.use(at: end)
      storages[ObjectIdentifier(value.storage)] = value.storage
    }
    targets.use(at: 0)
    targets.use(at: end)
    output.storage.use(at: lossTime)
    output.storage.use(at: end)
    _ = output.storage.useGradient(at: lossTime)
    var backwardSteps: [TrainingStep] = []
    for (index, step) in steps.enumerated().reversed()
    where step.output.needsGradient && step.output.storage.gradient != nil {
      step.planBackward(BackwardPlan(time: 2 * lossTime - index))
      backwardSteps.append(step)
    }
    self.steps = steps
    self.backwardSteps = backwardSteps
    sharedCount = steps.reduce(0) { max($0, $1.sharedCount) }
    scratchCount = steps.reduce(0) { max($0, $1.scratchCount) }

    var buffers: [TrainingBuffer] = [targets]
    for storage in storages.values {
      for case .arena(let buffer)? in [storage.data, storage.gradient] { buffers.append(buffer) }
    }
    var packing = IntervalPacking()
    // Dictionaries have no stable order, and the layout should be the same each time.
    for buffer in buffers.sorted(by: {
      ($0.count, $0.firstUse, $0.lastUse) < ($1.count, $1.firstUse, $1.lastUse)
    }) {
      packing.add(size: buffer.count, first: buffer.firstUse, last: buffer.lastUse) { buffer.place(at: $0) }
    }
    guard let total = packing.pack() else {
      throw TrainError(
        .exhausted, "training: expected an arena within the address space, found a larger one; use a smaller batch")
    }
    arenaCount = total
  }

  func forward(_ run: TrainingRun) {
    for step in steps { step.forwardTime += timed { step.forward(run) } }
  }

  func backward(_ run: TrainingRun) {
    for step in backwardSteps { step.backwardTime += timed { step.backward(run) } }
  }

  /// Time of each step so far.
  var times: [TrainingStepTime] {
    steps.map {
      TrainingStepTime(name: $0.name, kind: $0.kind, forward: $0.forwardTime, backward: $0.backwardTime)
    }
  }
}

/// How long one step took, all passes together, in nanoseconds.
package struct TrainingStepTime: Sendable {
  package let name: String
  package let kind: String
  package let forward: UInt64
  package let backward: UInt64
}

private func timed(_ body: () -> Void) -> UInt64 {
  let start = eri_clock_monotonic()
  body()
  return eri_clock_monotonic() - start
}

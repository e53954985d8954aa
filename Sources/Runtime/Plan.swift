/// A program bound to shapes: steps in order, their stages, and where every value lies.
final class Plan {
  let steps: [Step]
  /// Those that are to be asked after a run whether they ended well.
  let fallibleSteps: [Step]
  let stages: [Stage]
  /// The slot of each of the graph's values, by index; nil where none is stored.
  let slots: [Slot?]
  /// Floats of the arena that all threads share, and of each thread's workspace.
  let arenaFloats: Int
  let workspaceFloats: Int

  init(
    steps: [Step], slots: [Slot?], inputs: [Slot], outputs: [Slot], threads: Int, keepsValues: Bool,
    choices: PlanChoices
  ) throws(RuntimeError) {
    self.steps = steps
    fallibleSteps = steps.filter { $0.canFail }
    self.slots = slots
    stages =
      keepsValues
      ? steps.indices.map { Stage(steps: $0..<($0 + 1), form: .stepwise) }
      : Stage.divide(steps, threads: threads, choices)
    let layout = PlanLayout(steps: steps, stages: stages, inputs: inputs, outputs: outputs, keepsValues: keepsValues)
    guard let sizes = layout.place() else {
      throw RuntimeError(
        .noMemory, at: "", "expected an arena within the address space, found a larger one; use a smaller batch")
    }
    (arenaFloats, workspaceFloats) = sizes
  }
}

/// Decides where each value of a plan lies.
private struct PlanLayout {
  /// First and last use of a slot.
  private final class Life {
    let slot: Slot
    var firstStep: Int
    var lastStep: Int
    var firstStage: Int
    var lastStage: Int
    var isPersistent = false
    var isShared = false

    init(_ slot: Slot, step: Int, stage: Int) {
      self.slot = slot
      firstStep = step
      lastStep = step
      firstStage = stage
      lastStage = stage
    }
  }

  private let steps: [Step]
  private let stages: [Stage]
  private var lives: [ObjectIdentifier: Life] = [:]

  init(steps: [Step], stages: [Stage], inputs: [Slot], outputs: [Slot], keepsValues: Bool) {
    self.steps = steps
    self.stages = stages
    for slot in inputs { use(slot, step: 0, stage: 0, persistent: true) }
    for (index, stage) in stages.enumerated() {
      for step in stage.steps {
        for operand in steps[step].operands { use(operand.slot, step: step, stage: index, persistent: keepsValues) }
        use(steps[step].output.slot, step: step, stage: index, persistent: keepsValues)
        for output in steps[step].moreOutputs { use(output.slot, step: step, stage: index, persistent: keepsValues) }
      }
    }
    for slot in outputs { use(slot, step: steps.count, stage: stages.count, persistent: true) }
  }

  private mutating func use(_ slot: Slot, step: Int, stage: Int, persistent: Bool) {
    let root = slot.root
    if root.isConstant { return }
    let life: Life
    if let known = lives[ObjectIdentifier(root)] {
      life = known
    } else {
      life = Life(root, step: step, stage: stage)
      lives[ObjectIdentifier(root)] = life
    }
    life.lastStep = step
    life.lastStage = stage
    // The caller writes inputs and reads outputs between runs.
    if persistent { life.isPersistent = true }
    if stage >= stages.count {
      life.isShared = true
    } else if case .stepwise = stages[stage].form {
      life.isShared = true
    }
    if life.firstStage != life.lastStage || persistent { life.isShared = true }
  }

  /// Assigns every place.
  /// - Returns: floats of the arena and of one workspace, or nil on overflow.
  func place() -> (arena: Int, workspace: Int)? {
    var arena = IntervalPacking()
    var workspace = IntervalPacking()
    // Dictionaries have no stable order, and the layout should be the same each time.
    for life in lives.values.sorted(by: {
      ($0.firstStep, $0.lastStep, $0.slot.name) < ($1.firstStep, $1.lastStep, $1.slot.name)
    }) {
      let slot = life.slot
      if life.isShared {
        let (size, overflow) = slot.itemFloats.multipliedReportingOverflow(by: slot.items)
        guard !overflow else { return nil }
        // Within a chunked stage threads run at their own pace, so a value lives through the whole of it.
        arena.add(
          size: size, first: life.isPersistent ? 0 : firstShared(life),
          last: life.isPersistent ? steps.count : lastShared(life)
        ) { slot.place = .shared($0) }
      } else if case .chunked(_, let outerChunk, let groups) = stages[life.firstStage].form {
        let first = groups.first { $0.steps.contains(life.firstStep) }
        let last = groups.first { $0.steps.contains(life.lastStep) }
        guard let first, let last else { return nil }
        let isInner = first.steps == last.steps
        let (size, overflow) = slot.itemFloats.multipliedReportingOverflow(by: isInner ? first.chunk : outerChunk)
        guard !overflow else { return nil }
        // A value that crosses groups lives through all repetitions of its first and last group.
        workspace.add(
          size: size, first: isInner ? life.firstStep : first.steps.lowerBound,
          last: isInner ? life.lastStep : last.steps.upperBound - 1
        ) { slot.place = isInner ? .inner($0) : .outer($0) }
      }
    }
    for (index, step) in steps.enumerated() where step.scratchCount > 0 {
      workspace.add(size: step.scratchCount, first: index, last: index) { step.scratchOffset = $0 }
    }
    guard let arenaFloats = arena.pack(), let workspaceFloats = workspace.pack() else { return nil }
    return (arenaFloats, workspaceFloats)
  }

  private func stepsOf(_ stage: Int) -> Range<Int> {
    stage < stages.count ? stages[stage].steps : steps.count..<(steps.count + 1)
  }

  /// In a stepwise stage steps follow one another, so a value begins with its first step…
  private func firstShared(_ life: Life) -> Int {
    if life.firstStage < stages.count, case .stepwise = stages[life.firstStage].form { return life.firstStep }
    return stepsOf(life.firstStage).lowerBound
  }

  /// … and ends with its last.
  private func lastShared(_ life: Life) -> Int {
    if life.lastStage < stages.count, case .stepwise = stages[life.lastStage].form { return life.lastStep }
    return stepsOf(life.lastStage).upperBound - 1
  }
}

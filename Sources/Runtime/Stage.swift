/// Consecutive steps that threads work through together.
struct Stage {
  /// Steps that run on the same few items at a time, their intermediate values in cache.
  struct Group {
    let steps: Range<Int>
    let chunk: Int
  }

  /// How the stage's work is divided.
  enum Form {
    /// Threads take outer chunks of items; each chunk goes through all groups on one thread.
    case chunked(items: Int, outerChunk: Int, groups: [Group])
    /// One step after another, each divided among the threads by its units.
    case stepwise
  }

  let steps: Range<Int>
  let form: Form

  /// Divides the steps into stages.
  static func divide(_ steps: [Step], threads: Int, _ choices: PlanChoices) -> [Stage] {
    var stages: [Stage] = []
    var first = 0
    while first < steps.count {
      let items = steps[first].output.sliced ? steps[first].items : 1
      var last = first + 1
      if items == 1 {
        while last < steps.count, !steps[last].output.sliced || steps[last].items == 1 { last += 1 }
        stages.append(Stage(steps: first..<last, form: .stepwise))
      } else {
        while last < steps.count, steps[last].output.sliced, steps[last].items == items,
          !needsWhole(steps[last], producedBy: steps[first..<last])
        {
          last += 1
        }
        let outer = min(choices.outerItems, (items + threads - 1) / threads)
        stages.append(
          Stage(
            steps: first..<last,
            form: .chunked(items: items, outerChunk: outer, groups: groups(steps, first..<last, outer, choices))))
      }
      first = last
    }
    return stages
  }

  /// Whether the step reads all items of a value that the given steps compute.
  private static func needsWhole(_ step: Step, producedBy steps: ArraySlice<Step>) -> Bool {
    step.operands.contains { operand in
      !operand.sliced && !operand.slot.isConstant
        && steps.contains { $0.output.slot.root === operand.slot.root }
    }
  }

  /// Joins neighbours whose ranges of good chunk sizes overlap.
  private static func groups(_ steps: [Step], _ range: Range<Int>, _ outer: Int, _ choices: PlanChoices) -> [Group] {
    var groups: [Group] = []
    var first = range.lowerBound
    var (low, high) = chunkRange(steps[first], outer, choices)
    for index in range.dropFirst() {
      let (nextLow, nextHigh) = chunkRange(steps[index], outer, choices)
      if max(low, nextLow) <= min(high, nextHigh) {
        (low, high) = (max(low, nextLow), min(high, nextHigh))
      } else {
        groups.append(Group(steps: first..<index, chunk: low))
        first = index
        (low, high) = (nextLow, nextHigh)
      }
    }
    groups.append(Group(steps: first..<range.upperBound, chunk: low))
    return groups
  }

  private static func chunkRange(_ step: Step, _ outer: Int, _ choices: PlanChoices) -> (low: Int, high: Int) {
    var bytes = step.output.slot.itemFloats * 4
    for operand in step.operands where operand.sliced { bytes += operand.slot.itemFloats * 4 }
    let low = min(step.minimumItems, outer)
    let fitting = max(1, choices.cacheBytes / max(bytes, 1))
    return (low, min(outer, 2 * max(low, fitting)))
  }
}

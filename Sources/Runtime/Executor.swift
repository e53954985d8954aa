import CERIKernels
import CERISystem
import ERIFormat

/// The memory and threads that run a plan.
final class Executor {
  /// The caller and those beside it.
  let workers: WorkerThreads
  private let kernels: OpaquePointer
  private let profiles: Bool
  private var arena: FloatBlock
  /// What stands for an arena while no plan is bound.
  private let empty: FloatBlock
  private var workspaces: [FloatBlock] = []
  /// Nanoseconds by thread and step.
  private var times: UnsafeMutablePointer<UInt64>
  private var timedSteps = 0
  // What the pool's threads work on; set by `run`.
  private var plan: Plan?
  private var stage = 0
  private var step = 0
  private var pieces = 1

  /// Below this many multiply-adds per thread waking the others costs more than it saves.
  private static let smallWork = 200_000

  init(threads: Int, kernels: OpaquePointer, profiles: Bool) throws(RuntimeError) {
    do throws(FormatError) { workers = try WorkerThreads(count: threads) } catch {
      throw RuntimeError(.noMemory, at: error.place, error.message)
    }
    self.kernels = kernels
    self.profiles = profiles
    empty = try FloatBlock(count: 0)
    arena = empty
    times = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
  }

  deinit { times.deallocate() }

  private var threads: Int { workers.count }

  /// Bytes of arena and workspaces.
  var byteCount: Int { workspaces.reduce(arena.count) { $0 + $1.count } * 4 }

  /// A frame without items, for single steps outside a run.
  var frame: Frame {
    Frame(kernels: kernels, arena: arena.pointer, workspace: arena.pointer, item: 0, outerItem: 0)
  }

  /// Lets go of a plan's memory, so that two plans, or a plan and weights being read for the next, never stand side by side.
  func release() {
    workspaces = []
    arena = empty
  }

  /// Allocates what the plan needs.
  func prepare(_ plan: Plan) throws(RuntimeError) {
    release()
    arena = try FloatBlock(count: plan.arenaFloats)
    for _ in 0..<threads { workspaces.append(try FloatBlock(count: plan.workspaceFloats)) }
    times.deallocate()
    timedSteps = plan.steps.count
    times = UnsafeMutablePointer<UInt64>.allocate(capacity: max(1, threads * timedSteps))
    times.update(repeating: 0, count: max(1, threads * timedSteps))
  }

  /// Where a shared slot's first item lies.
  func address(_ slot: Slot) -> UnsafeMutablePointer<Float> { frame.address(Operand(slot, sliced: false)) }

  /// Time of a step over all runs and threads.
  func nanoseconds(step: Int) -> UInt64 {
    (0..<threads).reduce(0) { $0 + times[$1 * timedSteps + step] }
  }

  /// Runs all stages in order.
  func run(_ plan: Plan) {
    self.plan = plan
    var index = 0
    while index < plan.stages.count {
      stage = index
      switch plan.stages[index].form {
      case .chunked(let items, let outerChunk, _):
        eri_pool_run(
          workers.pool, (items &+ outerChunk &- 1) / outerChunk,
          { context, chunk, thread in
            guard let context else { return }
            Unmanaged<Executor>.fromOpaque(context).takeUnretainedValue().runChunk(chunk, thread)
          }, Unmanaged.passUnretained(self).toOpaque())
      case .stepwise:
        for step in plan.stages[index].steps { runStep(plan, step) }
      }
      index &+= 1
    }
    self.plan = nil
  }

  private func runStep(_ plan: Plan, _ index: Int) {
    let current = plan.steps[index]
    let units = current.items &* current.unitsPerItem
    let work = current.workPerItem &* current.items
    if threads == 1 || units < 2 || work < Executor.smallWork &* 2 {
      let frame = Frame(kernels: kernels, arena: arena.pointer, workspace: workspaces[0].pointer, item: 0, outerItem: 0)
      timed(index, 0) { current.run(frame, 0, units) }
      return
    }
    step = index
    pieces = min(units, 2 &* threads)
    eri_pool_run(
      workers.pool, pieces,
      { context, piece, thread in
        guard let context else { return }
        Unmanaged<Executor>.fromOpaque(context).takeUnretainedValue().runPiece(piece, thread)
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func runPiece(_ piece: Int, _ thread: Int) {
    guard let plan else { return }
    let current = plan.steps[step]
    let units = current.items &* current.unitsPerItem
    let frame = Frame(
      kernels: kernels, arena: arena.pointer, workspace: workspaces[thread].pointer, item: 0, outerItem: 0)
    timed(step, thread) { current.run(frame, units &* piece / pieces, units &* (piece &+ 1) / pieces) }
  }

  private func runChunk(_ chunk: Int, _ thread: Int) {
    guard let plan, case .chunked(let items, let outerChunk, let groups) = plan.stages[stage].form else { return }
    let first = chunk &* outerChunk
    let last = min(first &+ outerChunk, items)
    for group in groups {
      var item = first
      while item < last {
        let count = min(group.chunk, last &- item)
        let frame = Frame(
          kernels: kernels, arena: arena.pointer, workspace: workspaces[thread].pointer, item: item, outerItem: first)
        for index in group.steps {
          let current = plan.steps[index]
          timed(index, thread) { current.run(frame, 0, count &* current.unitsPerItem) }
        }
        item &+= count
      }
    }
  }

  private func timed(_ step: Int, _ thread: Int, _ body: () -> Void) {
    guard profiles else {
      body()
      return
    }
    let start = eri_clock_monotonic()
    body()
    times[thread &* timedSteps &+ step] &+= eri_clock_monotonic() &- start
  }
}

import ERIFormat
import ERIRuntime

/// What steps run on: threads, kernels, the arena and scratch memory.
final class TrainingRun {
  let kernels: OpaquePointer
  let threads: WorkerThreads
  private(set) var arena: UnsafeMutablePointer<Float>
  private var arenaBlock: FloatBlock
  private var sharedBlock: FloatBlock
  private var scratchBlocks: [FloatBlock]
  /// Of the dropout masks of this step.
  var key: UInt64 = 0

  init(kernels: OpaquePointer, threads: WorkerThreads) throws(TrainError) {
    self.kernels = kernels
    self.threads = threads
    arenaBlock = try TrainingRun.block(0)
    sharedBlock = try TrainingRun.block(0)
    scratchBlocks = []
    for _ in 0..<threads.count { scratchBlocks.append(try TrainingRun.block(0)) }
    arena = arenaBlock.pointer
  }

  /// Memory for so many floats.
  static func block(_ count: Int) throws(TrainError) -> FloatBlock {
    do throws(RuntimeError) { return try FloatBlock(count: count) } catch {
      throw TrainError(
        .exhausted, "training: expected memory for \(count) floats, found none left; use a smaller micro-batch")
    }
  }

  /// Makes room; what the arena held is lost when it grows.
  func reserve(arena arenaCount: Int, shared: Int, scratch: Int) throws(TrainError) {
    if arenaBlock.count < arenaCount {
      // The old memory goes first, so that two arenas never stand side by side.
      arenaBlock = try TrainingRun.block(0)
      arenaBlock = try TrainingRun.block(arenaCount)
      arena = arenaBlock.pointer
    }
    if sharedBlock.count < shared { sharedBlock = try TrainingRun.block(shared) }
    for index in scratchBlocks.indices where scratchBlocks[index].count < scratch {
      scratchBlocks[index] = try TrainingRun.block(scratch)
    }
  }

  /// Memory that all threads see within one pass of one step.
  var shared: UnsafeMutablePointer<Float> { sharedBlock.pointer }

  /// A thread's own memory within one piece.
  func scratch(_ thread: Int) -> UnsafeMutablePointer<Float> { scratchBlocks[thread].pointer }

  /// The runtime's view of this memory.
  func frame(_ thread: Int) -> ERIRuntime.Frame {
    ERIRuntime.Frame(kernels: kernels, arena: arena, workspace: scratch(thread), item: 0, outerItem: 0)
  }

  func data(_ value: TrainingValue) -> UnsafeMutablePointer<Float> { address(value.storage.data) }

  func gradient(_ value: TrainingValue) -> UnsafeMutablePointer<Float> {
    // A value that a step asks the gradient of has one since the plan was made.
    address(value.storage.gradient ?? value.storage.data)
  }

  func gradient(_ target: GradientTarget) -> UnsafeMutablePointer<Float> {
    address(target.storage.gradient ?? target.storage.data)
  }

  private func address(_ memory: TrainingStorage.Memory) -> UnsafeMutablePointer<Float> {
    switch memory {
    case .arena(let buffer): arena + buffer.offset
    case .fixed(let address): address
    }
  }

  /// Calls `body` for ranges that together are 0 ..< count: a few per thread, each of a multiple of `grain` but the last. For work whose
  /// results do not depend on how it is divided.
  func split(_ count: Int, grain: Int = 1, _ body: (_ begin: Int, _ end: Int, _ thread: Int) -> Void) {
    let units = (count + grain - 1) / grain
    let pieces = threads.count == 1 ? 1 : min(units, 4 * threads.count)
    guard units > 0 else { return }
    threads.run(pieces) { piece, thread in
      let begin = units * piece / pieces * grain
      let end = min(units * (piece + 1) / pieces * grain, count)
      if begin < end { body(begin, end, thread) }
    }
  }

  /// Elements below which threads cost more than they save.
  static let elementGrain = 16_384

  /// Calls `body` for ranges of elements.
  func splitElements(_ count: Int, _ body: (_ begin: Int, _ end: Int) -> Void) {
    split(count, grain: TrainingRun.elementGrain) { begin, end, _ in body(begin, end) }
  }
}

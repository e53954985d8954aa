import ERIRuntime

/// Floats of the arena, from the first step that uses them to the last.
final class TrainingBuffer {
  let count: Int
  private(set) var firstUse = Int.max
  private(set) var lastUse = -1
  /// Where it lies in the arena, once the plan is laid out.
  private(set) var offset = 0
  private var slots: [Slot] = []

  init(count: Int) { self.count = count }

  func use(at time: Int) {
    firstUse = min(firstUse, time)
    lastUse = max(lastUse, time)
  }

  /// Makes a slot of the runtime stand for this memory.
  func attach(_ slot: Slot) { slots.append(slot) }

  func place(at offset: Int) {
    self.offset = offset
    for slot in slots { slot.place = .shared(offset) }
  }
}

/// Memory of one value or of several that are views of it, and of its gradient.
final class TrainingStorage {
  /// Where the values or the gradient are.
  enum Memory {
    case arena(TrainingBuffer)
    /// A parameter's, a statistic's or a constant's, for as long as the graph lives.
    case fixed(UnsafeMutablePointer<Float>)
  }

  let count: Int
  let data: Memory
  /// Nil until a step adds to it; a parameter's is there from the start.
  private(set) var gradient: Memory?
  /// Whether the loss depends on it through something that is trained.
  var needsGradient: Bool
  /// A step that reads its own output for the gradient wrote it, so nothing else may be written in its place.
  var isReadByProducer = false
  /// Seen under more than one shape.
  var isViewed = false

  /// A value of the arena.
  init(count: Int, needsGradient: Bool) {
    self.count = count
    data = .arena(TrainingBuffer(count: count))
    self.needsGradient = needsGradient
  }

  /// A value that is there already; with memory for the gradient if it is trained.
  init(count: Int, at address: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>?) {
    self.count = count
    data = .fixed(address)
    self.gradient = gradient.map { .fixed($0) }
    needsGradient = gradient != nil
  }

  func use(at time: Int) { if case .arena(let buffer) = data { buffer.use(at: time) } }

  /// Notes that the gradient is read or written at a time.
  /// - Returns: whether something is in it already.
  func useGradient(at time: Int) -> Bool {
    switch gradient {
    case .fixed: return true
    case .arena(let buffer):
      buffer.use(at: time)
      return true
    case nil:
      let buffer = TrainingBuffer(count: count)
      buffer.use(at: time)
      gradient = .arena(buffer)
      return false
    }
  }
}

/// A value of the graph as a training step sees it.
final class TrainingValue {
  let slot: Slot
  let storage: TrainingStorage

  /// A value with memory of its own.
  init(_ name: String, shape: [Int], layout: Layout, storage: TrainingStorage) {
    slot = Slot(name, shape: shape, layout: layout)
    self.storage = storage
    switch storage.data {
    case .arena(let buffer): buffer.attach(slot)
    case .fixed(let address): slot.place = .constant(address)
    }
  }

  var shape: [Int] { slot.shape }
  var layout: Layout { slot.layout }
  var count: Int { slot.elements }
  var needsGradient: Bool { storage.needsGradient }

  /// The same memory under another shape and layout.
  func viewed(_ name: String, shape: [Int], layout: Layout) -> TrainingValue {
    storage.isViewed = true
    return TrainingValue(name, shape: shape, layout: layout, storage: storage)
  }
}

/// A gradient that a step adds to, or is the first to write.
struct GradientTarget {
  let storage: TrainingStorage
  let accumulates: Bool
}

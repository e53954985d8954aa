import CERIKernels
import ERIFormat

/// The weights of a program in the forms its plans use; packed once, kept across bindings.
///
/// A plan being made only asks for packed weights; `finish` then reads and packs them, one tensor at a time on each thread, so that no
/// more than that stands in memory beside the packed form.
final class WeightStore {
  private enum Key: Hashable {
    case packed(node: Int, method: Int)
    case bias(node: Int)
    case scales(node: Int)
  }

  private let program: Program
  private var blocks: [Key: FloatBlock] = [:]
  /// Asked for by the plan that is being made, not filled yet.
  private var asked: [Key: FloatBlock] = [:]
  private var jobs: [WeightPacking] = []
  /// Unpacked tensors while a plan is being made.
  private var tensors: [Int: FloatBlock] = [:]
  private var reader: TensorReader?

  init(_ program: Program) { self.program = program }

  /// Floats of all packed weights.
  var packedFloats: Int { blocks.values.reduce(0) { $0 + $1.count } }

  /// A tensor's values, of whatever type; the reals that a quantised one's integers stand for.
  func block(tensor index: Int) throws(RuntimeError) -> FloatBlock {
    if let block = tensors[index] { return block }
    guard let byteCount = program.tensors[index].byteCount else {
      throw RuntimeError(
        .invalid, at: place(ofTensor: index),
        "expected a size within the limits, found \(shapeText(program.tensors[index].shape))")
    }
    let isQuantized = program.tensors[index].quantization != nil
    let block = try isQuantized ? FloatBlock(count: elements(ofTensor: index)) : FloatBlock(byteCount: byteCount)
    if reader == nil { reader = try makeReader() }
    try read(tensor: index, into: block.pointer, with: reader)
    tensors[index] = block
    return block
  }

  private func makeReader() throws(RuntimeError) -> TensorReader {
    do throws(FormatError) { return try TensorReader() } catch { throw RuntimeError(error) }
  }

  /// - Parameter stored: whether a quantised tensor's integers are wanted instead of the reals they stand for.
  private func read(
    tensor index: Int, stored: Bool = false, into memory: UnsafeMutablePointer<Float>, with reader: TensorReader?
  ) throws(RuntimeError) {
    let tensor = program.tensors[index]
    let bytes = UnsafeMutableRawBufferPointer(start: memory, count: tensor.byteCount ?? 0)
    do throws(FormatError) {
      if tensor.quantization == nil || stored {
        try tensor.read(into: bytes, with: reader)
      } else {
        let reals = UnsafeMutableBufferPointer(start: memory, count: elements(ofTensor: index))
        try tensor.readReals(into: reals, with: reader)
      }
    } catch {
      throw RuntimeError(error.inside(place(ofTensor: index)))
    }
  }

  private func elements(ofTensor index: Int) -> Int { program.tensors[index].elementCount ?? 0 }

  private func place(ofTensor index: Int) -> String { "tensor \"\(program.tensors[index].name)\"" }

  /// The packed weights of a node, `count` floats, which hold their values once `finish` has been called.
  /// - Parameter pack: turns the source's values, which it may overwrite, into the packed form; called on any thread.
  func packed(
    node: Int, method: Int, count: Int, from source: WeightSource,
    _ pack: @escaping (_ values: UnsafeMutablePointer<Float>, _ packed: UnsafeMutablePointer<Float>) -> Void
  ) throws(RuntimeError) -> FloatBlock {
    let key = Key.packed(node: node, method: method)
    if let block = blocks[key] ?? asked[key] { return block }
    let block = try FloatBlock(count: count)
    asked[key] = block
    jobs.append(WeightPacking(source: source, target: block, pack: pack))
    return block
  }

  /// The folded bias of a node, made by `make` the first time.
  func bias(node: Int, _ make: () throws(RuntimeError) -> FloatBlock) throws(RuntimeError) -> FloatBlock {
    try block(.bias(node: node), make)
  }

  /// The factors of a node's sums of integers, made by `make` the first time.
  func scales(node: Int, _ make: () throws(RuntimeError) -> FloatBlock) throws(RuntimeError) -> FloatBlock {
    try block(.scales(node: node), make)
  }

  private func block(
    _ key: Key, _ make: () throws(RuntimeError) -> FloatBlock
  ) throws(RuntimeError) -> FloatBlock {
    if let block = blocks[key] { return block }
    let block = try make()
    blocks[key] = block
    return block
  }

  /// Whether the tensor has been read while this plan was being made.
  func holds(tensor index: Int) -> Bool { tensors[index] != nil }

  /// Forgets what a plan that was never finished had asked for.
  func begin() {
    asked.removeAll()
    jobs.removeAll()
  }

  /// Reads, checks and packs what the plan has asked for on all threads.
  /// - Throws: the error of the first tensor, in the plan's order, that cannot be read or is damaged.
  func finish(_ workers: WorkerThreads) throws(RuntimeError) {
    let largest = jobs.reduce(0) { max($0, $1.source.floats(program)) }
    var lanes: [Lane] = []
    // The largest first, so that no thread is left with one at the end.
    let order = jobs.indices.sorted {
      (-jobs[$0].source.floats(program), $0) < (-jobs[$1].source.floats(program), $1)
    }
    if !jobs.isEmpty {
      // Any of the threads may take a job, however few there are.
      for _ in 0..<workers.count {
        let reader = if let reader { reader } else { try makeReader() }
        lanes.append(Lane(reader: reader, values: try FloatBlock(count: largest)))
        self.reader = nil
      }
    }
    var faults = [RuntimeError?](repeating: nil, count: jobs.count)
    faults.withUnsafeMutableBufferPointer { faults in
      // Every job writes its own element.
      let slots = faults.baseAddress
      workers.run(jobs.count) { position, thread in
        let job = jobs[order[position]]
        do throws(RuntimeError) { try run(job, lanes[thread]) } catch { slots?[order[position]] = error }
      }
    }
    for case let fault? in faults {
      begin()
      throw fault
    }
    for (key, block) in asked { blocks[key] = block }
    begin()
  }

  /// What one thread packs with.
  private struct Lane {
    let reader: TensorReader
    let values: FloatBlock
  }

  private func run(_ job: WeightPacking, _ lane: Lane) throws(RuntimeError) {
    let values = lane.values.pointer
    switch job.source {
    case .tensor(let index): try read(tensor: index, into: values, with: lane.reader)
    case .codes(let index): try read(tensor: index, stored: true, into: values, with: lane.reader)
    case .normalised(let v, let g):
      let gains = values + elements(ofTensor: v)
      try read(tensor: v, into: values, with: lane.reader)
      try read(tensor: g, into: gains, with: lane.reader)
      let channels = elements(ofTensor: g)
      WeightNormStep.normalise(values, gains, into: values, 0..<channels, elements(ofTensor: v) / max(1, channels))
    case .slot(let slot):
      guard case .constant(let memory) = slot.root.place else { return }
      values.update(from: memory, count: slot.elements)
    }
    job.pack(values, job.target.pointer)
  }

  /// Lets go of unpacked tensors that no plan refers to.
  func releaseTensors() {
    tensors.removeAll()
    reader = nil
  }
}

/// Where the values of weights that are to be packed come from.
enum WeightSource {
  /// A float32 tensor that has not been read, or the reals of a quantised one.
  case tensor(Int)
  /// The integers of a quantised tensor, as they are stored.
  case codes(Int)
  /// The weight norm of two such tensors.
  case normalised(v: Int, g: Int)
  /// Values that other weights give, or that another step has read already.
  case slot(Slot)

  func floats(_ program: Program) -> Int {
    switch self {
    case .tensor(let index): program.tensors[index].elementCount ?? 0
    case .codes(let index): ((program.tensors[index].byteCount ?? 0) + 3) / 4
    case .normalised(let v, let g):
      (program.tensors[v].elementCount ?? 0) + (program.tensors[g].elementCount ?? 0)
    case .slot(let slot): slot.elements
    }
  }
}

/// One weight to be read and packed.
private struct WeightPacking {
  let source: WeightSource
  let target: FloatBlock
  let pack: (_ values: UnsafeMutablePointer<Float>, _ packed: UnsafeMutablePointer<Float>) -> Void
}

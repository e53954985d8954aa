import ERIFormat
import ERIRuntime

/// A program's tensors in memory: parameters in one flat buffer with their gradients in another, running statistics, constants.
struct TensorMemory {
  private(set) var parameters: [TrainableGraph.Parameter] = []
  private(set) var statistics: [TrainableGraph.Statistic] = []
  let weights: UnsafeMutableBufferPointer<Float>
  let gradients: UnsafeMutableBufferPointer<Float>
  /// By tensor, of those that the graph reads.
  private(set) var storages: [Int: TrainingStorage] = [:]
  /// What owns the memory.
  let blocks: [FloatBlock]

  /// Floats between parameters' starts, so that each begins on a cache line.
  private static let alignment = 16

  /// The first place from this one on at which a parameter may begin.
  static func aligned(_ place: Int) -> Int { (place + alignment - 1) / alignment * alignment }

  /// - Throws: `TrainError` if a tensor is not float32, cannot be read, or memory is short.
  init(_ program: Program, isFrozen: (String) -> Bool) throws(TrainError) {
    var running: Set<Int> = []
    for node in program.graph.nodes {
      guard case .batchNorm = node.op else { continue }
      for case let input? in node.inputs[3...] {
        if case .tensor(let tensor) = program.graph.values[input].source { running.insert(tensor) }
      }
    }
    var used: [Int] = []
    for value in program.graph.values {
      if case .tensor(let tensor) = value.source { used.append(tensor) }
    }
    var parameterCount = 0
    var otherCount = 0
    var places: [Int: Int] = [:]
    for index in used.sorted() where places[index] == nil {
      let tensor = program.tensors[index]
      guard tensor.dtype == .f32, let count = tensor.elementCount else {
        throw TrainError(
          .unsupported,
          "tensor \"\(tensor.name)\": expected float32, found \(tensor.dtype.name); cast it with `eri convert --store float32`"
        )
      }
      let padded = TensorMemory.aligned(count)
      if tensor.role == .weight && !running.contains(index) {
        places[index] = parameterCount
        parameters.append(
          TrainableGraph.Parameter(
            name: tensor.name, shape: tensor.shape, range: parameterCount..<(parameterCount + count),
            isFrozen: isFrozen(tensor.name)))
        parameterCount += padded
      } else {
        places[index] = otherCount
        otherCount += padded
      }
    }
    let weightBlock = try TrainingRun.block(parameterCount)
    let gradientBlock = try TrainingRun.block(parameterCount)
    let otherBlock = try TrainingRun.block(otherCount)
    blocks = [weightBlock, gradientBlock, otherBlock]
    weights = UnsafeMutableBufferPointer(start: weightBlock.pointer, count: parameterCount)
    gradients = UnsafeMutableBufferPointer(start: gradientBlock.pointer, count: parameterCount)
    for (index, place) in places.sorted(by: { $0.key < $1.key }) {
      let tensor = program.tensors[index]
      let count = tensor.elementCount ?? 0
      let isParameter = tensor.role == .weight && !running.contains(index)
      let address = (isParameter ? weightBlock.pointer : otherBlock.pointer) + place
      do throws(FormatError) {
        try tensor.read(into: UnsafeMutableRawBufferPointer(start: address, count: 4 * count))
      } catch {
        throw TrainError(error.inside("tensor \"\(tensor.name)\""))
      }
      let trains = isParameter && !isFrozen(tensor.name)
      storages[index] = TrainingStorage(
        count: count, at: address, gradient: trains ? gradientBlock.pointer + place : nil)
      if running.contains(index) {
        statistics.append(
          TrainableGraph.Statistic(
            name: tensor.name, shape: tensor.shape,
            values: UnsafeMutableBufferPointer(start: address, count: count)))
      }
    }
  }
}

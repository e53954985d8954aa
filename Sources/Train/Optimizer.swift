import CERIKernels
import CERITraining
package import ERIFormat

/// A rule by which weights follow their gradients.
package enum OptimizerMethod: String, CaseIterable, Sendable {
  /// Kingma and Ba, 2015.
  case adam
  /// Adam whose weight decay is not part of the gradient (Loshchilov and Hutter, 2019).
  case adamw
  /// Gradient descent with momentum.
  case sgd

  /// Tensors of state as large as all weights together.
  var stateCount: Int {
    switch self {
    case .adam, .adamw: 2
    case .sgd: 1
    }
  }
}

/// What an optimiser is told beside the learning rate; the defaults are PyTorch's.
package struct OptimizerSettings: Equatable, Sendable {
  package var method = OptimizerMethod.adam
  package var beta1 = 0.9
  package var beta2 = 0.999
  /// Added to the root of the second moment, outside the root.
  package var epsilon = 1e-8
  /// Of gradient descent.
  package var momentum = 0.9
  package var weightDecay = 0.0
  /// Largest norm of all gradients together, beyond which they are scaled down; 0: none.
  package var clip = 0.0

  package init() {}
}

/// Updates weights in one flat buffer, chunk by chunk; the result does not depend on the number of threads.
package final class Optimizer {
  private struct Chunk {
    let range: Range<Int>
    let multiplier: Double
  }

  /// Elements that one thread takes at a time.
  private static let chunkElements = 1 << 15

  private let settings: OptimizerSettings
  private let kernels: TrainingKernels
  private let threads: WorkerThreads
  private let chunks: [Chunk]
  private let squares: UnsafeMutableBufferPointer<Double>
  /// Moments, as long as the weights each: Adam's two, or the momentum.
  package let states: [UnsafeMutableBufferPointer<Float>]
  /// Updates so far.
  package var stepCount = 0

  /// - Parameters:
  ///   - count: weights in the flat buffer.
  ///   - groups: ranges of it that are trained, in ascending order, each with the factor of its learning rate.
  package init(
    _ settings: OptimizerSettings, count: Int, groups: [(range: Range<Int>, multiplier: Double)],
    kernels: TrainingKernels, threads: WorkerThreads
  ) {
    self.settings = settings
    self.kernels = kernels
    self.threads = threads
    var chunks: [Chunk] = []
    for group in Optimizer.joined(groups) {
      for start in stride(from: group.range.lowerBound, to: group.range.upperBound, by: Optimizer.chunkElements) {
        let end = min(start + Optimizer.chunkElements, group.range.upperBound)
        chunks.append(Chunk(range: start..<end, multiplier: group.multiplier))
      }
    }
    self.chunks = chunks
    squares = .allocate(capacity: max(1, chunks.count))
    squares.initialize(repeating: 0)
    states = (0..<settings.method.stateCount).map { _ in
      let state = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(1, count))
      state.initialize(repeating: 0)
      return UnsafeMutableBufferPointer(rebasing: state[0..<count])
    }
  }

  deinit {
    squares.deallocate()
    for state in states { state.deallocate() }
  }

  /// Neighbours with the same multiplier as one, with the padding between them, which is 0 and stays so.
  private static func joined(
    _ groups: [(range: Range<Int>, multiplier: Double)]
  ) -> [(range: Range<Int>, multiplier: Double)] {
    var result: [(range: Range<Int>, multiplier: Double)] = []
    for group in groups where !group.range.isEmpty {
      if let last = result.last, last.multiplier == group.multiplier,
        TensorMemory.aligned(last.range.upperBound) == group.range.lowerBound
      {
        result[result.count - 1].range = last.range.lowerBound..<group.range.upperBound
      } else {
        result.append(group)
      }
    }
    return result
  }

  /// One update.
  ///
  /// - Returns: the norm of all gradients before clipping; if it is not finite, nothing has changed.
  package func step(
    _ weights: UnsafeMutableBufferPointer<Float>, _ gradients: UnsafeMutableBufferPointer<Float>, learningRate: Double
  ) -> Double {
    guard let weights = weights.baseAddress, let gradients = gradients.baseAddress else { return 0 }
    let norm = norm(gradients)
    guard norm.isFinite else { return norm }
    // PyTorch's clip_grad_norm_ adds the same constant.
    let scale = settings.clip > 0 ? min(1, settings.clip / (norm + 1e-6)) : 1
    let isFirst = stepCount == 0
    stepCount += 1
    switch settings.method {
    case .adam, .adamw: adam(weights, gradients, learningRate: learningRate, scale: scale)
    case .sgd: descend(weights, gradients, learningRate: learningRate, scale: scale, isFirst: isFirst)
    }
    return norm
  }

  /// The chunks' sums are added in order, so that the norm is the same whoever computed them.
  private func norm(_ gradients: UnsafeMutablePointer<Float>) -> Double {
    threads.run(chunks.count) { piece, _ in
      let range = chunks[piece].range
      squares[piece] = eri_f32_square_sum(kernels.pointer, range.count, gradients + range.lowerBound)
    }
    var sum = 0.0
    for piece in chunks.indices { sum += squares[piece] }
    return sum.squareRoot()
  }

  private func adam(
    _ weights: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, learningRate: Double,
    scale: Double
  ) {
    guard let first = states[0].baseAddress, let second = states[1].baseAddress else { return }
    var base = eri_adam()
    base.beta1 = Float(settings.beta1)
    base.beta2 = Float(settings.beta2)
    base.epsilon = Float(settings.epsilon)
    base.weightDecay = Float(settings.weightDecay)
    base.decoupled = settings.method == .adamw
    base.gradientScale = Float(scale)
    // Of the rounded factors, with which the kernel sums: so that the first step's moments are the gradient's own.
    base.correction1 = Float(1 - DeterministicMath.pow(Double(base.beta1), Double(stepCount)))
    base.correction2 = Float(1 - DeterministicMath.pow(Double(base.beta2), Double(stepCount)))
    let common = base
    threads.run(chunks.count) { piece, _ in
      let chunk = chunks[piece]
      let start = chunk.range.lowerBound
      var settings = common
      settings.learningRate = Float(learningRate * chunk.multiplier)
      eri_f32_adam(
        kernels.pointer, &settings, chunk.range.count, gradients + start, weights + start, first + start,
        second + start)
    }
  }

  private func descend(
    _ weights: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, learningRate: Double,
    scale: Double, isFirst: Bool
  ) {
    guard let momentum = states[0].baseAddress else { return }
    var base = eri_sgd()
    base.momentum = Float(settings.momentum)
    base.weightDecay = Float(settings.weightDecay)
    base.gradientScale = Float(scale)
    base.first = isFirst
    let common = base
    threads.run(chunks.count) { piece, _ in
      let chunk = chunks[piece]
      let start = chunk.range.lowerBound
      var settings = common
      settings.learningRate = Float(learningRate * chunk.multiplier)
      eri_f32_sgd(
        kernels.pointer, &settings, chunk.range.count, gradients + start, weights + start, momentum + start)
    }
  }
}

import CERIKernels
import CERISystem
import CERITraining
import ERIFormat

/// Batch statistics over all pixels of a channel, or the running ones where they are frozen (Ioffe & Szegedy 2015).
///
/// dγ = Σ dy x̂, dβ = Σ dy, dx = γ/σ (dy - mean dy - x̂ mean(dy x̂)), or γ/σ dy. The running mean and variance follow with momentum 0.1, the
/// variance unbiased, as in PyTorch; nothing trains them.
final class BatchNormTraining: TrainingStep {
  /// Share of a batch's statistics in the running ones.
  static let momentum = 0.1
  private let epsilon: Double
  private let isFrozen: Bool
  private let rows: Int
  private let channels: Int
  private let sums: RowSums
  /// Mean and 1 / σ of the batch, then three rows of coefficients.
  private let coefficients: DoubleBlock
  private let floats: UnsafeMutablePointer<Float>
  private var inputGradient: GradientTarget?
  private var scaleGradient: GradientTarget?
  private var biasGradient: GradientTarget?

  /// The values lie channels last, or have two axes.
  init(_ name: String, op: BatchNorm, inputs: [TrainingValue], output: TrainingValue, isFrozen: Bool) {
    epsilon = Double(op.epsilon)
    self.isFrozen = isFrozen
    channels = output.shape[1]
    rows = output.count / max(1, channels)
    sums = RowSums(width: 2 * channels)
    coefficients = DoubleBlock(count: 2 * channels)
    floats = .allocate(capacity: 4 * max(1, channels))
    floats.initialize(repeating: 0, count: 4 * max(1, channels))
    super.init(name, inputs: inputs, output: output)
  }

  deinit { floats.deallocate() }

  override var kind: String { BatchNorm.name }

  // The mean as the kernels take it, and three rows of coefficients.
  private var mean: UnsafeMutablePointer<Float> { floats }
  private var first: UnsafeMutablePointer<Float> { floats + channels }
  private var second: UnsafeMutablePointer<Float> { floats + 2 * channels }
  private var third: UnsafeMutablePointer<Float> { floats + 3 * channels }

  override func forward(_ run: TrainingRun) {
    let (x, scale, bias) = (run.data(inputs[0]), run.data(inputs[1]), run.data(inputs[2]))
    let (runningMean, runningVariance) = (run.data(inputs[3]), run.data(inputs[4]))
    if isFrozen {
      for channel in 0..<channels { set(channel, Double(runningMean[channel]), Double(runningVariance[channel])) }
    } else {
      sums.collect(run, rows: rows) { part, _, sums in
        eri_f32_column_sums(run.kernels, part.count, channels, x + part.lowerBound * channels, channels, sums)
      }
      for channel in 0..<channels {
        coefficients.pointer[channel] = sums[channel] / Double(rows)
        mean[channel] = Float(coefficients.pointer[channel])
      }
      sums.collect(run, rows: rows) { part, _, sums in
        eri_f32_column_squares(run.kernels, part.count, channels, x + part.lowerBound * channels, mean, sums)
      }
      let unbiased = Double(rows) / Double(max(1, rows - 1))
      for channel in 0..<channels {
        let average = coefficients.pointer[channel]
        // The squares were taken about the mean as a float.
        let shift = average - Double(mean[channel])
        let variance = max(0, sums[channel] / Double(rows) - shift * shift)
        set(channel, average, variance)
        let momentum = BatchNormTraining.momentum
        runningMean[channel] = Float((1 - momentum) * Double(runningMean[channel]) + momentum * average)
        runningVariance[channel] = Float(
          (1 - momentum) * Double(runningVariance[channel]) + momentum * variance * unbiased)
      }
    }
    for channel in 0..<channels {
      let factor = Double(scale[channel]) * coefficients.pointer[channels + channel]
      first[channel] = Float(factor)
      second[channel] = Float(Double(bias[channel]) - coefficients.pointer[channel] * factor)
    }
    let y = run.data(output)
    run.split(rows, grain: grain) { begin, end, _ in
      eri_f32_scale_shift(
        run.kernels, end - begin, channels, x + begin * channels, first, second, y + begin * channels)
    }
  }

  private var grain: Int { max(1, TrainingRun.elementGrain / max(1, channels)) }

  private func set(_ channel: Int, _ average: Double, _ variance: Double) {
    coefficients.pointer[channel] = average
    coefficients.pointer[channels + channel] = 1 / eri_sqrt(variance + epsilon)
    mean[channel] = Float(average)
  }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    scaleGradient = plan.target(inputs[1])
    biasGradient = plan.target(inputs[2])
    plan.keep(inputs[0])
    plan.keep(inputs[1])
  }

  override func backward(_ run: TrainingRun) {
    let (x, scale, dy) = (run.data(inputs[0]), run.data(inputs[1]), run.gradient(output))
    sums.collect(run, rows: rows) { part, _, sums in
      let first = part.lowerBound * channels
      eri_f32_column_products(run.kernels, part.count, channels, dy + first, x + first, mean, sums, sums + channels)
    }
    for channel in 0..<channels {
      let average = coefficients.pointer[channel]
      let inverse = coefficients.pointer[channels + channel]
      let total = sums[channel]
      // The products were taken about the mean as a float.
      let products = sums[channels + channel] + (Double(mean[channel]) - average) * total
      let factor = Double(scale[channel]) * inverse
      let slope = isFrozen ? 0 : -factor * inverse * inverse * products / Double(rows)
      first[channel] = Float(factor)
      second[channel] = Float(slope)
      third[channel] = isFrozen ? 0 : Float(-factor * total / Double(rows) - slope * average)
      sums[channels + channel] = products * inverse
    }
    if let scaleGradient { sums.add(from: channels, count: channels, to: run.gradient(scaleGradient)) }
    if let biasGradient { sums.add(count: channels, to: run.gradient(biasGradient)) }
    guard let inputGradient else { return }
    let dx = run.gradient(inputGradient)
    run.split(rows, grain: grain) { begin, end, _ in
      let offset = begin * channels
      eri_f32_batch_norm_gradient(
        run.kernels, end - begin, channels, dy + offset, x + offset, first, second, third, dx + offset,
        inputGradient.accumulates)
    }
  }
}

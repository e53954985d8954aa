import ERIFormat
import ERIRuntime

/// dx = dy above 0, else slope dy; dslope = Σ x dy where x is not above 0 (He et al. 2015). Row-major values.
final class PReLUTraining: TrainingStep {
  private let channels: Int
  private let plane: Int
  private let items: Int
  private var inputGradient: GradientTarget?
  private var slopeGradient: GradientTarget?

  init(_ name: String, x: TrainingValue, slope: TrainingValue, output: TrainingValue) {
    channels = output.shape[1]
    items = output.slot.items
    plane = output.count / max(1, items * output.shape[1])
    super.init(
      name, inputs: [x, slope], output: output,
      kernel: PReLUStep(node: 0, input: x.slot, slope: slope.slot, output: output.slot))
  }

  override var kind: String { PReLU.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    inputGradient = plan.target(inputs[0])
    slopeGradient = plan.target(inputs[1])
    plan.keep(inputs[0])
    plan.keep(inputs[1])
  }

  override func backward(_ run: TrainingRun) {
    let (x, slope, dy) = (run.data(inputs[0]), run.data(inputs[1]), run.gradient(output))
    let dx = inputGradient.map { run.gradient($0) }
    let accumulates = inputGradient?.accumulates ?? false
    let slopeSums = slopeGradient.map { run.gradient($0) }
    run.split(channels) { begin, end, _ in
      for channel in begin..<end {
        var sum = 0.0
        for item in 0..<items {
          let first = (item * channels + channel) * plane
          for index in first..<(first + plane) {
            let isPositive = x[index] > 0
            if !isPositive { sum += Double(x[index]) * Double(dy[index]) }
            guard let dx else { continue }
            let part = isPositive ? dy[index] : slope[channel] * dy[index]
            dx[index] = accumulates ? dx[index] + part : part
          }
        }
        if let slopeSums {
          let before = slopeGradient?.accumulates == true ? Double(slopeSums[channel]) : 0
          slopeSums[channel] = Float(before + sum)
        }
      }
    }
  }
}

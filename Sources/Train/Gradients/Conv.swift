import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// dw = dyᵀ col(x), db = Σ dy, dx = the convolution of dy with the reversed weights where strides are 1, else col2im(dy w).
final class ConvTraining: ProductTraining {
  private let shape: ConvShape

  /// The output lies channels last; x too, unless it is planar, of few channels, and wants no gradient.
  init(_ name: String, op: Conv, inputs: [TrainingValue], output: TrainingValue, exact: Bool) {
    shape = ConvShape(op, x: inputs[0], weight: inputs[1].shape, output: output, exact: exact)
    super.init(
      name, inputs: inputs, output: output, scratch: shape.scratchCount,
      shared: shape.sharedCount)
  }

  override var kind: String { Conv.name }

  override func forward(_ run: TrainingRun) {
    let bias = bias(run)
    let (x, weights, y) = (run.data(inputs[0]), run.data(inputs[1]), run.data(output))
    switch shape.method {
    case .direct:
      shape.convolve(run, shape.window, x, shape.input, weights, y, shape.output, bias: bias, accumulates: false)
    case .winograd:
      shape.winograd(run, x, shape.input, weights, y, shape.output, bias: bias, accumulates: false)
    case .planar: shape.convolvePlanar(run, x, weights, y, bias: bias)
    }
  }

  override func backward(_ run: TrainingRun) {
    super.backward(run)
    let dy = run.gradient(output)
    if let weightGradient {
      shape.weightGradient(
        run, run.data(inputs[0]), dy, run.gradient(weightGradient), accumulates: weightGradient.accumulates)
    }
    if let inputGradient {
      shape.inputGradient(
        run, dy, run.data(inputs[1]), run.gradient(inputGradient), accumulates: inputGradient.accumulates)
    }
  }
}

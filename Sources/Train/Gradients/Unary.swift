import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// dx = f'(x) dy; in place where f' follows from the output and nothing else needs the input.
final class UnaryTraining: TrainingStep {
  private let function: Unary.Function
  private var inputGradient: GradientTarget?
  private var isInPlace: Bool { inputs[0].storage === output.storage }

  init(_ name: String, op: Unary, x: TrainingValue, output: TrainingValue) {
    function = op.function
    super.init(name, inputs: [x], output: output)
    if op.function.gradientReadsOutput { output.storage.isReadByProducer = true }
  }

  override var kind: String { function.name }

  override func forward(_ run: TrainingRun) {
    let (x, y) = (run.data(inputs[0]), run.data(output))
    run.splitElements(output.count) { begin, end in
      eri_f32_activate(run.kernels, function.activation, end - begin, x + begin, y + begin)
    }
  }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    if !isInPlace { inputGradient = plan.target(inputs[0]) }
    plan.keep(function.gradientReadsOutput ? output : inputs[0])
  }

  override func backward(_ run: TrainingRun) {
    let dy = run.gradient(output)
    let dx = isInPlace ? dy : inputGradient.map { run.gradient($0) }
    guard let dx else { return }
    let (x, y) = (run.data(inputs[0]), run.data(output))
    let accumulates = inputGradient?.accumulates ?? false
    run.splitElements(output.count) { begin, end in
      eri_f32_activation_gradient(
        run.kernels, function.activation, end - begin, x + begin, y + begin, dy + begin, dx + begin, accumulates)
    }
  }
}

extension Unary.Function {
  /// Whether the derivative is computed from the output; else from the input.
  var gradientReadsOutput: Bool {
    switch self {
    case .relu, .sigmoid, .tanh, .exp: true
    case .gelu, .geluTanh: false
    }
  }
}

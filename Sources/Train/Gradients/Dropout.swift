import CERITraining
import ERIRuntime

/// A site's dropout: what it drops is a function of the training step's key and the site alone, so nothing is stored for the gradient, and
/// no bit depends on threads.
struct DropoutDraw {
  let rate: Float
  /// Number of the site in the graph.
  let site: UInt64

  func kernelForm(_ run: TrainingRun) -> eri_dropout {
    // splitmix64's finaliser, so that neighbouring sites and steps share nothing.
    var mixed = run.key &+ (site &+ 1) &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return eri_dropout(key: mixed ^ (mixed >> 31), rate: rate)
  }
}

/// Dropout after an operator: each element kept with probability 1 - rate and then divided by it (Srivastava et al. 2014).
final class DropoutTraining: TrainingStep {
  private let draw: DropoutDraw
  private var inputGradient: GradientTarget?
  private var isInPlace: Bool { inputs[0].storage === output.storage }

  init(_ name: String, draw: DropoutDraw, x: TrainingValue, output: TrainingValue) {
    self.draw = draw
    super.init(name, inputs: [x], output: output)
  }

  override var kind: String { "dropout" }

  override func forward(_ run: TrainingRun) {
    apply(run, run.data(inputs[0]), run.data(output), accumulates: false)
  }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    if !isInPlace { inputGradient = plan.target(inputs[0]) }
  }

  override func backward(_ run: TrainingRun) {
    let dy = run.gradient(output)
    if isInPlace {
      apply(run, dy, dy, accumulates: false)
    } else if let inputGradient {
      apply(run, dy, run.gradient(inputGradient), accumulates: inputGradient.accumulates)
    }
  }

  private func apply(
    _ run: TrainingRun, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    run.splitElements(output.count) { begin, end in
      var form = draw.kernelForm(run)
      eri_f32_dropout(run.kernels, &form, UInt64(begin), end - begin, x + begin, y + begin, accumulates)
    }
  }
}

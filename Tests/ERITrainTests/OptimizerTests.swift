import ERIFormat
import ERITestSupport
import ERITrain
import Testing

@Suite("Optimisers") struct OptimizerTests {
  private static let count = 70_000

  /// Weights and the gradients of three updates, drawn from a seed.
  private struct Course {
    let weights = SeededRandom.deviates(OptimizerTests.count, seed: 1, stream: "weights")
    let gradients = (0..<3).map { SeededRandom.deviates(OptimizerTests.count, seed: 1, stream: "gradient \($0)") }

    /// The weights after all updates.
    func run(
      _ settings: OptimizerSettings,
      groups: [(range: Range<Int>, multiplier: Double)] = [(0..<OptimizerTests.count, 1)],
      rate: Double = 1e-2, threads: Int = 1
    ) throws -> (weights: [Float], norms: [Double]) {
      let pool = try WorkerThreads(count: threads)
      let optimizer = Optimizer(
        settings, count: OptimizerTests.count, groups: groups, kernels: try TrainingKernels(), threads: pool)
      var weights = weights
      var norms: [Double] = []
      for gradient in gradients {
        var gradient = gradient
        weights.withUnsafeMutableBufferPointer { weights in
          gradient.withUnsafeMutableBufferPointer { norms.append(optimizer.step(weights, $0, learningRate: rate)) }
        }
      }
      return (weights, norms)
    }

    /// The same by the textbook in Double.
    func reference(_ settings: OptimizerSettings, rate: Double = 1e-2, scale: (Double) -> Double = { _ in 1 })
      -> [Double]
    {
      var weights = weights.map { Double($0) }
      var m = [Double](repeating: 0, count: weights.count)
      var v = m
      for (step, gradient) in gradients.enumerated() {
        let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        for index in weights.indices {
          var g = Double(gradient[index]) * scale(norm)
          switch settings.method {
          case .adam, .adamw:
            if settings.method == .adam {
              g += settings.weightDecay * weights[index]
            } else {
              weights[index] -= rate * settings.weightDecay * weights[index]
            }
            m[index] = settings.beta1 * m[index] + (1 - settings.beta1) * g
            v[index] = settings.beta2 * v[index] + (1 - settings.beta2) * g * g
            let t = Double(step + 1)
            let mean = m[index] / (1 - DeterministicMath.pow(settings.beta1, t))
            let square = v[index] / (1 - DeterministicMath.pow(settings.beta2, t))
            weights[index] -= rate * mean / (square.squareRoot() + settings.epsilon)
          case .sgd:
            g += settings.weightDecay * weights[index]
            m[index] = step == 0 ? g : settings.momentum * m[index] + g
            weights[index] -= rate * m[index]
          }
        }
      }
      return weights
    }
  }

  @Test(arguments: OptimizerMethod.allCases, [0.0, 0.1])
  func `weights follow the textbook in Double`(method: OptimizerMethod, decay: Double) throws {
    var settings = OptimizerSettings()
    settings.method = method
    settings.weightDecay = decay
    let course = Course()
    #expect(
      relativeDifference(try course.run(settings).weights, course.reference(settings)) < Tolerance.elements.bound)
  }

  @Test func `clipping scales all gradients by their common norm`() throws {
    var settings = OptimizerSettings()
    settings.method = .sgd
    settings.clip = 2
    let course = Course()
    let outcome = try course.run(settings)
    let expected = course.reference(settings, scale: { min(1, 2 / ($0 + 1e-6)) })
    #expect(relativeDifference(outcome.weights, expected) < Tolerance.elements.bound)
    #expect(outcome.norms.allSatisfy { $0 > 200 })
  }

  @Test func `a group learns at its own rate and what is in no group stays`() throws {
    let course = Course()
    let groups = [(100..<200, 1.0), (200..<40_000, 0.1)]
    let outcome = try course.run(OptimizerSettings(), groups: groups.map { (range: $0.0, multiplier: $0.1) }).weights
    let full = try course.run(OptimizerSettings()).weights
    let slow = try course.run(OptimizerSettings(), rate: 1e-3).weights
    #expect(outcome[..<100] == course.weights[..<100])
    #expect(outcome[100..<200] == full[100..<200])
    #expect(outcome[200..<40_000] == slow[200..<40_000])
    #expect(outcome[40_000...] == course.weights[40_000...])
  }

  @Test(arguments: OptimizerMethod.allCases)
  func `the result does not depend on the number of threads`(method: OptimizerMethod) throws {
    var settings = OptimizerSettings()
    settings.method = method
    settings.clip = 1
    let course = Course()
    let (one, three) = (try course.run(settings), try course.run(settings, threads: 3))
    #expect(one.weights == three.weights)
    #expect(one.norms == three.norms)
  }

  @Test func `a gradient that is no number changes nothing`() throws {
    let optimizer = Optimizer(
      OptimizerSettings(), count: 4, groups: [(0..<4, 1)], kernels: try TrainingKernels(),
      threads: try WorkerThreads(count: 1))
    var weights: [Float] = [1, 2, 3, 4]
    var gradients: [Float] = [1, .nan, 0, 0]
    let norm = weights.withUnsafeMutableBufferPointer { weights in
      gradients.withUnsafeMutableBufferPointer { optimizer.step(weights, $0, learningRate: 0.1) }
    }
    #expect(!norm.isFinite)
    #expect(weights == [1, 2, 3, 4])
    #expect(optimizer.stepCount == 0)
  }
}

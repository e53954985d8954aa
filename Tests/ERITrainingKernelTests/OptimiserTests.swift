import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct `Optimiser steps` {
  static let counts = [1, 7, 8, 9, 33, 200]

  @Test(arguments: Variant.all) func `Adam takes the steps of torch.optim.Adam and AdamW`(_ variant: Variant) {
    var random = SeededRandom(seed: 70)
    for (decay, decoupled, scale) in [(0.0, false, 1.0), (0.01, false, 0.5), (0.1, true, 1.0)] {
      for count in Self.counts {
        let (rate, beta1, beta2, epsilon) = (1e-2, 0.9, 0.999, 1e-8)
        let start = random.floats(count)
        let weights = GuardedBuffer(start)
        let m = GuardedBuffer([Float](repeating: 0, count: count)),
          v = GuardedBuffer([Float](repeating: 0, count: count))
        var expected = start.map { (w: Double($0), m: 0.0, v: 0.0) }
        for step in 1...5 {
          let gradient = GuardedBuffer(random.floats(count))
          let (correction1, correction2) = (1 - pow(beta1, Double(step)), 1 - pow(beta2, Double(step)))
          var settings = eri_adam(
            learningRate: Float(rate), beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
            weightDecay: Float(decay), decoupled: decoupled, gradientScale: Float(scale),
            correction1: Float(correction1), correction2: Float(correction2))
          eri_f32_adam(
            variant.kernels, &settings, count, gradient.pointer, weights.pointer, m.pointer, v.pointer)
          for i in 0..<count {
            var (w, m, v) = expected[i]
            let g = Double(gradient.pointer[i]) * scale + (decoupled ? 0 : decay * w)
            if decoupled { w -= rate * decay * w }
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            w -= rate / correction1 * m / ((v / correction2).squareRoot() + epsilon)
            expected[i] = (w, m, v)
          }
        }
        #expect(distance(weights.values, expected.map(\.w)) <= Tolerance.elements.bound)
        #expect(distance(m.values, expected.map(\.m)) <= Tolerance.elements.bound)
        #expect(distance(v.values, expected.map(\.v)) <= Tolerance.elements.bound)
        let moved = zip(weights.values, start).map { Double($0) - Double($1) }
        let expectedMoves = zip(expected, start).map { $0.w - Double($1) }
        #expect(distance(moved, expectedMoves) <= Tolerance.products.bound)
        #expect(weights.isIntact && m.isIntact && v.isIntact)
      }
    }
  }

  @Test(arguments: Variant.all) func `SGD takes the steps of torch.optim.SGD`(_ variant: Variant) {
    var random = SeededRandom(seed: 71)
    for (momentum, decay, scale) in [(0.0, 0.0, 1.0), (0.0, 0.1, 0.5), (0.9, 0.0, 1.0), (0.9, 0.01, 2.0)] {
      for count in Self.counts {
        let start = random.floats(count)
        let weights = GuardedBuffer(start), buffer = GuardedBuffer(count)
        var expected = start.map { (w: Double($0), buffer: 0.0) }
        for step in 0..<4 {
          let gradient = GuardedBuffer(random.floats(count))
          var settings = eri_sgd(
            learningRate: 0.05, momentum: Float(momentum), weightDecay: Float(decay), gradientScale: Float(scale),
            first: step == 0)
          eri_f32_sgd(
            variant.kernels, &settings, count, gradient.pointer, weights.pointer, momentum == 0 ? nil : buffer.pointer)
          for i in 0..<count {
            let g = Double(gradient.pointer[i]) * scale + decay * expected[i].w
            expected[i].buffer = step == 0 ? g : momentum * expected[i].buffer + g
            expected[i].w -= 0.05 * (momentum == 0 ? g : expected[i].buffer)
          }
        }
        #expect(distance(weights.values, expected.map(\.w)) <= Tolerance.elements.bound && weights.isIntact)
        if momentum != 0 { #expect(distance(buffer.values, expected.map(\.buffer)) <= Tolerance.elements.bound) }
        #expect(buffer.isIntact)
      }
    }
  }

  @Test(arguments: Variant.all) func `steps give the same bits however the weights are split`(_ variant: Variant) {
    var random = SeededRandom(seed: 72)
    let gradient = GuardedBuffer(random.floats(45)), start = random.floats(45), squares = random.floats(45, in: 0...1)
    func run(_ parts: [Range<Int>]) -> [UInt32] {
      let weights = GuardedBuffer(start), m = GuardedBuffer(start), v = GuardedBuffer(squares)
      let other = GuardedBuffer(start), momentum = GuardedBuffer(start)
      var adam = eri_adam(
        learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, decoupled: true,
        gradientScale: 0.7,
        correction1: 0.3, correction2: 0.2)
      var sgd = eri_sgd(learningRate: 0.1, momentum: 0.9, weightDecay: 0.1, gradientScale: 0.7, first: false)
      for part in parts {
        let at = part.lowerBound
        eri_f32_adam(
          variant.kernels, &adam, part.count, gradient.pointer + at, weights.pointer + at, m.pointer + at,
          v.pointer + at)
        eri_f32_sgd(
          variant.kernels, &sgd, part.count, gradient.pointer + at, other.pointer + at, momentum.pointer + at)
      }
      return weights.bits + m.bits + v.bits + other.bits + momentum.bits
    }
    #expect(run([0..<45]) == run([0..<1, 1..<20, 20..<45]))
  }
}

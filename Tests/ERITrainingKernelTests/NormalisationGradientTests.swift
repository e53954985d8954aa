import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct `Gradients of normalisations` {
  @Test(arguments: Variant.all) func `batch norm's gradient is linear in both operands`(_ variant: Variant) {
    var random = SeededRandom(seed: 30)
    for (rows, columns) in [(1, 1), (3, 7), (5, 8), (9, 9), (4, 33), (2, 200)] {
      let dy = GuardedBuffer(random.floats(rows * columns)), x = GuardedBuffer(random.floats(rows * columns))
      let a = GuardedBuffer(random.floats(columns)), b = GuardedBuffer(random.floats(columns))
      let d = GuardedBuffer(random.floats(columns))
      let expected = (0..<rows * columns).map { i in
        let c = i % columns
        return Double(a.pointer[c]) * Double(dy.pointer[i]) + Double(b.pointer[c]) * Double(x.pointer[i])
          + Double(d.pointer[c])
      }
      let error = destinationDistance(expected) { dx, accumulate in
        eri_f32_batch_norm_gradient(
          variant.kernels, rows, columns, dy.pointer, x.pointer, a.pointer, b.pointer, d.pointer, dx.pointer, accumulate
        )
      }
      #expect(error <= Tolerance.elements.bound)
      eri_f32_batch_norm_gradient(
        variant.kernels, rows, columns, dy.pointer, x.pointer, a.pointer, b.pointer, d.pointer, dy.pointer, false)
      #expect(distance(dy.values, expected) <= Tolerance.elements.bound && dy.isIntact)
    }
  }

  /// gain (x - mean) / … + bias for one row, in Double.
  static func layerNorm(_ x: some Collection<Double>, _ gain: [Double], epsilon: Double, unbiased: Bool) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    let squares = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let divisor =
      unbiased
      ? (squares / Double(x.count - 1)).squareRoot() + epsilon : (squares / Double(x.count) + epsilon).squareRoot()
    return zip(x, gain).map { ($0 - mean) / divisor * $1 }
  }

  @Test(arguments: Variant.all) func `layer norm's gradients agree with differences`(_ variant: Variant) {
    var random = SeededRandom(seed: 31)
    for unbiased in [false, true] {
      // Not of two elements: mean and scale leave them no freedom, so that the gradient is nearly 0.
      for (rows, dimension) in [(1, 5), (3, 7), (5, 8), (9, 9), (17, 33), (2, 130)] {
        let epsilon: Float = unbiased ? 1e-3 : 1e-2
        let x = random.floats(rows * dimension, in: -1...2), gain = random.floats(dimension, in: 0.5...1.5)
        let dy = random.floats(rows * dimension)
        func loss(_ x: [Double], _ gain: [Double]) -> Double {
          (0..<rows).reduce(0) { sum, r in
            let range = r * dimension..<(r + 1) * dimension
            return sum
              + dot(
                Self.layerNorm(x[range], gain, epsilon: Double(epsilon), unbiased: unbiased), dy[range])
          }
        }
        let wide = (x: x.map(Double.init), gain: gain.map(Double.init))
        let expectedX = differences(x) { loss($0, wide.gain) }
        let expectedGain = differences(gain) { loss(wide.x, $0) }
        let expectedBias = (0..<dimension).map { c in
          (0..<rows).reduce(0.0) { $0 + Double(dy[$1 * dimension + c]) }
        }
        let xs = GuardedBuffer(x), gains = GuardedBuffer(gain), slopes = GuardedBuffer(dy)
        let error = destinationDistance(expectedX) { dx, accumulate in
          eri_f32_layer_norm_gradient(
            variant.kernels, rows, dimension, xs.pointer, gains.pointer, epsilon, unbiased, slopes.pointer, dx.pointer,
            accumulate, nil, nil)
        }
        #expect(error <= Tolerance.gradient.bound, "\(rows) × \(dimension), unbiased \(unbiased): \(error)")
        let gainSums = GuardedDoubles([Double](repeating: 1, count: dimension))
        let biasSums = GuardedDoubles([Double](repeating: 2, count: dimension))
        eri_f32_layer_norm_gradient(
          variant.kernels, rows, dimension, xs.pointer, gains.pointer, epsilon, unbiased, slopes.pointer, nil, false,
          gainSums.pointer, biasSums.pointer)
        #expect(distance(gainSums.values, expectedGain.map { $0 + 1 }) <= Tolerance.gradient.bound)
        #expect(distance(biasSums.values, expectedBias.map { $0 + 2 }) <= Tolerance.sums.bound)
        #expect(gainSums.isIntact && biasSums.isIntact)
      }
    }
  }

  @Test(arguments: Variant.all) func `a row of equal values has a finite gradient`(_ variant: Variant) {
    let x = GuardedBuffer([Float](repeating: 3, count: 9)), gain = GuardedBuffer([Float](repeating: 1, count: 9))
    let dy = GuardedBuffer((0..<9).map(Float.init)), dx = GuardedBuffer(9)
    for unbiased in [false, true] {
      eri_f32_layer_norm_gradient(
        variant.kernels, 1, 9, x.pointer, gain.pointer, 1e-3, unbiased, dy.pointer, dx.pointer, false, nil, nil)
      #expect(dx.values.allSatisfy(\.isFinite) && dx.values[4] == 0)
    }
  }

  @Test(arguments: Variant.all) func `layer norm gives the same bits however rows are split`(_ variant: Variant) {
    var random = SeededRandom(seed: 32)
    let (rows, dimension) = (29, 21)
    let x = GuardedBuffer(random.floats(rows * dimension)), dy = GuardedBuffer(random.floats(rows * dimension))
    let gain = GuardedBuffer(random.floats(dimension))
    func run(_ parts: [Range<Int>]) -> ([UInt32], [Double]) {
      let dx = GuardedBuffer(rows * dimension)
      let gains = GuardedDoubles([Double](repeating: 0, count: dimension))
      let biases = GuardedDoubles([Double](repeating: 0, count: dimension))
      for part in parts {
        let at = part.lowerBound * dimension
        eri_f32_layer_norm_gradient(
          variant.kernels, part.count, dimension, x.pointer + at, gain.pointer, 1e-5, false, dy.pointer + at,
          dx.pointer + at, false, gains.pointer, biases.pointer)
      }
      return (dx.bits, gains.values + biases.values)
    }
    #expect(run([0..<29]) == run([0..<3, 3..<4, 4..<20, 20..<29]))
  }

  @Test(arguments: Variant.all) func `softmax's gradient agrees with differences`(_ variant: Variant) {
    var random = SeededRandom(seed: 33)
    for (rows, dimension) in [(1, 1), (3, 7), (2, 8), (2, 9), (5, 33), (2, 100)] {
      let scores = random.floats(rows * dimension, in: -2...2), dp = random.floats(rows * dimension)
      func softmax(_ x: [Double]) -> [Double] {
        (0..<rows).flatMap { r in
          let weights = x[r * dimension..<(r + 1) * dimension].map { exp($0) }
          let sum = weights.reduce(0, +)
          return weights.map { $0 / sum }
        }
      }
      let expected = differences(scores) { dot(softmax($0), dp) }.map { 0.25 * $0 }
      let p = GuardedBuffer(softmax(scores.map(Double.init)).map { Float($0) }), dx = GuardedBuffer(dp)
      eri_f32_softmax_gradient(variant.kernels, rows, dimension, p.pointer, dx.pointer, 0.25, dx.pointer)
      // The gradient of a single score is 0, which rounding of p may miss.
      if dimension > 1 { #expect(distance(dx.values, expected) <= Tolerance.gradient.bound) }
      if dimension == 1 { #expect(dx.values[0] == 0) }
      #expect(dx.isIntact)
    }
  }

  @Test(arguments: Variant.all) func `weight norm's gradients agree with differences`(_ variant: Variant) {
    var random = SeededRandom(seed: 34)
    for (rows, length) in [(1, 2), (3, 7), (2, 8), (2, 9), (4, 33), (2, 150)] {
      let v = random.floats(rows * length), g = random.floats(rows, in: 0.5...2), dw = random.floats(rows * length)
      func loss(_ v: [Double], _ g: [Double]) -> Double {
        (0..<rows).reduce(0) { sum, r in
          let row = v[r * length..<(r + 1) * length]
          let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
          return sum + g[r] / norm * dot(row, dw[r * length..<(r + 1) * length])
        }
      }
      let expectedV = differences(v) { loss($0, g.map(Double.init)) }
      let expectedG = differences(g) { loss(v.map(Double.init), $0) }
      let vs = GuardedBuffer(v), gs = GuardedBuffer(g), slopes = GuardedBuffer(dw)
      let errorV = destinationDistance(expectedV) { dv, accumulate in
        let dg = GuardedBuffer([Float](repeating: 0, count: rows))
        eri_f32_weight_norm_gradient(
          variant.kernels, rows, length, vs.pointer, gs.pointer, slopes.pointer, dv.pointer, dg.pointer, accumulate)
      }
      let errorG = destinationDistance(expectedG) { dg, accumulate in
        let dv = GuardedBuffer([Float](repeating: 0, count: rows * length))
        eri_f32_weight_norm_gradient(
          variant.kernels, rows, length, vs.pointer, gs.pointer, slopes.pointer, dv.pointer, dg.pointer, accumulate)
        #expect(dv.isIntact)
      }
      #expect(max(errorV, errorG) <= Tolerance.gradient.bound, "\(rows) × \(length): \(errorV), \(errorG)")
    }
  }
}

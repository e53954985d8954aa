import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct `Gradients of elements` {
  static let counts = [1, 3, 7, 8, 9, 15, 16, 17, 33, 200]

  static func value(_ activation: eri_activation, _ x: Double) -> Double {
    switch activation {
    case ERI_ACTIVATION_RELU: max(x, 0)
    case ERI_ACTIVATION_SIGMOID: 1 / (1 + exp(-x))
    case ERI_ACTIVATION_TANH: tanh(x)
    case ERI_ACTIVATION_GELU: 0.5 * x * erfc(-x / 2.0.squareRoot())
    case ERI_ACTIVATION_GELU_TANH: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case ERI_ACTIVATION_EXP: exp(x)
    default: x
    }
  }

  static let activations = [
    ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_RELU, ERI_ACTIVATION_SIGMOID, ERI_ACTIVATION_TANH, ERI_ACTIVATION_GELU,
    ERI_ACTIVATION_GELU_TANH, ERI_ACTIVATION_EXP,
  ]

  @Test(arguments: Variant.all) func `an activation's gradient agrees with differences`(_ variant: Variant) {
    var random = SeededRandom(seed: 1)
    for activation in Self.activations {
      for count in Self.counts {
        // Away from ReLU's kink, which differences do not see.
        let x = random.floats(count, in: -4...4).map { abs($0) < 1e-3 ? 0.5 : $0 }
        let dy = random.floats(count)
        let expected = zip(x, dy).map { x, dy in
          let h = 1e-5
          let slope = (Self.value(activation, Double(x) + h) - Self.value(activation, Double(x) - h)) / (2 * h)
          return slope * Double(dy)
        }
        let xs = GuardedBuffer(x), ys = GuardedBuffer(x.map { Float(Self.value(activation, Double($0))) })
        let slopes = GuardedBuffer(dy)
        let fromX = activation == ERI_ACTIVATION_GELU || activation == ERI_ACTIVATION_GELU_TANH
        let error = destinationDistance(expected) { dx, accumulate in
          eri_f32_activation_gradient(
            variant.kernels, activation, count, fromX ? xs.pointer : nil, fromX ? nil : ys.pointer, slopes.pointer,
            dx.pointer, accumulate)
        }
        #expect(error <= Tolerance.gradient.bound, "activation \(activation.rawValue), \(count): \(error)")
      }
    }
  }

  @Test(arguments: Variant.all) func `GELU's slope is 0 or 1 far out and stays NaN`(_ variant: Variant) {
    let x = GuardedBuffer([-1e30, -.infinity, -40, 40, 1e30, .infinity, .nan, 0])
    let dy = GuardedBuffer([Float](repeating: 2, count: 8))
    for activation in [ERI_ACTIVATION_GELU, ERI_ACTIVATION_GELU_TANH] {
      let dx = GuardedBuffer(8)
      eri_f32_activation_gradient(variant.kernels, activation, 8, x.pointer, nil, dy.pointer, dx.pointer, false)
      let values = dx.values
      #expect(values[..<3].allSatisfy { abs($0) < 1e-30 } && values[3..<6].allSatisfy { $0 == 2 })
      #expect(values[6].isNaN && values[7] == 1)
    }
  }

  @Test(arguments: Variant.all) func `ReLU has slope 0 at 0`(_ variant: Variant) {
    let y = GuardedBuffer([0, -0.0, 1e-30, 2]), dx = GuardedBuffer([1, 1, 1, 1])
    eri_f32_activation_gradient(variant.kernels, ERI_ACTIVATION_RELU, 4, nil, y.pointer, dx.pointer, dx.pointer, false)
    #expect(dx.values == [0, 0, 1, 1])
  }

  @Test(arguments: Variant.all) func `gradients give the same bits at every place and in place`(_ variant: Variant) {
    var random = SeededRandom(seed: 2)
    for activation in Self.activations {
      let x = GuardedBuffer(random.floats(33, in: -3...3)), y = GuardedBuffer(random.floats(33, in: 0...1))
      let dy = random.floats(33)
      let whole = GuardedBuffer(dy), single = GuardedBuffer(dy)
      eri_f32_activation_gradient(
        variant.kernels, activation, 33, x.pointer, y.pointer, whole.pointer, whole.pointer, false)
      for i in 0..<33 {
        eri_f32_activation_gradient(
          variant.kernels, activation, 1, x.pointer + i, y.pointer + i, single.pointer + i, single.pointer + i, false)
      }
      #expect(whole.bits == single.bits)
    }
  }

  @Test(arguments: Variant.all) func `scaling writes or adds`(_ variant: Variant) {
    var random = SeededRandom(seed: 3)
    for count in Self.counts {
      let x = GuardedBuffer(random.floats(count))
      let error = destinationDistance(x.values.map { -1.75 * Double($0) }) { y, accumulate in
        eri_f32_scaled(variant.kernels, count, -1.75, x.pointer, y.pointer, accumulate)
      }
      #expect(error <= Tolerance.elements.bound)
      let expected = x.values.map { 0.5 * $0 }
      eri_f32_scaled(variant.kernels, count, 0.5, x.pointer, x.pointer, false)
      #expect(x.values == expected && x.isIntact)
    }
  }

  @Test(arguments: Variant.all) func `products write or add`(_ variant: Variant) {
    var random = SeededRandom(seed: 4)
    for count in Self.counts {
      let a = GuardedBuffer(random.floats(count)), b = GuardedBuffer(random.floats(count))
      let expected = zip(a.values, b.values).map { Double($0) * Double($1) }
      let error = destinationDistance(expected) { y, accumulate in
        eri_f32_product(variant.kernels, count, a.pointer, b.pointer, y.pointer, accumulate)
      }
      #expect(error <= Tolerance.elements.bound)
      eri_f32_product(variant.kernels, count, a.pointer, b.pointer, b.pointer, false)
      #expect(b.values == expected.map { Float($0) })
    }
  }

  @Test(arguments: Variant.all) func `the running average moves by its weight`(_ variant: Variant) {
    var random = SeededRandom(seed: 5)
    for count in Self.counts {
      let x = GuardedBuffer(random.floats(count)), y = GuardedBuffer(random.floats(count))
      let expected = zip(x.values, y.values).map { Double($1) + Double(Float(0.1)) * (Double($0) - Double($1)) }
      eri_f32_average(variant.kernels, count, 0.1, x.pointer, y.pointer)
      #expect(distance(y.values, expected) <= Tolerance.elements.bound && y.isIntact)
    }
  }

  @Test func `the training kernels are those of the kernels passed`() {
    var random = SeededRandom(seed: 6)
    let v = random.floats(400), dw = random.floats(400)
    let bits = Variant.all.map { variant in
      let dv = GuardedBuffer(400), dg = GuardedBuffer(1)
      eri_f32_weight_norm_gradient(variant.kernels, 1, 400, v, [0.7], dw, dv.pointer, dg.pointer, false)
      return dv.bits
    }
    // A fused multiply-add rounds once, portable C twice; AVX-512 has AVX2's.
    #expect(Set(bits).count == min(bits.count, 2))
  }
}

import CERIKernels
import ERITestSupport
import Foundation
import Testing

@Suite struct `Rows and elements` {
  static let counts = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 200]

  @Test(arguments: Variant.all) func `activations agree with their definitions`(_ variant: Variant) {
    let functions = [
      ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_RELU, ERI_ACTIVATION_SIGMOID, ERI_ACTIVATION_TANH, ERI_ACTIVATION_GELU,
      ERI_ACTIVATION_GELU_TANH, ERI_ACTIVATION_EXP,
    ]
    var inputs: [Float] = stride(from: -30, through: 30, by: 0.00731).map { Float($0) }
    inputs += [0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 85, 88.5, 88.72, -85, -87.5, -95, -103, -110, 1e30, -1e30]
    for function in functions {
      let x = GuardedBuffer(inputs), y = GuardedBuffer(inputs.count)
      eri_f32_activate(variant.kernels, function, inputs.count, x.pointer, y.pointer)
      var worst = 0.0
      for (value, input) in zip(y.values, inputs) {
        let (expected, error) = Epilogue.activate(function, Double(input), 0)
        if Float(expected).isInfinite {
          if value != Float(expected) { worst = .infinity }
        } else {
          worst = max(worst, abs(Double(value) - expected) / max(error, 1e-300))
        }
        if value.isNaN { worst = .infinity }
      }
      let exact = function == ERI_ACTIVATION_IDENTITY || function == ERI_ACTIVATION_RELU
      #expect(exact ? worst == 0 : worst <= 1, "activation \(function.rawValue): \(worst) of the tolerance")
    }
  }

  @Test(arguments: Variant.all) func `tanh and GELU keep small arguments to full precision`(_ variant: Variant) {
    let inputs: [Float] = stride(from: -0.6, through: 0.6, by: 0.000317).map { Float($0) }
    for function in [ERI_ACTIVATION_TANH, ERI_ACTIVATION_GELU] {
      let x = GuardedBuffer(inputs), y = GuardedBuffer(inputs.count)
      eri_f32_activate(variant.kernels, function, inputs.count, x.pointer, y.pointer)
      for (value, input) in zip(y.values, inputs) {
        let expected = Epilogue.reference(function, Double(input))
        #expect(abs(Double(value) - expected) <= 3e-7 * abs(expected))
      }
    }
  }

  @Test(arguments: Variant.all) func `activations keep NaN and have their limits at infinity`(_ variant: Variant) {
    let limits: [(eri_activation, Float, Float)] = [
      (ERI_ACTIVATION_RELU, 0, .infinity), (ERI_ACTIVATION_SIGMOID, 0, 1), (ERI_ACTIVATION_TANH, -1, 1),
      (ERI_ACTIVATION_GELU, 0, .infinity), (ERI_ACTIVATION_EXP, 0, .infinity),
    ]
    for (function, low, high) in limits {
      let x = GuardedBuffer([-.infinity, .infinity, .nan]), y = GuardedBuffer(3)
      eri_f32_activate(variant.kernels, function, 3, x.pointer, y.pointer)
      #expect(y.values[0] == low && y.values[1] == high && y.values[2].isNaN, "activation \(function.rawValue)")
    }
  }

  @Test(arguments: Variant.all) func `activations give the same bits at every place and in place`(_ variant: Variant) {
    var random = Random(seed: 1)
    for count in Self.counts {
      let inputs = random.floats(count, in: -5...5)
      for function in [ERI_ACTIVATION_GELU, ERI_ACTIVATION_TANH, ERI_ACTIVATION_SIGMOID, ERI_ACTIVATION_RELU] {
        let whole = GuardedBuffer(inputs), single = GuardedBuffer(inputs)
        eri_f32_activate(variant.kernels, function, count, whole.pointer, whole.pointer)
        for i in 0..<count { eri_f32_activate(variant.kernels, function, 1, single.pointer + i, single.pointer + i) }
        #expect(whole.bits == single.bits)
        #expect(whole.isIntact)
      }
    }
  }

  @Test(arguments: Variant.all) func `numbers on a grid are the nearest, halves to even`(_ variant: Variant) {
    let inputs: [Float] = [
      0, 0.3, -0.3, 0.5, -0.5, 1.5, 2.5, -2.5, 7.49, 199, -199, 4_194_304.5, 8_388_609, 1e30, -.infinity,
    ]
    for (scale, bound) in [(Float(1), Float(100)), (0.25, 20), (1, 16_777_215)] {
      var grid = eri_f32_grid(scale: scale, inverse: 1 / scale, low: -bound, high: bound)
      let x = GuardedBuffer(inputs), y = GuardedBuffer(inputs.count)
      eri_f32_round_to_grid(variant.kernels, &grid, inputs.count, x.pointer, y.pointer)
      let expected = inputs.map {
        scale * max(-bound, min(bound, $0 * grid.inverse)).rounded(.toNearestOrEven)
      }
      #expect(y.values == expected)
    }
  }

  @Test(arguments: Variant.all) func `what is no number goes to the lowest of a grid`(_ variant: Variant) {
    var grid = eri_f32_grid(scale: 2, inverse: 0.5, low: -7, high: 5)
    let x = GuardedBuffer([.nan]), y = GuardedBuffer(1)
    eri_f32_round_to_grid(variant.kernels, &grid, 1, x.pointer, y.pointer)
    #expect(y.values == [-14])
  }

  @Test(arguments: Variant.all) func `binary functions take vectors and scalars`(_ variant: Variant) {
    var random = Random(seed: 2)
    for count in Self.counts {
      let a = random.floats(count), b = random.floats(count, in: 0.5...2)
      let cases: [(eri_binary, (Float, Float) -> Float)] = [
        (ERI_BINARY_ADD, { $0 + $1 }), (ERI_BINARY_SUBTRACT, { $0 - $1 }), (ERI_BINARY_MULTIPLY, { $0 * $1 }),
        (ERI_BINARY_DIVIDE, { $0 / $1 }),
      ]
      for (function, operation) in cases {
        for (aStep, bStep) in [(1, 1), (0, 1), (1, 0), (0, 0)] {
          let left = GuardedBuffer(aStep == 1 ? a : [a[0]]), right = GuardedBuffer(bStep == 1 ? b : [b[0]])
          let y = GuardedBuffer(count)
          eri_f32_binary(variant.kernels, function, count, left.pointer, aStep, right.pointer, bStep, y.pointer)
          #expect(y.values == (0..<count).map { operation(a[$0 * aStep], b[$0 * bStep]) })
          #expect(y.isIntact)
          if aStep == 1 {
            eri_f32_binary(
              variant.kernels, function, count, left.pointer, aStep, right.pointer, bStep, left.pointer)
            #expect(left.values == y.values)
          }
        }
      }
    }
  }

  @Test(arguments: Variant.all) func `scale and shift apply per column`(_ variant: Variant) {
    var random = Random(seed: 3)
    for columns in Self.counts {
      let x = random.floats(3 * columns), scale = random.floats(columns), shift = random.floats(columns)
      let (xs, ss, ts, y) = (GuardedBuffer(x), GuardedBuffer(scale), GuardedBuffer(shift), GuardedBuffer(3 * columns))
      eri_f32_scale_shift(variant.kernels, 3, columns, xs.pointer, ss.pointer, ts.pointer, y.pointer)
      for i in 0..<3 * columns {
        let product = Double(x[i]) * Double(scale[i % columns]), shifted = product + Double(shift[i % columns])
        #expect(abs(Double(y.values[i]) - shifted) <= Tolerance.dot(terms: 1, magnitude: abs(product) + abs(shifted)))
      }
      #expect(y.isIntact)
    }
  }

  @Test(arguments: Variant.all) func `transposition swaps rows and columns and touches nothing else`(_ variant: Variant)
  {
    var random = Random(seed: 4)
    for rows in [1, 3, 7, 8, 9, 16, 33] {
      for columns in [1, 5, 8, 15, 17, 32] {
        let xStride = columns + 3, yStride = rows + 2
        let x = random.floats((rows - 1) * xStride + columns)
        let source = GuardedBuffer(x), y = GuardedBuffer((columns - 1) * yStride + rows)
        eri_f32_transpose(variant.kernels, rows, columns, source.pointer, xStride, y.pointer, yStride)
        let values = y.values
        var right = y.isIntact
        for c in 0..<columns {
          for r in 0..<rows { right = right && values[c * yStride + r] == x[r * xStride + c] }
          for r in rows..<yStride where c < columns - 1 { right = right && values[c * yStride + r].isNaN }
        }
        #expect(right, "\(rows) × \(columns)")
      }
    }
  }

  @Test(arguments: Variant.all, [false, true]) func `layer normalisation`(_ variant: Variant, unbiased: Bool) {
    var random = Random(seed: 5)
    for dimension in Self.counts where dimension > 1 {
      let x = random.floats(2 * dimension, in: 2...5)
      let gain = random.floats(dimension), bias = random.floats(dimension)
      let (xs, gs, bs, y) = (GuardedBuffer(x), GuardedBuffer(gain), GuardedBuffer(bias), GuardedBuffer(2 * dimension))
      eri_f32_layer_norm(
        variant.kernels, 2, dimension, xs.pointer, gs.pointer, bs.pointer, 1e-5, unbiased, y.pointer)
      for row in 0..<2 {
        let values = x[row * dimension..<(row + 1) * dimension].map(Double.init)
        let mean = values.reduce(0, +) / Double(dimension)
        let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
        let scale =
          unbiased
          ? 1 / ((squares / Double(dimension - 1)).squareRoot() + 1e-5)
          : 1 / (squares / Double(dimension) + 1e-5).squareRoot()
        for i in 0..<dimension {
          let normal = (values[i] - mean) * scale
          let expected = normal * Double(gain[i]) + Double(bias[i])
          // The mean of values near 4 is rounded to 4 u, and divided by the deviation.
          let error = Tolerance.normalised(count: dimension, value: normal) + 8 * Tolerance.unit * scale
          #expect(abs(Double(y.values[row * dimension + i]) - expected) <= error)
        }
      }
      #expect(y.isIntact)
    }
  }

  @Test(arguments: Variant.all) func `softmax of rows, also in place`(_ variant: Variant) {
    var random = Random(seed: 6)
    for dimension in Self.counts {
      var x = random.floats(3 * dimension, in: -20...20)
      x[0] = 500
      let source = GuardedBuffer(x), y = GuardedBuffer(3 * dimension)
      eri_f32_softmax(variant.kernels, 3, dimension, source.pointer, y.pointer)
      eri_f32_softmax(variant.kernels, 3, dimension, source.pointer, source.pointer)
      #expect(source.bits == y.bits && y.isIntact && source.isIntact)
      for row in 0..<3 {
        let values = x[row * dimension..<(row + 1) * dimension].map(Double.init)
        let top = values.max() ?? 0
        let weights = values.map { Foundation.exp($0 - top) }
        let sum = weights.reduce(0, +)
        for i in 0..<dimension {
          // x - max is rounded: up to 520 u absolute, which e^x turns into as much relative error.
          let expected = weights[i] / sum
          let error = Tolerance.softmax(count: dimension, value: expected) + 520 * Tolerance.unit * expected
          #expect(abs(Double(y.values[row * dimension + i]) - expected) <= error)
        }
      }
    }
  }
}

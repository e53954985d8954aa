import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Testing

@Suite struct `Sums over rows` {
  static let sizes = [(1, 1), (7, 3), (8, 8), (9, 9), (33, 17), (64, 33), (130, 7), (17, 200)]

  @Test(arguments: Variant.all) func `column sums are added to, whatever the stride`(_ variant: Variant) {
    var random = SeededRandom(seed: 20)
    for (rows, columns) in Self.sizes {
      for gap in [0, 3] {
        let stride = columns + gap
        let x = GuardedBuffer(random.floats((rows - 1) * stride + columns, in: 0...1))
        let sums = GuardedDoubles([Double](repeating: 1, count: columns))
        eri_f32_column_sums(variant.kernels, rows, columns, x.pointer, stride, sums.pointer)
        let expected = (0..<columns).map { c in
          (0..<rows).reduce(1.0) { $0 + Double(x.pointer[$1 * stride + c]) }
        }
        #expect(sums.values == expected && sums.isIntact, "\(rows) × \(columns), stride \(stride)")
      }
    }
  }

  @Test(arguments: Variant.all) func `column squares are about the means`(_ variant: Variant) {
    var random = SeededRandom(seed: 21)
    for (rows, columns) in Self.sizes {
      let x = GuardedBuffer(random.floats(rows * columns)), mean = GuardedBuffer(random.floats(columns))
      let squares = GuardedDoubles([Double](repeating: 0.5, count: columns))
      eri_f32_column_squares(variant.kernels, rows, columns, x.pointer, mean.pointer, squares.pointer)
      let expected = (0..<columns).map { c in
        (0..<rows).reduce(0.5) { sum, r in
          let d = Double(x.pointer[r * columns + c]) - Double(mean.pointer[c])
          return sum + d * d
        }
      }
      #expect(distance(squares.values, expected) <= Tolerance.sums.bound && squares.isIntact)
    }
  }

  @Test(arguments: Variant.all) func `column products come with the sums`(_ variant: Variant) {
    var random = SeededRandom(seed: 22)
    for (rows, columns) in Self.sizes {
      let x = GuardedBuffer(random.floats(rows * columns)), dy = GuardedBuffer(random.floats(rows * columns))
      let mean = GuardedBuffer(random.floats(columns))
      let sums = GuardedDoubles([Double](repeating: 2, count: columns))
      let products = GuardedDoubles([Double](repeating: -1, count: columns))
      eri_f32_column_products(
        variant.kernels, rows, columns, dy.pointer, x.pointer, mean.pointer, sums.pointer, products.pointer)
      let expectedSums = (0..<columns).map { c in
        (0..<rows).reduce(2.0) { $0 + Double(dy.pointer[$1 * columns + c]) }
      }
      let expected = (0..<columns).map { c in
        (0..<rows).reduce(-1.0) { sum, r in
          let d = Double(x.pointer[r * columns + c]) - Double(mean.pointer[c])
          return sum + Double(dy.pointer[r * columns + c]) * d
        }
      }
      #expect(sums.values == expectedSums && sums.isIntact)
      #expect(distance(products.values, expected) <= Tolerance.sums.bound && products.isIntact)
    }
  }

  @Test(arguments: Variant.all) func `consecutive parts of the rows give the same bits as all at once`(
    _ variant: Variant
  ) {
    var random = SeededRandom(seed: 23)
    let (rows, columns) = (45, 19)
    let x = GuardedBuffer(random.floats(rows * columns)), dy = GuardedBuffer(random.floats(rows * columns))
    let mean = GuardedBuffer(random.floats(columns))
    func run(_ parts: [Range<Int>]) -> [[Double]] {
      let zeros = [Double](repeating: 0, count: columns)
      let plain = GuardedDoubles(zeros), squares = GuardedDoubles(zeros)
      let sums = GuardedDoubles(zeros), products = GuardedDoubles(zeros)
      for part in parts {
        let at = part.lowerBound * columns
        eri_f32_column_sums(variant.kernels, part.count, columns, x.pointer + at, columns, plain.pointer)
        eri_f32_column_squares(variant.kernels, part.count, columns, x.pointer + at, mean.pointer, squares.pointer)
        eri_f32_column_products(
          variant.kernels, part.count, columns, dy.pointer + at, x.pointer + at, mean.pointer, sums.pointer,
          products.pointer)
      }
      return [plain.values, squares.values, sums.values, products.values]
    }
    #expect(run([0..<45]) == run([0..<1, 1..<10, 10..<11, 11..<45]))
  }

  @Test(arguments: Variant.all) func `the sum of squares keeps what floats would lose`(_ variant: Variant) {
    var random = SeededRandom(seed: 24)
    for count in [1, 7, 8, 9, 33, 1000, 100_000] {
      let x = GuardedBuffer(random.floats(count))
      let expected = x.values.reduce(0.0) { $0 + Double($1) * Double($1) }
      let sum = eri_f32_square_sum(variant.kernels, count, x.pointer)
      #expect(abs(sum - expected) <= 1e-13 * expected)
    }
    #expect(eri_f32_square_sum(variant.kernels, 0, nil) == 0)
  }
}

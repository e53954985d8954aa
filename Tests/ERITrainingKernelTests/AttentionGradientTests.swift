import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct `Attention in training` {
  static let small: [AttentionCase] = [
    AttentionCase((1, 1, 1, 1), before: nil, after: nil, rate: nil, seed: 40),
    AttentionCase((5, 7, 3, 4), before: nil, after: nil, rate: 0.3, seed: 41),
    AttentionCase((8, 9, 8, 9), before: nil, after: 0, rate: nil, seed: 42),
    AttentionCase((9, 33, 4, 8), before: 3, after: nil, rate: 0.5, seed: 43),
    AttentionCase((33, 33, 5, 3), before: 4, after: 2, rate: nil, seed: 44),
    AttentionCase((70, 67, 2, 3), before: 5, after: 1, rate: 0.2, seed: 45),
    AttentionCase((70, 20, 3, 2), before: nil, after: nil, rate: 0.2, seed: 46),
  ]
  static let arguments = Variant.all.flatMap { variant in small.indices.map { (variant, $0) } }

  @Test(arguments: arguments) func `the head with dropout agrees with its definition`(_ variant: Variant, _ index: Int)
  {
    let c = Self.small[index]
    let qs = GuardedBuffer(c.q), ks = GuardedBuffer(c.k), vs = GuardedBuffer(c.v), scratch = c.scratch
    let out = GuardedBuffer((c.queries - 1) * c.outStride + c.valueDimension)
    var dropout = c.dropout
    eri_f32_attention_dropout(
      variant.kernels, c.queries, c.keys, c.keyDimension, c.valueDimension, c.scale, c.bounds.before, c.bounds.after,
      qs.pointer, c.qStride, ks.pointer, c.kStride, vs.pointer, c.vStride, &dropout, c.first, out.pointer, c.outStride,
      scratch.pointer)
    let expected = c.output(
      c.q.map(Double.init), c.k.map(Double.init), c.v.map(Double.init), factors: c.factors(variant))
    let values = unpadded(out.values, rows: c.queries, columns: c.valueDimension, stride: c.outStride)
    #expect(distance(values, expected) <= Tolerance.gradient.bound)
    #expect(out.isIntact && scratch.isIntact)
    #expect(out.values.filter(\.isNaN).count == c.queries - 1)
  }

  @Test(arguments: arguments) func `a head's gradients agree with differences`(_ variant: Variant, _ index: Int) {
    let c = Self.small[index]
    let factors = c.factors(variant)
    let (q, k, v) = (c.q.map(Double.init), c.k.map(Double.init), c.v.map(Double.init))
    let expectedQ = differences(c.q) { c.loss($0, k, v, factors: factors) }
    let expectedK = differences(c.k) { c.loss(q, $0, v, factors: factors) }
    let expectedV = differences(c.v) { c.loss(q, k, $0, factors: factors) }
    let qs = GuardedBuffer(c.q), ks = GuardedBuffer(c.k), vs = GuardedBuffer(c.v), slopes = GuardedBuffer(c.dout)
    let scratch = c.scratch
    var dropout = c.dropout
    func run(_ dq: GuardedBuffer?, _ addQ: Bool, _ dk: GuardedBuffer?, _ addK: Bool, _ dv: GuardedBuffer?, _ addV: Bool)
    {
      func call(_ dropout: UnsafePointer<eri_dropout>?) {
        eri_f32_attention_gradient(
          variant.kernels, c.queries, c.keys, c.keyDimension, c.valueDimension, c.scale, c.bounds.before,
          c.bounds.after, qs.pointer, c.qStride, ks.pointer, c.kStride, vs.pointer, c.vStride, dropout, c.first,
          slopes.pointer, c.outStride, dq?.pointer, addQ, dk?.pointer, addK, dv?.pointer, addV, scratch.pointer)
      }
      if c.rate == nil { call(nil) } else { call(&dropout) }
    }
    /// Rows alone count: what lies between them has no gradient, and must stay as it was.
    func error(_ expected: [Double], rows: Int, columns: Int, stride: Int, _ kernel: (GuardedBuffer, Bool) -> Void)
      -> Double
    {
      let written = GuardedBuffer(expected.count)
      let added = GuardedBuffer([Float](repeating: 0.25, count: expected.count))
      kernel(written, false)
      kernel(added, true)
      let gaps = written.values.filter(\.isNaN).count == expected.count - rows * columns
      guard written.isIntact, added.isIntact, scratch.isIntact, gaps else { return .infinity }
      let exact = unpadded(expected, rows: rows, columns: columns, stride: stride)
      let first = unpadded(written.values, rows: rows, columns: columns, stride: stride)
      return max(distance(first, exact), distance(added.values, expected.map { $0 + 0.25 }))
    }
    // The only key's probability is 1 whatever its score.
    if c.keys > 1 {
      let errorQ = error(expectedQ, rows: c.queries, columns: c.keyDimension, stride: c.qStride) {
        run($0, $1, nil, false, nil, false)
      }
      let errorK = error(expectedK, rows: c.keys, columns: c.keyDimension, stride: c.kStride) {
        run(nil, false, $0, $1, nil, false)
      }
      #expect(max(errorQ, errorK) <= Tolerance.gradient.bound, "\(errorQ), \(errorK)")
    }
    let errorV = error(expectedV, rows: c.keys, columns: c.valueDimension, stride: c.vStride) {
      run(nil, false, nil, false, $0, $1)
    }
    #expect(errorV <= Tolerance.gradient.bound, "\(errorV)")

    // All three at once are what each is alone.
    let (dq, dk, dv) = (GuardedBuffer(c.q.count), GuardedBuffer(c.k.count), GuardedBuffer(c.v.count))
    let (q1, k1, v1) = (GuardedBuffer(c.q.count), GuardedBuffer(c.k.count), GuardedBuffer(c.v.count))
    run(dq, false, dk, false, dv, false)
    run(q1, false, nil, false, nil, false)
    run(nil, false, k1, false, nil, false)
    run(nil, false, nil, false, v1, false)
    #expect(dq.bits == q1.bits && dk.bits == k1.bits && dv.bits == v1.bits)
  }

  @Test(arguments: Variant.all) func `keys that no query may see have no gradient`(_ variant: Variant) {
    let (queries, keys, dimension) = (3, 40, 5)
    var random = SeededRandom(seed: 47)
    let q = GuardedBuffer(random.floats(queries * dimension)), k = GuardedBuffer(random.floats(keys * dimension))
    let v = GuardedBuffer(random.floats(keys * dimension)), dout = GuardedBuffer(random.floats(queries * dimension))
    let dk = GuardedBuffer(keys * dimension), dv = GuardedBuffer(keys * dimension)
    let scratch = GuardedBuffer(eri_f32_attention_training_scratch_count(queries, keys, dimension, dimension))
    eri_f32_attention_gradient(
      variant.kernels, queries, keys, dimension, dimension, 0.5, 2, 4, q.pointer, dimension, k.pointer, dimension,
      v.pointer, dimension, nil, 0, dout.pointer, dimension, nil, false, dk.pointer, false, dv.pointer, false,
      scratch.pointer)
    let seen = 7 * dimension
    #expect(dk.values[seen...].allSatisfy { $0 == 0 } && dv.values[seen...].allSatisfy { $0 == 0 })
    #expect(dk.values[..<seen].allSatisfy { $0 != 0 } && dv.values[..<seen].allSatisfy { $0 != 0 })
  }

  @Test(arguments: Variant.all) func `attention pooling's gradients agree with differences`(_ variant: Variant) {
    var random = SeededRandom(seed: 48)
    for (tokens, dimension) in [(1, 1), (2, 7), (7, 8), (9, 9), (33, 17), (5, 130)] {
      let x = random.floats(tokens * dimension), weight = random.floats(dimension), dout = random.floats(dimension)
      func loss(_ x: [Double], _ weight: [Double]) -> Double {
        let rows = (0..<tokens).map { Array(x[$0 * dimension..<($0 + 1) * dimension]) }
        let shares = rows.map { row in exp(zip(row, weight).reduce(0) { $0 + $1.0 * $1.1 }) }
        let sum = shares.reduce(0, +)
        return zip(rows, shares).reduce(0) { $0 + $1.1 / sum * dot($1.0, dout) }
      }
      let expectedX = differences(x) { loss($0, weight.map(Double.init)) }
      let expectedWeight = differences(weight) { loss(x.map(Double.init), $0) }
      let xs = GuardedBuffer(x), weights = GuardedBuffer(weight), slopes = GuardedBuffer(dout)
      let scratch = GuardedBuffer(2 * tokens)
      let error = destinationDistance(expectedX) { dx, accumulate in
        eri_f32_attention_pool_gradient(
          variant.kernels, tokens, dimension, xs.pointer, weights.pointer, 0.5, slopes.pointer, dx.pointer, accumulate,
          nil, scratch.pointer)
      }
      #expect(error <= Tolerance.gradient.bound, "\(tokens) × \(dimension): \(error)")
      let sums = GuardedDoubles([Double](repeating: 1, count: dimension))
      eri_f32_attention_pool_gradient(
        variant.kernels, tokens, dimension, xs.pointer, weights.pointer, 0.5, slopes.pointer, nil, false, sums.pointer,
        scratch.pointer)
      #expect(distance(sums.values, expectedWeight.map { $0 + 1 }) <= Tolerance.gradient.bound)
      #expect(sums.isIntact && scratch.isIntact)
    }
  }
}

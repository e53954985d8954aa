import CERIKernels
import ERITestSupport
import Foundation
import Testing

@Suite struct `Attention kernels` {
  static let sizes = [(1, 1, 1, 1), (5, 7, 3, 4), (6, 16, 8, 16), (7, 17, 16, 17), (49, 49, 64, 64), (13, 130, 20, 33)]
  static let bands: [(Int?, Int?)] = [(nil, nil), (nil, 0), (3, 0), (2, 5), (0, 0), (40, 1)]

  @Test(arguments: Variant.all) func `one head equals softmax(scale Q Kᵀ + band) V`(_ variant: Variant) {
    var random = Random(seed: 11)
    for (queries, keys, keyDimension, valueDimension) in Self.sizes {
      for (before, after) in Self.bands {
        // Every query must see a key.
        if let before, queries - 1 - before >= keys { continue }
        let scale: Float = 0.35
        let qStride = keyDimension + 1, kStride = keyDimension + 2, vStride = valueDimension + 3,
          outStride = valueDimension + 1
        let q = random.floats((queries - 1) * qStride + keyDimension, in: -2...2)
        let k = random.floats((keys - 1) * kStride + keyDimension, in: -2...2)
        let v = random.floats((keys - 1) * vStride + valueDimension)
        let (qs, ks, vs) = (GuardedBuffer(q), GuardedBuffer(k), GuardedBuffer(v))
        let out = GuardedBuffer((queries - 1) * outStride + valueDimension)
        let scratch = GuardedBuffer(eri_f32_attention_scratch_count(queries, keys, keyDimension, valueDimension))
        eri_f32_attention(
          variant.kernels, queries, keys, keyDimension, valueDimension, scale, before ?? Int(bitPattern: UInt.max),
          after ?? Int(bitPattern: UInt.max), qs.pointer, qStride, ks.pointer, kStride, vs.pointer, vStride,
          out.pointer,
          outStride, scratch.pointer)
        #expect(out.isIntact && scratch.isIntact)
        let values = out.values
        var wrong = 0
        for i in 0..<queries {
          let allowed = (0..<keys).filter { $0 >= i - (before ?? keys + queries) && $0 <= i + (after ?? keys) }
          let scores = allowed.map { j in
            (0..<keyDimension).reduce(0.0) { $0 + Double(q[i * qStride + $1]) * Double(k[j * kStride + $1]) }
              * Double(scale)
          }
          let top = scores.max() ?? 0
          let weights = scores.map { Foundation.exp($0 - top) }
          let sum = weights.reduce(0, +)
          // Scores up to 4 keyDimension scale err by their dot product's bound; weights turn that into relative error.
          let scoreError = Tolerance.dot(terms: keyDimension, magnitude: 4 * Double(keyDimension) * Double(scale))
          for d in 0..<valueDimension {
            var expected = 0.0, magnitude = 0.0
            for (weight, j) in zip(weights, allowed) {
              expected += weight / sum * Double(v[j * vStride + d])
              magnitude += weight / sum * abs(Double(v[j * vStride + d]))
            }
            let error = (2 * scoreError + Double(keys) * Tolerance.unit + 1e-6) * magnitude + 1e-9
            if !(abs(Double(values[i * outStride + d]) - expected) <= error) { wrong += 1 }
          }
          for d in valueDimension..<outStride where i < queries - 1 && !values[i * outStride + d].isNaN { wrong += 1 }
        }
        #expect(
          wrong == 0,
          "\(queries), \(keys), \(keyDimension), \(valueDimension), band \(String(describing: (before, after)))")
      }
    }
  }

  @Test(arguments: Variant.all) func `unbanded attention gives the same bits however queries are split`(
    _ variant: Variant
  ) {
    var random = Random(seed: 12)
    let (queries, keys, dimension) = (23, 37, 24)
    let q = GuardedBuffer(random.floats(queries * dimension)), k = GuardedBuffer(random.floats(keys * dimension))
    let v = GuardedBuffer(random.floats(keys * dimension))
    let scratch = GuardedBuffer(eri_f32_attention_scratch_count(queries, keys, dimension, dimension))
    func run(_ parts: [Range<Int>]) -> [UInt32] {
      let out = GuardedBuffer(queries * dimension)
      for part in parts {
        let offset = part.lowerBound * dimension
        eri_f32_attention(
          variant.kernels, part.count, keys, dimension, dimension, 0.2, Int(bitPattern: UInt.max),
          Int(bitPattern: UInt.max), q.pointer + offset, dimension, k.pointer, dimension, v.pointer, dimension,
          out.pointer + offset, dimension, scratch.pointer)
      }
      return out.bits
    }
    #expect(run([0..<23]) == run([0..<1, 1..<9, 9..<23]))
  }

  @Test(arguments: Variant.all) func `attention pooling weighs tokens by the softmax of their scores`(
    _ variant: Variant
  ) {
    var random = Random(seed: 13)
    for tokens in [1, 2, 7, 8, 33] {
      for dimension in [1, 7, 16, 33, 256] {
        let x = random.floats(tokens * dimension), weight = random.floats(dimension)
        let (xs, ws, out, scratch) = (
          GuardedBuffer(x), GuardedBuffer(weight), GuardedBuffer(dimension), GuardedBuffer(tokens)
        )
        eri_f32_attention_pool(
          variant.kernels, tokens, dimension, xs.pointer, ws.pointer, 0.3, out.pointer, scratch.pointer)
        let scores = (0..<tokens).map { i in
          (0..<dimension).reduce(0.3) { $0 + Double(x[i * dimension + $1]) * Double(weight[$1]) }
        }
        let top = scores.max() ?? 0
        let weights = scores.map { Foundation.exp($0 - top) }
        let sum = weights.reduce(0, +)
        let scoreError = Tolerance.dot(terms: dimension, magnitude: Double(dimension))
        for d in 0..<dimension {
          let expected = (0..<tokens).reduce(0.0) { $0 + weights[$1] / sum * Double(x[$1 * dimension + d]) }
          #expect(abs(Double(out.values[d]) - expected) <= 2 * scoreError + Double(tokens) * Tolerance.unit + 1e-6)
        }
        #expect(out.isIntact && scratch.isIntact)
      }
    }
  }
}

import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Foundation

/// One head with random operands, each with a stride of its own.
struct AttentionCase {
  let queries: Int, keys: Int, keyDimension: Int, valueDimension: Int
  let before: Int?, after: Int?
  /// Nil without dropout.
  let rate: Float?
  let scale: Float = 0.3
  let first: UInt64 = 1000
  let q: [Float], k: [Float], v: [Float], dout: [Float]

  init(_ sizes: (Int, Int, Int, Int), before: Int?, after: Int?, rate: Float?, seed: UInt64) {
    (queries, keys, keyDimension, valueDimension) = sizes
    (self.before, self.after, self.rate) = (before, after, rate)
    var random = SeededRandom(seed: seed)
    q = random.floats((queries - 1) * (keyDimension + 1) + keyDimension, in: -2...2)
    k = random.floats((keys - 1) * (keyDimension + 2) + keyDimension, in: -2...2)
    v = random.floats((keys - 1) * (valueDimension + 3) + valueDimension)
    dout = random.floats((queries - 1) * (valueDimension + 1) + valueDimension)
  }

  var qStride: Int { keyDimension + 1 }
  var kStride: Int { keyDimension + 2 }
  var vStride: Int { valueDimension + 3 }
  var outStride: Int { valueDimension + 1 }
  var dropout: eri_dropout { eri_dropout(key: 77, rate: rate ?? 0) }
  var bounds: (before: Int, after: Int) { (before ?? Int(bitPattern: UInt.max), after ?? Int(bitPattern: UInt.max)) }
  var scratch: GuardedBuffer {
    GuardedBuffer(eri_f32_attention_training_scratch_count(queries, keys, keyDimension, valueDimension))
  }

  /// What dropout multiplies the probabilities by, as the kernel of the elements says.
  func factors(_ variant: Variant) -> [Double] {
    let ones = GuardedBuffer([Float](repeating: 1, count: queries * keys))
    var dropout = dropout
    eri_f32_dropout(variant.kernels, &dropout, first, queries * keys, ones.pointer, ones.pointer, false)
    return ones.values.map { $0 == 0 ? 0 : 1 / (1 - Double(dropout.rate)) }
  }

  /// The head's output, rows packed without gaps.
  func output(_ q: [Double], _ k: [Double], _ v: [Double], factors: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: queries * valueDimension)
    for i in 0..<queries {
      let allowed = max(0, before.map { i - $0 } ?? 0)..<min(keys, after.map { i + $0 + 1 } ?? keys)
      var weights = [Double](repeating: 0, count: keys)
      for j in allowed {
        var score = 0.0
        for d in 0..<keyDimension { score += q[i * qStride + d] * k[j * kStride + d] }
        weights[j] = exp(score * Double(scale))
      }
      let sum = weights.reduce(0, +)
      for j in allowed {
        let weight = weights[j] / sum * factors[i * keys + j]
        for d in 0..<valueDimension { result[i * valueDimension + d] += weight * v[j * vStride + d] }
      }
    }
    return result
  }

  func loss(_ q: [Double], _ k: [Double], _ v: [Double], factors: [Double]) -> Double {
    dot(output(q, k, v, factors: factors), unpadded(dout, rows: queries, columns: valueDimension, stride: outStride))
  }
}

/// The rows without what lies between them.
func unpadded<T>(_ x: [T], rows: Int, columns: Int, stride: Int) -> [T] {
  (0..<rows).flatMap { x[$0 * stride..<$0 * stride + columns] }
}

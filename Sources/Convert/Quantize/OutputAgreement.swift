import CERISystem

/// How closely outputs follow others.
enum OutputAgreement {
  /// Pearson's correlation, the mean over the last output's columns if there are at least 8 rows of them, else over all its numbers together.
  ///
  /// - Parameter columns: extent of the last axis.
  static func pearson(_ found: [[[Float]]], _ wanted: [[[Float]]], columns: Int) -> Double {
    let a = found.flatMap { $0.last ?? [] }
    let b = wanted.flatMap { $0.last ?? [] }
    guard a.count == b.count, !a.isEmpty else { return 0 }
    guard columns > 0, a.count % columns == 0, a.count / columns >= 8 else { return correlation(a, b, from: 0, by: 1) }
    return (0..<columns).reduce(0) { $0 + correlation(a, b, from: $1, by: columns) } / Double(columns)
  }

  /// 1 where neither changes.
  private static func correlation(_ a: [Float], _ b: [Float], from first: Int, by step: Int) -> Double {
    var (n, sumA, sumB) = (0.0, 0.0, 0.0)
    for index in stride(from: first, to: a.count, by: step) {
      n += 1
      sumA += Double(a[index])
      sumB += Double(b[index])
    }
    var (ab, aa, bb) = (0.0, 0.0, 0.0)
    for index in stride(from: first, to: a.count, by: step) {
      let (x, y) = (Double(a[index]) - sumA / n, Double(b[index]) - sumB / n)
      ab += x * y
      aa += x * x
      bb += y * y
    }
    if aa == 0 || bb == 0 { return aa == bb ? 1 : 0 }
    return ab / eri_sqrt(aa * bb)
  }

  /// Power of the wanted numbers over that of the differences, in decibels; infinite where there is none.
  static func signalToNoise(_ found: [Float], _ wanted: [Float]) -> Double {
    var (signal, noise) = (0.0, 0.0)
    for (a, b) in zip(found, wanted) {
      signal += Double(b) * Double(b)
      noise += (Double(a) - Double(b)) * (Double(a) - Double(b))
    }
    if noise == 0 { return .infinity }
    return signal > 0 ? 10 * eri_log10(signal / noise) : -.infinity
  }
}

import CERISystem
import ERIFormat

/// How the range of a value's integers is chosen from what it was seen to hold.
package enum RangeMethod: String, CaseIterable, Sendable {
  /// From the smallest to the largest number.
  case minmax
  /// Between two percentiles.
  case percentile
  /// The smallest mean square of the rounding and clipping error.
  case mse
  /// The smallest Kullback-Leibler divergence of the rounded distribution.
  case entropy
}

/// What a value was seen to hold over all samples.
struct ActivationStatistics {
  static let bins = 2_048

  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  /// Numbers by bin between minimum and maximum.
  private(set) var counts: [Double] = []
  /// Per channel: sum, number and largest magnitude.
  private(set) var sums: [Double] = []
  private(set) var numbers = 0
  private(set) var magnitudes: [Double] = []

  var wasSeen: Bool { minimum <= maximum }

  /// - Parameters: channels, inner: extents of the channel axis and of those after it.
  mutating func extend(_ values: [Float], channels: Int, inner: Int) {
    if sums.isEmpty {
      sums = [Double](repeating: 0, count: channels)
      magnitudes = sums
    }
    guard channels == sums.count, inner > 0, channels > 0 else { return }
    var start = 0
    while start + channels * inner <= values.count {
      for channel in 0..<channels {
        let first = start + channel * inner
        for value in values[first..<first + inner] where value.isFinite {
          let number = Double(value)
          minimum = min(minimum, number)
          maximum = max(maximum, number)
          sums[channel] += number
          magnitudes[channel] = max(magnitudes[channel], number.magnitude)
        }
      }
      start += channels * inner
      numbers += inner
    }
  }

  /// Counts numbers once minimum and maximum are final.
  mutating func count(_ values: [Float]) {
    if counts.isEmpty { counts = [Double](repeating: 0, count: ActivationStatistics.bins) }
    let width = binWidth
    for value in values where value.isFinite {
      let bin = width > 0 ? Int((Double(value) - minimum) / width) : 0
      counts[max(0, min(bin, ActivationStatistics.bins - 1))] += 1
    }
  }

  func mean(_ channel: Int) -> Double { numbers > 0 ? sums[channel] / Double(numbers) : 0 }

  private var binWidth: Double { (maximum - minimum) / Double(ActivationStatistics.bins) }
  private func centre(_ bin: Int) -> Double { minimum + (Double(bin) + 0.5) * binWidth }

  /// The share of the numbers that lie outside the range that integers of the quantisation reach.
  func clipping(_ quantization: Quantization) -> Double {
    let low = quantization.real(Double(quantization.minimum) - 0.5, place: 0)
    let high = quantization.real(Double(quantization.maximum) + 0.5, place: 0)
    var outside = 0.0
    var total = 0.0
    for (bin, count) in counts.enumerated() {
      total += count
      if centre(bin) < low || centre(bin) > high { outside += count }
    }
    return total > 0 ? outside / total : 0
  }

  /// u8 codes for the numbers: those of the chosen range lie below 2 to the power of `bits`, larger numbers above them as far as u8 goes.
  func quantization(_ method: RangeMethod, percentile: Double, bits: Int) -> Quantization {
    let (low, high): (Double, Double) =
      switch method {
      case .minmax: (minimum, maximum)
      case .percentile: percentileRange(percentile / 100)
      case .mse: smallestError(bits)
      case .entropy: smallestDivergence(bits)
      }
    var codes = ActivationStatistics.codes(low, high, bits: bits)
    codes.maximum = 255
    return codes
  }

  /// Codes of so many bits whose range holds low, high and 0, and 0 exactly.
  static func codes(_ low: Double, _ high: Double, bits: Int = 8) -> Quantization {
    let (low, high) = (min(low, 0), max(high, 0))
    let greatest = Double(1 << bits) - 1
    let scale = max((high - low) / greatest, 1e-12)
    let zero = max(0, min(greatest, (-low / scale).rounded(.toNearestOrEven)))
    return Quantization(
      stored: .u8, scales: [Float(scale)], zeroPoints: zero == 0 ? [] : [Int32(zero)], minimum: 0,
      maximum: Int32(greatest))
  }

  private func percentileRange(_ share: Double) -> (Double, Double) {
    let total = counts.reduce(0, +)
    let allowed = total * (1 - share)
    var (first, last) = (0, counts.count - 1)
    var cut = 0.0
    while last > 0, cut + counts[last] <= allowed {
      cut += counts[last]
      last -= 1
    }
    cut = 0
    // Where nothing is below 0 the lower end is 0 and cuts nothing.
    while minimum < 0, first < last, cut + counts[first] <= allowed {
      cut += counts[first]
      first += 1
    }
    return (minimum + Double(first) * binWidth, minimum + Double(last + 1) * binWidth)
  }

  private func smallestError(_ bits: Int) -> (Double, Double) {
    let shares = stride(from: 1.0, through: 0.2, by: -0.04)
    var best = (error: Double.infinity, low: minimum, high: maximum)
    let centres = counts.indices.map { centre($0) }
    for above in shares {
      for below in shares {
        if minimum >= 0 && below < 1 { break }
        let codes = ActivationStatistics.codes(minimum * below, maximum * above, bits: bits)
        var error = 0.0
        for (bin, count) in counts.enumerated() where count > 0 {
          let difference = codes.held(centres[bin], place: 0) - centres[bin]
          error += count * difference * difference
        }
        if error < best.error { best = (error, minimum * below, maximum * above) }
      }
    }
    return (best.low, best.high)
  }

  /// Of magnitudes: TensorRT's search over the thresholds of a histogram; the whole range where there are too few numbers for one.
  private func smallestDivergence(_ bits: Int) -> (Double, Double) {
    let largest = max(maximum.magnitude, minimum.magnitude)
    guard largest > 0 else { return (minimum, maximum) }
    let levels = 1 << (minimum < 0 ? bits - 1 : bits)
    // Bins that hold a few numbers each say nothing of a distribution, and the search would cut at chance gaps.
    let bins = min(ActivationStatistics.bins, Int(counts.reduce(0, +) / 16))
    guard bins >= 2 * levels else { return (minimum, maximum) }
    var magnitudes = [Double](repeating: 0, count: bins)
    for (bin, count) in counts.enumerated() {
      magnitudes[min(bins - 1, Int(centre(bin).magnitude / largest * Double(bins)))] += count
    }
    var best = (divergence: Double.infinity, threshold: bins)
    for threshold in stride(from: levels, through: bins, by: 8) {
      var kept = Array(magnitudes[..<threshold])
      kept[threshold - 1] += magnitudes[threshold...].reduce(0, +)
      let divergence = ActivationStatistics.divergence(kept, Array(magnitudes[..<threshold]), levels: levels)
      if divergence < best.divergence { best = (divergence, threshold) }
    }
    let bound = largest * Double(best.threshold) / Double(bins)
    return (max(minimum, -bound), min(maximum, bound))
  }

  private static func divergence(_ wanted: [Double], _ source: [Double], levels: Int) -> Double {
    var rounded = [Double](repeating: 0, count: source.count)
    for level in 0..<levels {
      let range = level * source.count / levels..<(level + 1) * source.count / levels
      let filled = range.count { source[$0] > 0 }
      guard filled > 0 else { continue }
      let mean = source[range].reduce(0, +) / Double(filled)
      for bin in range where source[bin] > 0 { rounded[bin] = mean }
    }
    let (p, q) = (wanted.reduce(0, +), rounded.reduce(0, +))
    guard p > 0, q > 0 else { return .infinity }
    var sum = 0.0
    for (bin, count) in wanted.enumerated() where count > 0 {
      let share = max(rounded[bin] / q, 1e-12)
      sum += count / p * eri_log(count / p / share)
    }
    return sum
  }
}

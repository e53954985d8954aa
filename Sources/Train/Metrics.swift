import ERIFormat

/// How well predictions of one label follow the truth.
package struct LabelScore: Equatable, Sendable {
  package let label: String
  /// Correlation; not a number where the truth or the prediction never changes.
  package let pearson: Double
  /// Lin's concordance correlation coefficient; not a number where both never change and are equal in the mean.
  package let concordance: Double
  package let meanSquaredError: Double
  /// Whether the truth is the same in every sample.
  package let isConstantTruth: Bool
}

/// How well predictions follow the truth over a whole split (the paper's equations 10 and 11).
package struct Score: Equatable, Sendable {
  package let count: Int
  package let labels: [LabelScore]

  /// - Parameters: predictions, truth: row-major [samples, labels].
  package init(predictions: [Float], truth: [Float], labels names: [String]) {
    let width = max(1, names.count)
    let count = min(predictions.count, truth.count) / width
    self.count = count
    let rows = Array(0..<count)
    labels = names.indices.map { label in
      let moments = Moments(predictions, truth, label: label, of: width, rows: rows)
      return LabelScore(
        label: names[label], pearson: moments.pearson, concordance: moments.concordance,
        meanSquaredError: moments.meanSquaredError, isConstantTruth: moments.isConstantTruth)
    }
  }

  /// Mean over the labels; a correlation that is not a number counts as 0.
  package var meanPearson: Double { Score.mean(labels.map(\.pearson)) }
  /// Mean over the labels; one that is not a number counts as 0.
  package var meanConcordance: Double { Score.mean(labels.map(\.concordance)) }
  package var meanSquaredError: Double { Score.mean(labels.map(\.meanSquaredError)) }

  /// A sentence for each label whose correlation does not exist.
  package var warnings: [String] {
    labels.filter(\.pearson.isNaN).map { label in
      let what = label.isConstantTruth ? "the label" : "the prediction"
      return "\(label.label): \(what) is the same in all \(counted(count, "sample")); its correlation counts as 0"
    }
  }

  private static func mean(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    return values.reduce(0) { $0 + ($1.isNaN ? 0 : $1) } / Double(values.count)
  }
}

/// A range that holds 95 % of what drawing the samples anew gives.
package struct ScoreInterval: Equatable, Sendable {
  package let low: Double
  package let high: Double
}

/// Percentile intervals of correlations from samples drawn with replacement.
package struct ScoreIntervals: Equatable, Sendable {
  package let meanPearson: ScoreInterval
  package let pearson: [ScoreInterval]

  /// - Parameter draws: how often all samples are drawn anew.
  package init(
    predictions: [Float], truth: [Float], labels: Int, draws: Int = 1_000, seed: UInt64 = 0
  ) {
    let width = max(1, labels)
    let count = min(predictions.count, truth.count) / width
    var means: [Double] = []
    var each = [[Double]](repeating: [], count: labels)
    var random = SeededRandom(seed: seed, stream: "bootstrap")
    var rows = [Int](repeating: 0, count: count)
    for _ in 0..<(count > 0 ? draws : 0) {
      for index in rows.indices { rows[index] = random.index(below: count) }
      var sum = 0.0
      for label in 0..<labels {
        let pearson = Moments(predictions, truth, label: label, of: width, rows: rows).pearson
        each[label].append(pearson.isNaN ? 0 : pearson)
        sum += pearson.isNaN ? 0 : pearson
      }
      means.append(sum / Double(width))
    }
    meanPearson = ScoreIntervals.middle(means)
    pearson = each.map { ScoreIntervals.middle($0) }
  }

  private static func middle(_ values: [Double]) -> ScoreInterval {
    let sorted = values.sorted()
    return ScoreInterval(low: quantile(sorted, 0.025), high: quantile(sorted, 0.975))
  }

  /// Between neighbours in a straight line, as NumPy's percentile.
  static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    guard let last = sorted.last else { return .nan }
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    guard below + 1 < sorted.count else { return last }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }
}

/// Means, variances and covariance of one label's predictions and truth, in two passes.
private struct Moments {
  var predictionMean = 0.0
  var truthMean = 0.0
  var predictionVariance = 0.0
  var truthVariance = 0.0
  var covariance = 0.0
  var meanSquaredError = 0.0
  var isConstantPrediction = true
  var isConstantTruth = true

  init(_ predictions: [Float], _ truth: [Float], label: Int, of width: Int, rows: [Int]) {
    guard let first = rows.first else { return }
    let (firstPrediction, firstTruth) = (predictions[first * width + label], truth[first * width + label])
    for row in rows {
      let (x, y) = (predictions[row * width + label], truth[row * width + label])
      // By comparison: rounding the mean leaves a little variance to equal values.
      if x != firstPrediction { isConstantPrediction = false }
      if y != firstTruth { isConstantTruth = false }
      predictionMean += Double(x)
      truthMean += Double(y)
      let error = Double(x) - Double(y)
      meanSquaredError += error * error
    }
    let count = Double(rows.count)
    predictionMean /= count
    truthMean /= count
    meanSquaredError /= count
    for row in rows {
      let x = Double(predictions[row * width + label]) - predictionMean
      let y = Double(truth[row * width + label]) - truthMean
      predictionVariance += x * x
      truthVariance += y * y
      covariance += x * y
    }
    predictionVariance /= count
    truthVariance /= count
    covariance /= count
  }

  var pearson: Double {
    guard !isConstantPrediction, !isConstantTruth else { return .nan }
    // One root each: the variances' product may underflow.
    return covariance / (predictionVariance.squareRoot() * truthVariance.squareRoot())
  }

  var concordance: Double {
    let distance = predictionMean - truthMean
    let spread = predictionVariance + truthVariance + distance * distance
    guard !(isConstantPrediction && isConstantTruth && distance == 0), spread > 0 else { return .nan }
    return 2 * covariance / spread
  }
}

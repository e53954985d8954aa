package import ERIFormat

/// Mean and deviation of each MFCC coefficient over all frames of a set of clips, as a model standardises them.
///
/// Each clip's own moments are taken in two passes and joined in Double, so that neither many clips nor a large mean costs
/// precision. The order of the clips decides the last bits.
package struct CoefficientStatistics: Sendable {
  /// Frames taken in.
  package private(set) var frames = 0
  private var means: [Double]
  /// Sums of squared distances from the mean.
  private var squares: [Double]
  private var smallest: [Float]
  private var largest: [Float]

  package init(coefficients: Int) {
    means = [Double](repeating: 0, count: coefficients)
    squares = means
    smallest = [Float](repeating: .infinity, count: coefficients)
    largest = [Float](repeating: -.infinity, count: coefficients)
  }

  /// Those of the clips that have sound.
  /// - Throws: `DatasetError` if none has or a shard is damaged.
  package init(of clips: [PreparedClip], in cache: PreparedCache) throws(DatasetError) {
    let heard = clips.filter { $0.hasSound }
    guard let audio = cache.preprocessing.audio, !heard.isEmpty else {
      throw DatasetError(
        .invalid, path: cache.path, expected: "clips with sound to take statistics of", found: "none",
        advice: "prepare clips that have sound")
    }
    self.init(coefficients: audio.coefficientCount)
    for clip in heard { add(try cache.mfcc(of: clip)) }
  }

  /// Takes in a clip's frames, [F, coefficients] row-major.
  package mutating func add(_ mfcc: [Float]) {
    let width = means.count
    let count = width > 0 ? mfcc.count / width : 0
    guard count > 0 else { return }
    var sums = [Double](repeating: 0, count: width)
    for frame in 0..<count {
      for coefficient in 0..<width {
        let value = mfcc[frame * width + coefficient]
        sums[coefficient] += Double(value)
        smallest[coefficient] = min(smallest[coefficient], value)
        largest[coefficient] = max(largest[coefficient], value)
      }
    }
    let clipMeans = sums.map { $0 / Double(count) }
    var clipSquares = [Double](repeating: 0, count: width)
    for frame in 0..<count {
      for coefficient in 0..<width {
        let distance = Double(mfcc[frame * width + coefficient]) - clipMeans[coefficient]
        clipSquares[coefficient] += distance * distance
      }
    }
    let total = Double(frames + count)
    for coefficient in 0..<width {
      let step = clipMeans[coefficient] - means[coefficient]
      means[coefficient] += step * Double(count) / total
      squares[coefficient] += clipSquares[coefficient] + step * step * Double(frames) * Double(count) / total
    }
    frames += count
  }

  package var mean: [Float] { means.map { Float($0) } }

  /// Square root of the mean squared distance; 1 for a coefficient that never changes.
  package var deviation: [Float] {
    let constant = Set(constantCoefficients)
    return squares.indices.map { coefficient in
      constant.contains(coefficient) ? 1 : deviation(coefficient)
    }
  }

  /// Coefficients that are the same in every frame, whose deviation is therefore given as 1.
  package var constantCoefficients: [Int] {
    squares.indices.filter { smallest[$0] >= largest[$0] || !(deviation($0) > 0) }
  }

  private func deviation(_ coefficient: Int) -> Float {
    Float((squares[coefficient] / Double(max(frames, 1))).squareRoot())
  }

  /// A sentence about constant coefficients; nil if there is none.
  package var note: String? {
    let constant = constantCoefficients
    guard !constant.isEmpty else { return nil }
    let names = constant.prefix(8).map { "\($0)" }.joined(separator: ", ") + (constant.count > 8 ? ", …" : "")
    return "\(constant.count) of \(means.count) MFCC coefficients are the same in all \(frames) frames (\(names)): "
      + "their deviation is taken as 1"
  }

  /// Stores them as the statistics of a model's preprocessing.
  package func store(in audio: inout AudioPreprocessing) {
    audio.mean = mean
    audio.deviation = deviation
    audio.statisticsTrained = true
  }
}

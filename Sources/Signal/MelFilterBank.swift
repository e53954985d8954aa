import CERISystem

/// Triangular filters on Slaney's mel scale, each of unit area; only the bins with a positive weight are kept.
struct MelFilterBank: Sendable {
  /// The filters' corner frequencies in hertz: filter m rises from corner m to m + 1 and falls to m + 2.
  let corners: [Double]
  /// First bin and number of bins of each filter, and where its weights start.
  let filters: [(firstBin: Int, binCount: Int, weights: Int)]
  /// Weights of all filters, one after another.
  let weights: [Double]

  /// - Parameters: parameters: already validated
  init(_ parameters: MFCC.Parameters) {
    let lowest = Self.mel(fromHertz: parameters.minimumFrequency)
    let highest = Self.mel(fromHertz: parameters.maximumFrequency)
    var corners: [Double] = []
    for index in 0..<(parameters.melCount + 2) {
      corners.append(
        Self.hertz(fromMel: lowest + (highest - lowest) * Double(index) / Double(parameters.melCount + 1)))
    }
    var filters: [(firstBin: Int, binCount: Int, weights: Int)] = []
    var weights: [Double] = []
    for filter in 0..<parameters.melCount {
      let (low, centre, high) = (corners[filter], corners[filter + 1], corners[filter + 2])
      let start = weights.count
      var firstBin = 0
      for bin in 0...(parameters.fftSize / 2) {
        let frequency = Double(bin) * Double(parameters.sampleRate) / Double(parameters.fftSize)
        let weight = min((frequency - low) / (centre - low), (high - frequency) / (high - centre))
        guard weight > 0 else { continue }
        if weights.count == start { firstBin = bin }
        weights.append(weight * 2 / (high - low))
      }
      filters.append((firstBin, weights.count - start, start))
    }
    self.corners = corners
    self.filters = filters
    self.weights = weights
  }

  /// Slaney's scale is linear below this frequency (hertz) and logarithmic above.
  private static let breakFrequency = 1000.0
  /// Hertz per mel in the linear part.
  private static let linearStep = 200.0 / 3
  /// ln(6.4) / 27: 27 steps from 1000 to 6400 Hz.
  private static var logarithmicStep: Double { eri_log(6.4) / 27 }

  static func mel(fromHertz frequency: Double) -> Double {
    guard frequency >= breakFrequency else { return frequency / linearStep }
    return breakFrequency / linearStep + eri_log(frequency / breakFrequency) / logarithmicStep
  }

  static func hertz(fromMel mel: Double) -> Double {
    let breakMel = breakFrequency / linearStep
    guard mel >= breakMel else { return mel * linearStep }
    return breakFrequency * eri_exp(logarithmicStep * (mel - breakMel))
  }

  /// - Parameters: power: spectrum of two frames · bands: one value per filter, fully overwritten
  func apply(_ power: UnsafePointer<FramePair>, bands: UnsafeMutablePointer<FramePair>) {
    weights.withUnsafeBufferPointer { weights in
      var filter = 0
      while filter < filters.count {
        let (firstBin, binCount, start) = filters[filter]
        // Two sums, so that an addition need not wait for the one before.
        var even = FramePair.zero
        var odd = FramePair.zero
        var bin = 0
        while bin &+ 1 < binCount {
          even += power[firstBin &+ bin] * FramePair(repeating: weights[start &+ bin])
          odd += power[firstBin &+ bin &+ 1] * FramePair(repeating: weights[start &+ bin &+ 1])
          bin &+= 2
        }
        if bin < binCount { even += power[firstBin &+ bin] * FramePair(repeating: weights[start &+ bin]) }
        bands[filter] = even + odd
        filter &+= 1
      }
    }
  }
}

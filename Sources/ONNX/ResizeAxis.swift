import ERIFormat

/// One axis of a tensor on another grid.
struct ResizeAxis {
  let input: Int
  private(set) var output: Int
  private var scale = 1.0
  private var coordinates = Resize.Coordinates.asymmetric
  private var region: (start: Double, end: Double)?

  /// An axis that stays as it is.
  init(_ extent: Int) {
    input = extent
    output = extent
  }

  mutating func resize(
    to extent: Int, scale: Double, _ coordinates: Resize.Coordinates, _ region: (start: Double, end: Double)?
  ) {
    output = extent
    self.scale = scale
    self.coordinates = coordinates
    self.region = region
  }

  /// Whether every element stays where it is.
  var isSame: Bool {
    input == output && scale == 1 && coordinates != .tensorFlow
      && (region.map { $0.start == 0 && $0.end == 1 } ?? true)
  }

  /// Where an element lies on the grid before.
  private func place<Real: ONNXReal>(_ index: Int, _ type: Real.Type) -> Real {
    let x = Real(index)
    let scale = Real(scale)
    let (before, after) = (Real(input), scale * Real(input))
    switch coordinates {
    case .halfPixel: return (x + 0.5) / scale - 0.5
    case .symmetric: return before / 2 * (1 - Real(output) / after) + (x + 0.5) / scale - 0.5
    case .pytorch: return output > 1 ? (x + 0.5) / scale - 0.5 : 0
    case .alignCorners: return output > 1 && after != 1 ? x * (before - 1) / (after - 1) : 0
    case .asymmetric: return x / scale
    case .tensorFlow: return (x + 0.5) / scale
    case .cropped:
      let (start, end) = (Real(region?.start ?? 0), Real(region?.end ?? 1))
      guard output > 1 else { return 0.5 * (start + end) * (before - 1) }
      return start * (before - 1) + x * (end - start) * (before - 1) / Real(output - 1)
    }
  }

  /// Whether a place takes the extrapolation's value.
  private func isOutside<Real: ONNXReal>(_ place: Real) -> Bool {
    coordinates == .cropped && !(place >= 0 && place <= Real(input - 1))
  }

  /// The index that a place is nearest to; -1 where the extrapolation's value stands. In single precision: three times a scale of a third
  /// as it is there makes a whole number, as it was meant.
  func nearest(_ mode: Resize.Nearest) -> [Int] {
    (0..<output).map { index in
      let place = place(index, Float.self)
      if isOutside(place) { return -1 }
      let rounded =
        switch mode {
        case .preferFloor: (place - 0.5).rounded(.up)
        case .preferCeil: (place + 0.5).rounded(.down)
        case .floor: place.rounded(.down)
        case .ceil: place.rounded(.up)
        case .byDirection: place.rounded(scale < 1 ? .up : .down)
        }
      return min(max(Int(narrowing: Double(rounded)), 0), input - 1)
    }
  }

  /// For each element those before that it is a weighted sum of.
  func weighted(_ resize: Resize) -> ResizeWeights {
    let filter = ResizeFilter(resize, scale: scale)
    var indices: [Int] = []
    var weights: [Double] = []
    var constants: [Double] = []
    for index in 0..<output {
      let place = place(index, Double.self)
      if isOutside(place) || !place.isFinite {
        indices += [Int](repeating: 0, count: filter.taps)
        weights += [Double](repeating: 0, count: filter.taps)
        constants.append(Double(resize.extrapolation))
        continue
      }
      // The element left of the place, or at the end of the interval that ends there.
      let left = place.rounded(.up) - 1
      let first = Int(narrowing: left)
      var row = (0..<filter.taps).map { filter.weight(at: Double(filter.start + $0) - (place - left)) }
      if resize.antialiases { ResizeAxis.normalise(&row) }
      if resize.excludesOutside {
        for tap in row.indices where !(0..<input).contains(first &+ filter.start &+ tap) { row[tap] = 0 }
        ResizeAxis.normalise(&row)
      }
      indices += row.indices.map { min(max(first &+ filter.start &+ $0, 0), input - 1) }
      weights += row
      constants.append(0)
    }
    return ResizeWeights(taps: filter.taps, indices: indices, weights: weights, constants: constants)
  }

  private static func normalise(_ weights: inout [Double]) {
    let sum = weights.reduce(0, +)
    if sum != 0 { weights = weights.map { $0 / sum } }
  }
}

/// What an element weighs by its distance.
private struct ResizeFilter {
  /// The first tap's index from the element left of the place.
  let start: Int
  let taps: Int
  private let isCubic: Bool
  private let a: Double
  /// What distances are multiplied by: below 1 where one element stands for several.
  private let shrink: Double

  init(_ resize: Resize, scale: Double) {
    isCubic = resize.mode == .cubic
    a = resize.cubic
    shrink = resize.antialiases ? min(scale, 1) : 1
    let reach = isCubic ? 2.0 : 1.0
    // No more than twice as many as a tensor may have elements.
    start = Int(narrowing: max((-reach / shrink).rounded(.down) + 1, -Double(Limits.elements)))
    taps = 2 - 2 * start
  }

  func weight(at distance: Double) -> Double {
    let x = abs(distance * shrink)
    guard isCubic else { return max(1 - x, 0) }
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}

/// For each element of an axis a constant plus a weighted sum of `taps` elements of the axis before.
struct ResizeWeights {
  let taps: Int
  let indices: [Int]
  let weights: [Double]
  let constants: [Double]
}

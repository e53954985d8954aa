import ERIFormat

/// GridSample: elements read at places that a grid gives, between elements and outside of them.
extension ONNXNode {
  func gridSampleKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let x = try operand(0, "x")
    let grid = try operand(1, "a grid")
    let count = try spatial(x, "x").count
    guard grid.shape.count == x.shape.count, grid.shape.first == x.shape.first, grid.shape.last == count else {
      throw contractError(
        "expected a grid of shape [\(x.shape[0]), …, \(count)] with \(counted(count, "axis")) between, found \(shapeText(grid.shape))"
      )
    }
    try require(grid, "a grid", DType.reals)
    var name = try text("mode", default: "linear")
    // As operator sets before 20 call them.
    if name == "bilinear" { name = "linear" }
    if name == "bicubic" { name = "cubic" }
    let padding = try text("padding_mode", default: "zeros")
    guard let mode = GridSampling.Mode(rawValue: name), let outside = GridSampling.Outside(rawValue: padding) else {
      throw contractError(
        "expected mode linear, nearest or cubic and padding_mode zeros, border or reflection, found \"\(name)\" and \"\(padding)\""
      )
    }
    let result = try BoundType(x.dtype, Array(x.shape.prefix(2)) + Array(grid.shape.dropFirst().dropLast()))
    let sampling = GridSampling(
      extents: [Int](repeating: 1, count: 3 - count) + x.shape.dropFirst(2), axes: count, mode: mode, outside: outside,
      alignsCorners: try flag("align_corners"))
    let maker = GridSampleKernel(
      result: result, batch: x.shape[0], channels: x.shape[1], inputs: x.shape.dropFirst(2).reduce(1, *),
      sampling: sampling, isDouble: grid.dtype == .f64)
    return x.dtype == .bool ? try maker.kernel(UInt8.self) : try numberKernel(x, "x", maker)
  }
}

/// Which elements a place is made of, by axis.
struct GridSampling {
  enum Mode: String {
    case linear, nearest, cubic
  }

  enum Outside: String {
    case zeros, border, reflection
  }

  /// Of three axes, those that are not there 1.
  let extents: [Int]
  let axes: Int
  let mode: Mode
  let outside: Outside
  let alignsCorners: Bool

  var taps: Int {
    switch mode {
    case .nearest: 1
    case .linear: 2
    case .cubic: 4
    }
  }

  /// Puts down an axis's taps for a normalised coordinate: indices, -1 where zeros stand, and weights.
  @inline(__always) func locate<Real: ONNXReal>(
    _ coordinate: Real, _ extent: Int, _ indices: UnsafeMutablePointer<Int>, _ weights: UnsafeMutablePointer<Real>
  ) {
    let length = Real(extent)
    var place = alignsCorners ? (coordinate + 1) / 2 * (length - 1) : ((coordinate + 1) * length - 1) / 2
    if mode == .nearest { place = place.rounded(.toNearestOrEven) }
    let (low, high): (Real, Real) = alignsCorners ? (0, length - 1) : (-0.5, length - 0.5)
    switch outside {
    case .zeros: break
    case .border:
      // A cubic keeps its weights outside, where all elements are the border's: far enough, nothing else is near.
      let margin: Real = mode == .cubic ? 4 : 0
      if mode == .cubic || !(place >= low && place <= high) { place = min(max(place, -margin), length - 1 + margin) }
    case .reflection: if !(place >= low && place <= high) { place = GridSampling.reflect(place, low, high) }
    }
    // Far away, or no number: nothing near an element, or the first one.
    if !(abs(place) < 0x1p30) { place = outside == .zeros ? -8 : 0 }
    let left = place.rounded(.down)
    let first = Int(left)
    let ratio = place - left
    switch mode {
    case .nearest:
      indices[0] = index(first, extent)
      weights[0] = 1
    case .linear:
      indices[0] = index(first, extent)
      indices[1] = index(first &+ 1, extent)
      weights[0] = 1 - ratio
      weights[1] = ratio
    case .cubic:
      for tap in 0..<4 {
        indices[tap] = index(first &+ tap &- 1, extent)
        weights[tap] = GridSampling.cubic(abs(Real(tap - 1) - ratio))
      }
    }
  }

  /// An index as it is inside, -1 where zeros stand.
  @inline(__always) private func index(_ index: Int, _ extent: Int) -> Int {
    if index >= 0 && index < extent { return index }
    switch outside {
    case .zeros: return -1
    case .border: return min(max(index, 0), extent &- 1)
    case .reflection:
      let high = alignsCorners ? Double(extent) - 1 : Double(extent) - 0.5
      return min(
        max(Int(narrowing: GridSampling.reflect(Double(index), alignsCorners ? 0 : -0.5, high)), 0), extent &- 1)
    }
  }

  /// Back inside by mirrors at both borders.
  @inline(__always) private static func reflect<Real: ONNXReal>(_ x: Real, _ low: Real, _ high: Real) -> Real {
    let range = high - low
    guard range > 0, abs(x) < 0x1p60 else { return low > 0 ? low : 0 }
    let distance = x < low ? low - x : x - high
    let turns = (distance / range).rounded(.towardZero)
    let rest = distance - turns * range
    let isEven = turns.truncatingRemainder(dividingBy: 2) == 0
    return (x < low) == isEven ? low + rest : high - rest
  }

  /// Keys' cubic with a = -0.75.
  @inline(__always) private static func cubic<Real: ONNXReal>(_ x: Real) -> Real {
    let a: Real = -0.75
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  }
}

private struct GridSampleKernel: NumberKernel {
  let result: BoundType
  let batch: Int
  let channels: Int
  /// Elements of one channel.
  let inputs: Int
  let sampling: GridSampling
  /// Of the grid.
  let isDouble: Bool

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    isDouble ? sampled(type, Double.self) : sampled(type, Float.self)
  }

  /// Each place is found once for all channels.
  private func sampled<Element: ONNXNumber, Real: ONNXReal>(_ type: Element.Type, _ real: Real.Type) -> ONNXKernel {
    let (batch, channels, inputs, sampling) = (batch, channels, inputs, sampling)
    let outputs = batch * channels == 0 ? 0 : result.elements / (batch * channels)
    let (depth, height, width) = (sampling.extents[0], sampling.extents[1], sampling.extents[2])
    let (axes, taps) = (sampling.axes, sampling.taps)
    // Numbers of the grid's type are as precise as the sums need; integers are cut at the end.
    return ONNXKernel([result], scratchBytes: 24 * MemoryLayout<Int>.stride) { memory in
      let indices: UnsafeMutablePointer<Int> = memory.scratch()
      let weights: UnsafeMutablePointer<Real> = memory.scratch(12 * MemoryLayout<Int>.stride)
      // The axes that are not there: their only element.
      for axis in 0..<3 {
        indices[4 &* axis] = 0
        weights[4 &* axis] = 1
      }
      let (tapsDown, tapsBelow) = (axes > 1 ? taps : 1, axes > 2 ? taps : 1)
      for place in 0..<batch &* outputs {
        let coordinates = memory.input(1, as: Real.self) + place &* axes
        sampling.locate(coordinates[0], width, indices + 8, weights + 8)
        if axes > 1 { sampling.locate(coordinates[1], height, indices + 4, weights + 4) }
        if axes > 2 { sampling.locate(coordinates[2], depth, indices, weights) }
        let (sample, output) = (place / outputs, place % outputs)
        for channel in 0..<channels {
          let plane = sample &* channels &+ channel
          let x = memory.input(0, as: Element.self) + plane &* inputs
          var sum: Real = 0
          for a in 0..<tapsBelow where indices[a] >= 0 {
            for b in 4..<4 &+ tapsDown where indices[b] >= 0 {
              let row = x + (indices[a] &* height &+ indices[b]) &* width
              var line: Real = 0
              for c in 8..<8 &+ taps where indices[c] >= 0 { line += weights[c] * Real(row[indices[c]].wide) }
              sum += weights[a] * weights[b] * line
            }
          }
          memory.output(0, as: Element.self)[plane &* outputs &+ output] = Element(narrowing: Double(sum))
        }
      }
      return nil
    }
  }
}

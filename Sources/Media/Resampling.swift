import Glibc

/// One axis of a resampling: for each output pixel a run of input pixels and their weights.
///
/// Shrinking weights every input pixel by the part of it that the output pixel covers (area filter); enlarging
/// interpolates linearly between the two nearest pixel centres. Positions outside the picture take its edge pixel.
struct AxisWeights {
  /// First input pixel of each output pixel.
  private(set) var first: [Int] = []
  /// Where each output pixel's weights begin; one more entry than outputs.
  private(set) var offset: [Int] = [0]
  private(set) var weights: [Float] = []

  var count: Int { first.count }

  /// - Parameters:
  ///   - start: left edge of the sampled interval in input pixels; may lie outside the picture.
  ///   - length: length of the interval in input pixels, positive.
  ///   - outputs: number of output pixels the interval is divided into.
  ///   - size: number of input pixels of the whole axis.
  init(start: Double, length: Double, outputs: Int, size: Int) {
    first.reserveCapacity(outputs)
    offset.reserveCapacity(outputs + 1)
    let step = length / Double(outputs)
    for output in 0..<outputs {
      if step > 1 {
        let from = start + Double(output) * step
        append(covering: from, from + step, size: size)
      } else {
        let centre = start + (Double(output) + 0.5) * step - 0.5
        let low = centre.rounded(.down)
        let fraction = Float(centre - low)
        let lowPixel = clampedPixel(low, size)
        let highPixel = clampedPixel(low + 1, size)
        first.append(lowPixel)
        if highPixel > lowPixel {
          weights.append(1 - fraction)
          weights.append(fraction)
        } else {
          weights.append(1)
        }
        offset.append(weights.count)
      }
    }
  }

  private mutating func append(covering from: Double, _ to: Double, size: Int) {
    let low = clampedPixel(from.rounded(.down), size)
    let high = max(low, clampedPixel(to.rounded(.up) - 1, size))
    first.append(low)
    for pixel in low...high {
      // The edge pixels stand for everything beyond them.
      let left = pixel == 0 ? from : max(from, Double(pixel))
      let right = pixel == size - 1 ? to : min(to, Double(pixel + 1))
      weights.append(Float(max(0, right - left) / (to - from)))
    }
    offset.append(weights.count)
  }

  private func clampedPixel(_ position: Double, _ size: Int) -> Int {
    Int(min(max(position, 0), Double(size - 1)))
  }

  /// The input pixels that have any weight.
  var span: Range<Int> {
    guard let low = first.min() else { return 0..<0 }
    var high = low
    for output in 0..<count { high = max(high, first[output] + offset[output + 1] - offset[output]) }
    return low..<high
  }
}

/// Resamples interleaved 8-bit pixels: columns first, then rows, accumulated in Float, rounded half up.
/// - Parameters:
///   - source: the pixel of column `origin.x` and row `origin.y` of the picture the weights speak of.
///   - stride: bytes from one source row to the next.
/// - Returns: `ys.count` rows of `xs.count` pixels.
func resample(
  _ source: UnsafePointer<UInt8>, stride: Int, origin: (x: Int, y: Int) = (0, 0), channels: Int, xs: AxisWeights,
  ys: AxisWeights
) -> [UInt8] {
  let columns = xs.span
  let rowLength = columns.count * channels
  var result = [UInt8](repeating: 0, count: xs.count * ys.count * channels)
  if result.isEmpty { return result }
  let base = source + (columns.lowerBound - origin.x) * channels
  withUnsafeTemporaryAllocation(of: Float.self, capacity: rowLength) { row in
    result.withUnsafeMutableBufferPointer { target in
      ys.weights.withUnsafeBufferPointer { yWeights in
        xs.weights.withUnsafeBufferPointer { xWeights in
          guard let row = row.baseAddress, var out = target.baseAddress else { return }
          for y in 0..<ys.count {
            for i in 0..<rowLength { row[i] = 0 }
            for tap in ys.offset[y]..<ys.offset[y + 1] {
              let weight = yWeights[tap]
              let line = base + (ys.first[y] + tap - ys.offset[y] - origin.y) * stride
              for i in 0..<rowLength { row[i] += weight * Float(line[i]) }
            }
            for x in 0..<xs.count {
              let from = xs.offset[x]
              let taps = xs.offset[x + 1] - from
              let pixel = (xs.first[x] - columns.lowerBound) * channels
              for channel in 0..<channels {
                var sum: Float = 0
                var position = pixel + channel
                for tap in 0..<taps {
                  sum += xWeights[from + tap] * row[position]
                  position += channels
                }
                out.pointee = UInt8(min(max(sum + 0.5, 0), 255))
                out += 1
              }
            }
          }
        }
      }
    }
  }
  return result
}

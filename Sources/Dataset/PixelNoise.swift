import ERIFormat

/// The camera's noise: grey of sigma 4 and 1.6 more per channel, added while a row becomes bytes.
///
/// Each column has four xorshift generators (Marsaglia, 2003) that advance once a row, so that the loop over a row is
/// vector code. The sum of a number's four bytes is close to normal.
final class PixelNoise {
  private let width: Int
  private let states: UnsafeMutablePointer<UInt32>
  /// A row of grey noise.
  private let common: UnsafeMutablePointer<Float>

  init(width: Int) {
    self.width = width
    states = .allocate(capacity: 4 * width)
    states.initialize(repeating: 1, count: 4 * width)
    common = .allocate(capacity: width)
    common.initialize(repeating: 0, count: width)
  }

  deinit {
    states.deallocate()
    common.deallocate()
  }

  /// Seeds the generators of a frame.
  func start(_ random: inout SeededRandom) {
    for i in 0..<(2 * width) {
      let bits = random.nextUInt64()
      // Zero is the one state that xorshift never leaves.
      states[2 * i] = UInt32(truncatingIfNeeded: bits) | 1
      states[2 * i + 1] = UInt32(truncatingIfNeeded: bits >> 32) | 1
    }
  }

  /// Adds noise to a row and writes its bytes.
  ///
  /// One short loop after another: a loop over few arrays becomes vector code, one over all of them does not.
  func finish(_ row: RowPlanes, _ pixels: UnsafeMutableBufferPointer<UInt8>, _ y: Int) {
    guard let base = pixels.baseAddress else { return }
    let width = self.width
    let common = self.common
    let out = base + 3 * width * y
    let grey = states + 3 * width
    for i in 0..<width { common[i] = 4 * next(&grey[i]) }
    add(common, row.red, states, width)
    add(common, row.green, states + width, width)
    add(common, row.blue, states + 2 * width, width)
    for i in 0..<width {
      out[3 * i] = byte(row.red[i])
      out[3 * i + 1] = byte(row.green[i])
      out[3 * i + 2] = byte(row.blue[i])
    }
  }

  /// Adds the grey noise and a channel's own to its colours.
  @inline(__always)
  private func add(
    _ common: UnsafeMutablePointer<Float>, _ colours: UnsafeMutablePointer<Float>,
    _ states: UnsafeMutablePointer<UInt32>, _ width: Int
  ) {
    for i in 0..<width { colours[i] += common[i] + 1.6 * next(&states[i]) }
  }

  /// A number of mean 0 and variance 1.
  @inline(__always)
  private func next(_ state: inout UInt32) -> Float {
    state ^= state << 13
    state ^= state >> 17
    state ^= state << 5
    let pairs = (state & 0x00ff_00ff) &+ ((state >> 8) & 0x00ff_00ff)
    let sum = (pairs & 0xffff) &+ (pairs >> 16)
    // Four bytes have the mean 4 × 127.5 and the variance 4 × (256² − 1) / 12.
    return (Float(Int32(bitPattern: sum)) - 510) * 0.006765875
  }

  /// The nearest of 0 … 255.
  @inline(__always)
  private func byte(_ value: Float) -> UInt8 {
    let limited = PixelArithmetic.minimum(PixelArithmetic.maximum(value, 0), 255)
    // Adding 2²³ leaves the nearest integer in the low bits of the sum.
    return UInt8(truncatingIfNeeded: (limited + 8_388_608).bitPattern)
  }
}

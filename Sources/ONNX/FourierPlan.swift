import CERISystem
import ERIFormat

/// A discrete Fourier transform of one length, in float64: by halves where the length is a power of two, as a convolution with a chirp
/// (Bluestein) where it is another.
final class FourierPlan: Sendable {
  /// The longest transform: its tables take half a gigabyte.
  private static let longest = 1 << 22

  let length: Int
  /// A power of two: the length itself, or room for the convolution.
  private let size: Int
  private let isDirect: Bool
  /// e^(-2πi k / size) for k < size / 2, interleaved.
  nonisolated(unsafe) private let roots: UnsafeMutablePointer<Double>
  /// e^(-πi n² / length), and the transform of its conjugate over `size`; empty for a power of two.
  nonisolated(unsafe) private let chirp: UnsafeMutablePointer<Double>
  nonisolated(unsafe) private let kernel: UnsafeMutablePointer<Double>

  init(_ length: Int) throws(FormatError) {
    guard length > 0 else { throw contractError("expected a transform of at least 1 element, found \(length)") }
    guard length <= FourierPlan.longest else {
      throw FormatError(
        .limitExceeded, at: "",
        "expected a transform of at most \(FourierPlan.longest) elements, found \(length)")
    }
    self.length = length
    isDirect = length & (length - 1) == 0
    var size = 1
    while size < (isDirect ? length : 2 * length - 1) { size *= 2 }
    self.size = size
    roots = UnsafeMutablePointer<Double>.allocate(capacity: max(size, 2))
    chirp = UnsafeMutablePointer<Double>.allocate(capacity: isDirect ? 1 : 2 * length)
    kernel = UnsafeMutablePointer<Double>.allocate(capacity: isDirect ? 1 : 2 * size)
    for index in 0..<max(size / 2, 1) {
      let angle = 2 * Double.pi * Double(index) / Double(size)
      roots[2 * index] = eri_cos(angle)
      roots[2 * index + 1] = -eri_sin(angle)
    }
    if !isDirect { prepareConvolution() }
  }

  deinit {
    roots.deallocate()
    chirp.deallocate()
    kernel.deallocate()
  }

  private func prepareConvolution() {
    kernel.initialize(repeating: 0, count: 2 * size)
    for index in 0..<length {
      // n² modulo the period of the angle, so that it stays exact.
      let angle = Double.pi * Double(index * index % (2 * length)) / Double(length)
      let (real, imaginary) = (eri_cos(angle), eri_sin(angle))
      (chirp[2 * index], chirp[2 * index + 1]) = (real, -imaginary)
      (kernel[2 * index], kernel[2 * index + 1]) = (real, imaginary)
      if index > 0 {
        (kernel[2 * (size - index)], kernel[2 * (size - index) + 1]) = (real, imaginary)
      }
    }
    transform(kernel)
    for index in 0..<2 * size { kernel[index] /= Double(size) }
  }

  /// Doubles of memory that a run needs: the signal first, interleaved, and room after it.
  var workspace: Int { 2 * length + (isDirect ? 0 : 2 * size) }

  /// Transforms the signal at the start of `memory` in place; `isInverse`: with the other sign, and divided by the length.
  func run(_ memory: UnsafeMutablePointer<Double>, isInverse: Bool) {
    // The inverse is the conjugate of the conjugate's transform.
    if isInverse { conjugate(memory, 1) }
    if isDirect { transform(memory) } else { convolve(memory, memory + 2 &* length) }
    if isInverse { conjugate(memory, 1 / Double(length)) }
  }

  private func conjugate(_ memory: UnsafeMutablePointer<Double>, _ factor: Double) {
    for index in 0..<length {
      memory[2 &* index] *= factor
      memory[2 &* index &+ 1] *= -factor
    }
  }

  private func convolve(_ signal: UnsafeMutablePointer<Double>, _ room: UnsafeMutablePointer<Double>) {
    for index in 0..<length { multiply(signal, chirp, index, into: room) }
    (room + 2 &* length).update(repeating: 0, count: 2 &* (size &- length))
    transform(room)
    for index in 0..<size {
      multiply(room, kernel, index, into: room)
      // Conjugated: the same transform again is then the inverse.
      room[2 &* index &+ 1] = -room[2 &* index &+ 1]
    }
    transform(room)
    for index in 0..<length {
      room[2 &* index &+ 1] = -room[2 &* index &+ 1]
      multiply(room, chirp, index, into: signal)
    }
  }

  @inline(__always)
  private func multiply(
    _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ index: Int,
    into target: UnsafeMutablePointer<Double>
  ) {
    let (real, imaginary) = (2 &* index, 2 &* index &+ 1)
    let product = (
      a[real] * b[real] - a[imaginary] * b[imaginary], a[real] * b[imaginary] + a[imaginary] * b[real]
    )
    (target[real], target[imaginary]) = product
  }

  /// `size` complex values in place, decimated in time.
  private func transform(_ values: UnsafeMutablePointer<Double>) {
    reorder(values)
    var half = 1
    while half < size {
      let stride = size / (2 &* half)
      var start = 0
      while start < size {
        for index in 0..<half {
          let (low, high, root) = (2 &* (start &+ index), 2 &* (start &+ index &+ half), 2 &* index &* stride)
          let real = values[high] * roots[root] - values[high &+ 1] * roots[root &+ 1]
          let imaginary = values[high] * roots[root &+ 1] + values[high &+ 1] * roots[root]
          (values[high], values[high &+ 1]) = (values[low] - real, values[low &+ 1] - imaginary)
          (values[low], values[low &+ 1]) = (values[low] + real, values[low &+ 1] + imaginary)
        }
        start &+= 2 &* half
      }
      half &*= 2
    }
  }

  /// Every value to the place of its index's bits in reverse.
  private func reorder(_ values: UnsafeMutablePointer<Double>) {
    var mirrored = 0
    for index in 0..<size {
      if index < mirrored {
        (values[2 &* index], values[2 &* mirrored]) = (values[2 &* mirrored], values[2 &* index])
        (values[2 &* index &+ 1], values[2 &* mirrored &+ 1]) = (values[2 &* mirrored &+ 1], values[2 &* index &+ 1])
      }
      var bit = size >> 1
      while bit > 0, mirrored & bit != 0 {
        mirrored ^= bit
        bit >>= 1
      }
      mirrored |= bit
    }
  }
}

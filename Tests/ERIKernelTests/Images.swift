import CERIKernels
import ERITestSupport

/// A batch of channels-last images in a guarded buffer, halo included.
final class Images {
  let count: Int, height: Int, width: Int, channels: Int, halo: Int
  let buffer: GuardedBuffer

  /// Zero halo and the given interior; without one, everything is NaN.
  init(count: Int, height: Int, width: Int, channels: Int, halo: Int, interior: [Float]? = nil) {
    (self.count, self.height, self.width, self.channels, self.halo) = (count, height, width, channels, halo)
    buffer = GuardedBuffer(count * (height + 2 * halo) * (width + 2 * halo) * channels)
    guard let interior else { return }
    buffer.pointer.update(repeating: 0, count: buffer.count)
    for i in interior.indices {
      let pixel = i / channels
      buffer.pointer[index(pixel / (height * width), pixel / width % height, pixel % width) + i % channels] =
        interior[i]
    }
  }

  /// Where the channels of a pixel begin.
  func index(_ image: Int, _ y: Int, _ x: Int) -> Int {
    ((image * (height + 2 * halo) + y + halo) * (width + 2 * halo) + x + halo) * channels
  }

  var c: eri_f32_image {
    eri_f32_image(data: buffer.pointer, height: height, width: width, channels: channels, halo: halo)
  }

  /// The pixels without the halo.
  var interior: [Float] {
    var result: [Float] = []
    result.reserveCapacity(count * height * width * channels)
    for image in 0..<count {
      for y in 0..<height {
        for x in 0..<width {
          let at = index(image, y, x)
          for c in 0..<channels { result.append(buffer.pointer[at + c]) }
        }
      }
    }
    return result
  }

  /// Whether every float of the halo still is the NaN that it was made of.
  var haloIsUntouched: Bool {
    let filled = buffer.values.filter { !$0.isNaN }.count
    return filled == interior.filter { !$0.isNaN }.count && buffer.isIntact
  }
}

/// A convolution or pooling window and the sizes it is applied to.
struct Window {
  var kernel = (height: 3, width: 3)
  var stride = (height: 1, width: 1)
  var dilation = (height: 1, width: 1)
  var padding = (top: 1, left: 1, bottom: 1, right: 1)
  var groups = 1

  var c: eri_window {
    eri_window(
      kernelHeight: kernel.height, kernelWidth: kernel.width, strideHeight: stride.height, strideWidth: stride.width,
      dilationHeight: dilation.height, dilationWidth: dilation.width, padTop: padding.top, padLeft: padding.left,
      groups: groups)
  }

  func outputHeight(_ height: Int) -> Int {
    (height + padding.top + padding.bottom - (kernel.height - 1) * dilation.height - 1) / stride.height + 1
  }
  func outputWidth(_ width: Int) -> Int {
    (width + padding.left + padding.right - (kernel.width - 1) * dilation.width - 1) / stride.width + 1
  }

  /// The obvious sum, in Double: for each output element its value and Σ|a||b|. `input` is [images, height, width, channels],
  /// `weights` [O, I / groups, KH, KW].
  func convolve(
    _ input: [Float], images: Int, height: Int, width: Int, channels: Int, weights: [Float], outputChannels: Int
  ) -> [(sum: Double, magnitude: Double)] {
    let depth = channels / groups, wide = outputChannels / groups
    let source = input.map(Double.init), factors = weights.map(Double.init)
    var result: [(sum: Double, magnitude: Double)] = []
    for image in 0..<images {
      for oy in 0..<outputHeight(height) {
        for ox in 0..<outputWidth(width) {
          for o in 0..<outputChannels {
            var sum = 0.0, magnitude = 0.0
            for ky in 0..<kernel.height {
              let y = oy * stride.height + ky * dilation.height - padding.top
              guard y >= 0, y < height else { continue }
              for kx in 0..<kernel.width {
                let x = ox * stride.width + kx * dilation.width - padding.left
                guard x >= 0, x < width else { continue }
                for i in 0..<depth {
                  let a = source[((image * height + y) * width + x) * channels + o / wide * depth + i]
                  let b = factors[((o * depth + i) * kernel.height + ky) * kernel.width + kx]
                  sum += a * b
                  magnitude += abs(a * b)
                }
              }
            }
            result.append((sum, magnitude))
          }
        }
      }
    }
    return result
  }
}

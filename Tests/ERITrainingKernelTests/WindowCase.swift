import CERIKernels
import ERITestSupport

/// A window over images of one size, and where each of its taps lies.
struct WindowCase: CustomStringConvertible, Sendable {
  var kernel = (height: 3, width: 3)
  var stride = (height: 1, width: 1)
  var dilation = (height: 1, width: 1)
  var padding = (top: 1, left: 1)
  /// What the output's size leaves at the bottom and right.
  var end = (bottom: 1, right: 1)
  var images = 2
  var height = 6
  var width = 7

  /// Overlapping, disjoint, dilated, lopsided, as large as the image, and partly wholly outside.
  static let all = [
    WindowCase(), WindowCase(stride: (2, 2)),
    WindowCase(kernel: (7, 7), stride: (2, 2), padding: (3, 3), end: (3, 3), height: 13, width: 21),
    WindowCase(kernel: (1, 1), padding: (0, 0), end: (0, 0)),
    WindowCase(kernel: (2, 2), stride: (2, 2), padding: (0, 0), end: (0, 0)),
    WindowCase(kernel: (1, 5), stride: (1, 3), dilation: (1, 2), padding: (0, 4), end: (0, 4)),
    WindowCase(kernel: (3, 2), dilation: (2, 3), padding: (2, 0), end: (1, 3)),
    WindowCase(kernel: (2, 3), padding: (3, 4), end: (2, 3), height: 4, width: 3),
  ]

  var description: String {
    "\(kernel), stride \(stride), dilation \(dilation), padding \(padding), \(height) × \(width)"
  }
  var taps: Int { kernel.height * kernel.width }
  var outputHeight: Int {
    (height + padding.top + end.bottom - (kernel.height - 1) * dilation.height - 1) / stride.height + 1
  }
  var outputWidth: Int {
    (width + padding.left + end.right - (kernel.width - 1) * dilation.width - 1) / stride.width + 1
  }
  var pixels: Int { images * outputHeight * outputWidth }
  var c: eri_window {
    eri_window(
      kernelHeight: kernel.height, kernelWidth: kernel.width, strideHeight: stride.height, strideWidth: stride.width,
      dilationHeight: dilation.height, dilationWidth: dilation.width, padTop: padding.top, padLeft: padding.left,
      groups: 1)
  }

  /// The image, row and column that a tap of an output pixel reads; nil outside.
  func position(pixel: Int, tap: Int) -> (image: Int, y: Int, x: Int)? {
    let (image, place) = pixel.quotientAndRemainder(dividingBy: outputHeight * outputWidth)
    let y = place / outputWidth * stride.height + tap / kernel.width * dilation.height - padding.top
    let x = place % outputWidth * stride.width + tap % kernel.width * dilation.width - padding.left
    guard (0..<height).contains(y), (0..<width).contains(x) else { return nil }
    return (image, y, x)
  }
}

import CERIKernels
import ERITestSupport
import Testing

@Suite struct `8-bit Winograd convolution` {
  static let window = eri_window(
    kernelHeight: 3, kernelWidth: 3, strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1, padTop: 1,
    padLeft: 1, groups: 1)

  static let problems: [ConvolutionProblem] = {
    var all: [ConvolutionProblem] = []
    // Every mixture of tiles of 4 and 3, and sides that the last tile reaches over.
    for (height, width) in [(1, 1), (2, 5), (3, 4), (7, 7), (8, 3), (9, 14), (13, 11)] {
      for (from, to) in [(1, 1), (5, 17), (16, 16), (33, 24), (64, 80)] {
        all.append(
          ConvolutionProblem(
            window, images: 3, height: height, width: width, from: from, to: to, shape: all.count))
      }
    }
    // More tiles than a group has.
    all.append(ConvolutionProblem(window, images: 9, height: 14, width: 14, from: 32, to: 33, shape: 4))
    return all
  }()

  @Test(arguments: Int8Variant.others) func `gives the portable form's bits`(_ variant: Int8Variant) {
    for (index, p) in Self.problems.enumerated() {
      let parts = [0..<p.images]
      #expect(
        p.bits(variant, parts: parts, winograd: true) == p.bits(.portable, parts: parts, winograd: true),
        "problem \(index)")
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `gives the same bits however images are split over calls`(_ variant: Int8Variant) {
    for (index, p) in Self.problems.enumerated() {
      let whole = p.bits(variant, parts: [0..<p.images], winograd: true)
      let single = (0..<p.images).map { $0..<$0 + 1 }
      #expect(p.bits(variant, parts: single, winograd: true) == whole, "problem \(index)")
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `gives the same bits however output channels are split over calls`(_ variant: Int8Variant) {
    for (index, p) in Self.problems.enumerated() {
      let images = [0..<p.images]
      let panels = stride(from: 0, to: p.outputChannels, by: 16).map { $0..<min($0 + 16, p.outputChannels) }
      let whole = p.bits(variant, parts: images, winograd: true)
      #expect(p.bits(variant, parts: images, winograd: true, channels: panels.reversed()) == whole, "problem \(index)")
    }
  }

  @Test func `stays near the exact sums`() {
    for (index, p) in Self.problems.enumerated() {
      let floats = p.run(.portable, parts: [0..<p.images], winograd: true).floats.interior
      let wrong = p.sums.enumerated().count { i, sum in
        let channel = i % p.outputChannels
        let expected = p.epilogue.apply(Float(sum), channel: channel, element: i).float
        let bound = Tolerance.integerWinograd(
          terms: 9 * p.inputChannels, weight: 127, sameSign: index % 4 == 3, scale: Double(p.epilogue.scale[channel]))
        return !(abs(Double(floats[i] - expected)) <= bound)
      }
      #expect(wrong == 0, "problem \(index)")
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `is chosen for the layers of a stem, not for few channels or tiles`(_ variant: Int8Variant) {
    func pays(_ side: Int, _ channels: Int, images: Int) -> Bool {
      eri_i8_winograd_pays(variant.kernels, side, side, channels, channels, images)
    }
    // One dot-product instruction there does what four of int16 do, one of tiles much more.
    if !["neondot", "amx"].contains(variant.description) {
      #expect(pays(28, 64, images: 32) && pays(14, 128, images: 32) && pays(7, 256, images: 32))
    }
    #expect(!pays(28, 8, images: 32) && !pays(28, 64, images: 0))
    if variant.description.contains("vnni") { #expect(!pays(7, 256, images: 1)) }
  }

  /// Weights like a trained layer's, an input like a ReLU's output, and an output scale that just holds the results: the error in
  /// steps of the output, against the exact sums unrounded.
  @Test func `is off by a step or so where layers are typical`() {
    var random = Random(seed: 9)
    for (side, channels) in [(28, 64), (14, 128), (7, 256)] {
      func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) } }
      let images = 2, terms = 9 * channels
      // Per channel the largest weight is 127.
      var weights: [Int8] = []
      for _ in 0..<channels {
        let drawn = (0..<terms).map { _ in normal() }
        let largest = drawn.reduce(0) { max($0, abs($1)) }
        weights += drawn.map { Int8(($0 / largest * 127).rounded()) }
      }
      let input = (0..<images * side * side * channels).map { _ in UInt8(max(0, min(255, normal() * 60))) }
      var p = ConvolutionProblem(
        Self.window, images: images, height: side, width: side, from: channels, to: channels, shape: 0, input: input,
        weights: weights)
      let sums = p.sums
      let largest = sums.reduce(0) { max($0, abs($1)) }
      p.epilogue.scale = Array(repeating: 1, count: channels)
      p.epilogue.inverse = 127 / Float(largest)
      p.epilogue.outputZero = 128
      (p.epilogue.first, p.epilogue.second) = (ERI_ACTIVATION_IDENTITY, ERI_ACTIVATION_IDENTITY)
      let bytes = p.run(.portable, parts: [0..<images], winograd: true).bytes.interior
      var worst = 0.0, squares = 0.0
      for i in sums.indices {
        let error = Double(Int(bytes[i]) - 128) - Double(sums[i]) * 127 / Double(largest)
        worst = max(worst, abs(error))
        squares += error * error
      }
      let rms = (squares / Double(sums.count)).squareRoot()
      // Rounding alone makes 0.5 and 0.289.
      #expect(worst <= 1.25, "\(channels) channels: \(worst)")
      #expect(rms <= 0.31, "\(channels) channels: \(rms)")
    }
  }
}

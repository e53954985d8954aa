import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Testing

@Suite struct `Gradients of max pooling` {
  /// Values of few steps, so that windows often hold their maximum more than once.
  static func input(_ window: WindowCase, channels: Int, seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<window.images * window.height * window.width * channels).map { _ in Float(random.index(below: 4)) - 2 }
  }

  static func run(
    _ variant: Variant, _ window: WindowCase, channels: Int, input: [Float], dOutput: [Float],
    into dInput: GuardedBuffer,
    accumulate: Bool, parts: [Range<Int>]
  ) {
    let values = GuardedBuffer(input), slopes = GuardedBuffer(dOutput), results = GuardedBuffer(dOutput.count)
    var from = eri_f32_image(
      data: values.pointer, height: window.height, width: window.width, channels: channels, halo: 0)
    var to = eri_f32_image(
      data: results.pointer, height: window.outputHeight, width: window.outputWidth, channels: channels, halo: 0)
    var c = window.c
    eri_f32_maxpool(variant.kernels, &c, &from, &to, 0, window.images * window.outputHeight)
    for part in parts {
      eri_f32_maxpool_gradient(
        variant.kernels, &c, &from, &to, slopes.pointer, dInput.pointer, accumulate, part.lowerBound, part.upperBound)
    }
  }

  @Test(arguments: Variant.all) func `the first maximum in scan order takes all of the gradient`(_ variant: Variant) {
    var random = SeededRandom(seed: 51)
    for window in WindowCase.all {
      for channels in [1, 7, 8, 9, 16, 33] {
        let input = Self.input(window, channels: channels, seed: 50)
        let dOutput = random.floats(window.pixels * channels)
        var expected = [Double](repeating: 0, count: input.count)
        for pixel in 0..<window.pixels {
          for channel in 0..<channels {
            var best: Int?
            for tap in 0..<window.taps {
              guard let at = window.position(pixel: pixel, tap: tap) else { continue }
              let place = ((at.image * window.height + at.y) * window.width + at.x) * channels + channel
              if best.map({ input[place] > input[$0] }) ?? true { best = place }
            }
            if let best { expected[best] += Double(dOutput[pixel * channels + channel]) }
          }
        }
        let error = destinationDistance(expected) { dInput, accumulate in
          Self.run(
            variant, window, channels: channels, input: input, dOutput: dOutput, into: dInput, accumulate: accumulate,
            parts: [0..<window.images])
        }
        #expect(error <= Tolerance.elements.bound, "\(window), \(channels) channels: \(error)")
      }
    }
  }

  @Test(arguments: Variant.all) func `images give the same bits alone as together`(_ variant: Variant) {
    var random = SeededRandom(seed: 52)
    let window = WindowCase(stride: (2, 2), images: 3)
    let input = Self.input(window, channels: 9, seed: 53), dOutput = random.floats(window.pixels * 9)
    let bits = [[0..<3], [0..<1, 1..<3], [2..<3, 0..<2]].map { parts in
      let dInput = GuardedBuffer(input.count)
      Self.run(
        variant, window, channels: 9, input: input, dOutput: dOutput, into: dInput, accumulate: false, parts: parts)
      return dInput.bits
    }
    #expect(bits[0] == bits[1] && bits[0] == bits[2])
  }

  @Test(arguments: Variant.all) func `no gradient is lost to NaN`(_ variant: Variant) {
    let window = WindowCase(images: 1, height: 4, width: 4)
    var input = Self.input(window, channels: 8, seed: 54)
    for i in 40..<48 { input[i] = .nan }
    let dInput = GuardedBuffer(input.count)
    Self.run(
      variant, window, channels: 8, input: input, dOutput: [Float](repeating: 1, count: window.pixels * 8),
      into: dInput,
      accumulate: false, parts: [0..<1])
    #expect(dInput.values.reduce(0, +) == Float(window.pixels * 8))
  }
}

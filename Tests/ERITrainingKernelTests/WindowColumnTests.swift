import CERIKernels
import CERITraining
import ERIFormat
import ERITestSupport
import Testing

@Suite struct `Columns of windows` {
  static let channelParts = [
    (1, 0, 1), (3, 0, 3), (3, 1, 1), (7, 0, 7), (16, 8, 8), (33, 0, 33), (33, 1, 32), (24, 8, 16),
  ]

  /// Packs columns in parts of pixels and panels, and gives the matrix [pixels][columns] that the panels hold; nil where what pads the
  /// last panel is not 0.
  static func matrix(
    pixels: Int, columns: Int, pack: (_ pixels: Range<Int>, _ panels: Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) -> [Float]? {
    let panels = (columns + 15) / 16
    var result = [Float](repeating: .nan, count: pixels * panels * 16)
    for part in [0..<pixels / 3, pixels / 3..<pixels] where !part.isEmpty {
      for panelPart in [0..<panels / 2, panels / 2..<panels] where !panelPart.isEmpty {
        let packed = GuardedBuffer(part.count * panelPart.count * 16)
        pack(part, panelPart, packed.pointer)
        guard packed.isIntact else { return nil }
        for panel in panelPart {
          for pixel in part {
            for lane in 0..<16 {
              let at = ((panel - panelPart.lowerBound) * part.count + pixel - part.lowerBound) * 16 + lane
              result[pixel * panels * 16 + panel * 16 + lane] = packed.pointer[at]
            }
          }
        }
      }
    }
    let stride = panels * 16
    for pixel in 0..<pixels {
      let padding = result[pixel * stride + columns..<(pixel + 1) * stride]
      guard padding.allSatisfy({ $0 == 0 }) else { return nil }
    }
    return unpadded(result, rows: pixels, columns: columns, stride: stride)
  }

  @Test(arguments: Variant.all) func `columns of channels-last images hold their windows`(_ variant: Variant) {
    var random = SeededRandom(seed: 60)
    for window in WindowCase.all {
      for (channels, begin, count) in Self.channelParts {
        for halo in [0, 1] {
          let (height, width) = (window.height + 2 * halo, window.width + 2 * halo)
          let data = GuardedBuffer(random.floats(window.images * height * width * channels))
          let columns = window.taps * count
          var expected: [Float] = []
          for pixel in 0..<window.pixels {
            for column in 0..<columns {
              guard let at = window.position(pixel: pixel, tap: column / count) else {
                expected.append(0)
                continue
              }
              let place = ((at.image * height + at.y + halo) * width + at.x + halo) * channels
              expected.append(data.pointer[place + begin + column % count])
            }
          }
          var c = window.c
          var image = eri_f32_image(
            data: data.pointer, height: window.height, width: window.width, channels: channels, halo: halo)
          let packed = Self.matrix(pixels: window.pixels, columns: columns) { pixels, panels, to in
            eri_f32_columns_pack(
              variant.kernels, &c, &image, window.outputHeight, window.outputWidth, begin, count, pixels.lowerBound,
              pixels.upperBound, panels.lowerBound, panels.upperBound, to)
          }
          #expect(packed == expected, "\(window), \(count) of \(channels) channels, halo \(halo)")
        }
      }
    }
  }

  @Test(arguments: Variant.all) func `columns of planar images are in the order of the weights`(_ variant: Variant) {
    var random = SeededRandom(seed: 61)
    for window in WindowCase.all {
      for channels in [1, 2, 3, 5] {
        let data = GuardedBuffer(random.floats(window.images * channels * window.height * window.width))
        let columns = channels * window.taps
        var expected: [Float] = []
        for pixel in 0..<window.pixels {
          for column in 0..<columns {
            let channel = column / window.taps
            guard let at = window.position(pixel: pixel, tap: column % window.taps) else {
              expected.append(0)
              continue
            }
            let plane = at.image * channels + channel
            expected.append(data.pointer[(plane * window.height + at.y) * window.width + at.x])
          }
        }
        var c = window.c
        let packed = Self.matrix(pixels: window.pixels, columns: columns) { pixels, panels, to in
          eri_f32_columns_pack_planar(
            variant.kernels, &c, data.pointer, channels, window.height, window.width, window.outputHeight,
            window.outputWidth, pixels.lowerBound, pixels.upperBound, panels.lowerBound, panels.upperBound, to)
        }
        #expect(packed == expected, "\(window), \(channels) channels")
      }
    }
  }

  @Test(arguments: Variant.all) func `scattered columns are added where their windows lie`(_ variant: Variant) {
    var random = SeededRandom(seed: 62)
    for window in WindowCase.all {
      for (channels, begin, count) in Self.channelParts {
        let columns = GuardedBuffer(random.floats(window.pixels * window.taps * count))
        let old = random.floats(window.images * window.height * window.width * channels)
        var expected = old.map(Double.init)
        for pixel in 0..<window.pixels {
          for column in 0..<window.taps * count {
            guard let at = window.position(pixel: pixel, tap: column / count) else { continue }
            let place = ((at.image * window.height + at.y) * window.width + at.x) * channels + begin + column % count
            expected[place] += Double(columns.pointer[pixel * window.taps * count + column])
          }
        }
        func run(_ parts: [Range<Int>]) -> GuardedBuffer {
          let data = GuardedBuffer(old)
          var c = window.c
          var image = eri_f32_image(
            data: data.pointer, height: window.height, width: window.width, channels: channels, halo: 0)
          for part in parts {
            eri_f32_columns_scatter(
              variant.kernels, &c, columns.pointer + part.lowerBound * window.taps * count, window.outputHeight,
              window.outputWidth, begin, count, part.lowerBound, part.upperBound, &image)
          }
          return data
        }
        let whole = run([0..<window.pixels])
        #expect(distance(whole.values, expected) <= Tolerance.elements.bound, "\(window), \(count) of \(channels)")
        #expect(whole.isIntact)
        #expect(run([0..<window.pixels / 3, window.pixels / 3..<window.pixels]).bits == whole.bits)
      }
    }
  }

  @Test(arguments: Variant.all) func `reversed weights swap channels and turn taps round`(_ variant: Variant) {
    var random = SeededRandom(seed: 63)
    for (outputs, inputs, taps, groups) in [
      (1, 1, 1, 1), (7, 9, 1, 1), (33, 17, 9, 1), (8, 3, 3, 4), (6, 1, 9, 6), (4, 5, 49, 2),
    ] {
      let weights = GuardedBuffer(random.floats(outputs * inputs * taps)), reversed = GuardedBuffer(weights.count)
      eri_f32_conv_reverse_weights(
        variant.kernels, outputs, inputs, taps, groups, weights.pointer, reversed.pointer)
      let perGroup = outputs / groups
      var expected: [Float] = []
      for channel in 0..<groups * inputs {
        for output in 0..<perGroup {
          for tap in 0..<taps {
            let row = channel / inputs * perGroup + output
            expected.append(weights.pointer[(row * inputs + channel % inputs) * taps + taps - 1 - tap])
          }
        }
      }
      #expect(reversed.values == expected && reversed.isIntact, "\(outputs), \(inputs), \(taps), \(groups)")
    }
  }
}

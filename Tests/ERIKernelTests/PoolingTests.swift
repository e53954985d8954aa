import CERIKernels
import ERITestSupport
import Testing

@Suite struct `Pooling and halos` {
  static let windows: [Window] = [
    Window(kernel: (3, 3), stride: (2, 2)), Window(kernel: (2, 2), stride: (2, 2), padding: (0, 0, 0, 0)),
    Window(kernel: (1, 5), stride: (1, 3), dilation: (1, 2), padding: (0, 4, 0, 4)),
    Window(kernel: (2, 3), padding: (3, 0, 2, 4)),
  ]

  @Test(arguments: Variant.all) func `the maximum over the part of the window inside the image`(_ variant: Variant) {
    var random = Random(seed: 21)
    for window in Self.windows {
      for channels in [1, 5, 8, 16, 19] {
        for halo in [0, 1, 2] {
          let (images, height, width) = (2, 9, 8)
          let values = random.floats(images * height * width * channels, in: -3 ... -1)
          let input = Images(
            count: images, height: height, width: width, channels: channels, halo: halo, interior: values)
          let output = Images(
            count: images, height: window.outputHeight(height), width: window.outputWidth(width), channels: channels,
            halo: 2 - halo)
          var c = window.c, from = input.c, to = output.c
          eri_f32_maxpool(variant.kernels, &c, &from, &to, 3, images * output.height)
          eri_f32_maxpool(variant.kernels, &c, &from, &to, 0, 3)
          var right = output.haloIsUntouched
          for image in 0..<images {
            for oy in 0..<output.height {
              for ox in 0..<output.width {
                for channel in 0..<channels {
                  var expected = -Float.infinity
                  for ky in 0..<window.kernel.height {
                    for kx in 0..<window.kernel.width {
                      let y = oy * window.stride.height + ky * window.dilation.height - window.padding.top
                      let x = ox * window.stride.width + kx * window.dilation.width - window.padding.left
                      guard y >= 0, y < height, x >= 0, x < width else { continue }
                      expected = max(expected, values[((image * height + y) * width + x) * channels + channel])
                    }
                  }
                  right = right && output.buffer.pointer[output.index(image, oy, ox) + channel] == expected
                }
              }
            }
          }
          #expect(right, "\(window), \(channels) channels, halo \(halo)")
        }
      }
    }
  }

  @Test(arguments: Variant.all) func `NaN anywhere in a window gives NaN`(_ variant: Variant) {
    for place in 0..<9 {
      for channel in 0..<11 {
        var values = [Float](repeating: 1, count: 9 * 11)
        values[place * 11 + channel] = .nan
        let input = Images(count: 1, height: 3, width: 3, channels: 11, halo: 0, interior: values)
        let output = Images(count: 1, height: 1, width: 1, channels: 11, halo: 0)
        var c = Window(padding: (0, 0, 0, 0)).c, from = input.c, to = output.c
        eri_f32_maxpool(variant.kernels, &c, &from, &to, 0, 1)
        for i in 0..<11 { #expect(output.interior[i].isNaN == (i == channel)) }
      }
    }
  }

  @Test(arguments: Variant.all) func `clearing the halo zeroes it and nothing else`(_ variant: Variant) {
    for halo in [0, 1, 2, 3] {
      let images = Images(count: 3, height: 4, width: 5, channels: 3, halo: halo)
      for i in 0..<images.buffer.count { images.buffer.pointer[i] = 2 }
      var c = images.c
      eri_f32_halo_clear(variant.kernels, &c, 1, 3)
      #expect(images.buffer.isIntact)
      #expect(images.interior.allSatisfy { $0 == 2 })
      let perImage = images.buffer.count / 3
      #expect(images.buffer.values[..<perImage].allSatisfy { $0 == 2 })
      #expect(images.buffer.values.filter { $0 == 0 }.count == 2 * (perImage - 4 * 5 * 3))
    }
  }
}

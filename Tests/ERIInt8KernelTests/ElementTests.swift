import CERIKernels
import ERITestSupport
import Testing

@Suite struct `8-bit elements` {
  static let variants = [Int8Variant.portable] + Int8Variant.others
  /// Images, height, width, channels, and the halos of three operands.
  static let shapes = [
    (1, 1, 1, 1, 0, 0, 0), (2, 5, 3, 7, 1, 0, 2), (3, 4, 4, 16, 0, 1, 1), (1, 9, 1, 33, 0, 0, 0),
    (2, 3, 5, 64, 2, 1, 0),
  ]

  static func images(_ shape: (Int, Int, Int, Int, Int, Int, Int), halo: Int, _ interior: [UInt8]? = nil) -> Images<
    UInt8
  > {
    Images(
      count: shape.0, height: shape.1, width: shape.2, channels: shape.3, halo: halo, interior: interior, filler: 0xa5)
  }

  @Test(arguments: variants) func `addition is exact to the definition`(_ variant: Int8Variant) {
    var random = Random(seed: 1)
    for shape in Self.shapes {
      for (zeroA, zeroB, zeroY) in [(0, 128, 255), (255, 0, 128), (128, 255, 0)] as [(Int32, Int32, Int32)] {
        for relu in [false, true] {
          let count = shape.0 * shape.1 * shape.2 * shape.3
          let a = random.bytes(count, extreme: false), b = random.bytes(count, extreme: relu)
          let (aScale, bScale) = (eri_i8_scale(scale: 0.013, zero: zeroA), eri_i8_scale(scale: 0.021, zero: zeroB))
          let from = Self.images(shape, halo: shape.4, a), other = Self.images(shape, halo: shape.5, b)
          let y = Self.images(shape, halo: shape.6)
          var (first, second, to) = (from.c, other.c, y.c)
          let rows = shape.0 * shape.1
          for part in [rows / 2..<rows, 0..<rows / 2] {
            eri_i8_add(
              variant.kernels, &first, aScale, &second, bScale, relu ? ERI_ACTIVATION_RELU : ERI_ACTIVATION_IDENTITY,
              &to,
              31.7, zeroY, part.lowerBound, part.upperBound)
          }
          let expected = (0..<count).map { i -> UInt8 in
            var v = Float(Int32(a[i]) - zeroA) * 0.013 + Float(Int32(b[i]) - zeroB) * 0.021
            if relu, v < 0 { v = 0 }
            return Epilogue.quantised(v, inverse: 31.7, zero: zeroY)
          }
          #expect(y.interior == expected && y.haloIs(0xa5))
          withExtendedLifetime((from, other)) {}
        }
      }
    }
  }

  @Test(arguments: variants) func `maximum pooling takes what lies inside`(_ variant: Int8Variant) {
    var random = Random(seed: 2)
    for channels in [1, 7, 16, 40] {
      for (kernel, stride, dilation, pad) in [(3, 2, 1, 1), (2, 2, 1, 0), (3, 1, 2, 2), (1, 1, 1, 3)] {
        let (height, width) = (9, 6)
        let (outputHeight, outputWidth) = (
          (height + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1,
          (width + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1
        )
        let values = random.bytes(2 * height * width * channels, extreme: false)
        let x = Self.images((2, height, width, channels, 0, 0, 0), halo: 1, values)
        let y = Self.images((2, outputHeight, outputWidth, channels, 0, 0, 0), halo: 1)
        var window = eri_window(
          kernelHeight: kernel, kernelWidth: kernel, strideHeight: stride, strideWidth: stride,
          dilationHeight: dilation,
          dilationWidth: dilation, padTop: pad, padLeft: pad, groups: 1)
        var (from, to) = (x.c, y.c)
        eri_i8_maxpool(variant.kernels, &window, &from, &to, 3, 2 * outputHeight)
        eri_i8_maxpool(variant.kernels, &window, &from, &to, 0, 3)
        var expected: [UInt8] = []
        for row in 0..<2 * outputHeight {
          for ox in 0..<outputWidth {
            for c in 0..<channels {
              var largest: UInt8 = 0
              for tap in 0..<kernel * kernel {
                let iy = row % outputHeight * stride + tap / kernel * dilation - pad
                let ix = ox * stride + tap % kernel * dilation - pad
                guard iy >= 0, iy < height, ix >= 0, ix < width else { continue }
                largest = max(largest, values[((row / outputHeight * height + iy) * width + ix) * channels + c])
              }
              expected.append(largest)
            }
          }
        }
        #expect(y.interior == expected && y.haloIs(0xa5))
        withExtendedLifetime(x) {}
      }
    }
  }

  @Test(arguments: variants) func `a table is looked up`(_ variant: Int8Variant) {
    var random = Random(seed: 3)
    let table = random.bytes(256, extreme: false), guarded = GuardedArray(table)
    for shape in Self.shapes {
      let values = random.bytes(shape.0 * shape.1 * shape.2 * shape.3, extreme: false)
      let x = Self.images(shape, halo: shape.4, values), y = Self.images(shape, halo: shape.5)
      var (from, to) = (x.c, y.c)
      eri_i8_lookup(variant.kernels, guarded.pointer, &from, &to, 0, shape.0 * shape.1)
      #expect(y.interior == values.map { table[Int($0)] } && y.haloIs(0xa5))
      withExtendedLifetime((x, guarded)) {}
    }
  }

  @Test(arguments: variants) func `quantising rounds half to even and clamps`(_ variant: Int8Variant) {
    var random = Random(seed: 4)
    for shape in Self.shapes {
      for zero in [0, 128, 255] as [Int32] {
        let special: [Float] = [
          0.5, 1.5, -0.5, -1.5, 2.5, 126.5, 127.5, 254.5, 255.5, 1e30, -1e30, .infinity, -.infinity, .nan, 0, -0.0,
          -127.5, -128.5,
        ]
        var values = random.floats(shape.0 * shape.1 * shape.2 * shape.3, in: -300...300)
        for i in values.indices where i % 3 == 0 { values[i] = special[i / 3 % special.count] }
        let x = Images<Float>(
          count: shape.0, height: shape.1, width: shape.2, channels: shape.3, halo: shape.4, interior: values,
          filler: .nan)
        let y = Self.images(shape, halo: shape.5)
        var (from, to) = (x.c, y.c)
        eri_i8_quantise(variant.kernels, &from, 1, zero, &to, 0, shape.0 * shape.1)
        #expect(y.interior == values.map { Epilogue.quantised($0, inverse: 1, zero: zero) } && y.haloIs(0xa5))
        withExtendedLifetime(x) {}
      }
    }
  }

  @Test(arguments: variants) func `quantising planar images interleaves their channels`(_ variant: Int8Variant) {
    var random = Random(seed: 6)
    for shape in Self.shapes {
      let (count, height, width, channels) = (shape.0, shape.1, shape.2, shape.3)
      let planar = random.floats(count * height * width * channels, in: -300...300)
      let x = GuardedArray(planar), y = Self.images(shape, halo: shape.4)
      var to = y.c
      let rows = count * height
      for part in [rows / 2..<rows, 0..<rows / 2] {
        eri_i8_quantise_planar(variant.kernels, x.pointer, 0.5, 100, &to, part.lowerBound, part.upperBound)
      }
      let expected = (0..<planar.count).map { i -> UInt8 in
        let pixel = i / channels, image = pixel / (height * width)
        let value = planar[(image * channels + i % channels) * height * width + pixel % (height * width)]
        return Epilogue.quantised(value, inverse: 0.5, zero: 100)
      }
      #expect(y.interior == expected && y.haloIs(0xa5))
      withExtendedLifetime(x) {}
    }
  }

  @Test(arguments: variants) func `dequantising is one multiplication`(_ variant: Int8Variant) {
    var random = Random(seed: 5)
    for shape in Self.shapes {
      let values = random.bytes(shape.0 * shape.1 * shape.2 * shape.3, extreme: false)
      let x = Self.images(shape, halo: shape.4, values)
      let y = Images<Float>(
        count: shape.0, height: shape.1, width: shape.2, channels: shape.3, halo: shape.5, filler: .nan)
      var (from, to) = (x.c, y.c)
      eri_i8_dequantise(variant.kernels, &from, eri_i8_scale(scale: 0.37, zero: 91), &to, 0, shape.0 * shape.1)
      #expect(y.interior == values.map { Float(Int32($0) - 91) * 0.37 })
      #expect(y.buffer.isIntact)
      withExtendedLifetime(x) {}
    }
  }

  @Test(arguments: variants) func `a halo is filled and nothing else`(_ variant: Int8Variant) {
    for shape in Self.shapes {
      let values = [UInt8](repeating: 9, count: shape.0 * shape.1 * shape.2 * shape.3)
      let x = Self.images(shape, halo: shape.6, values)
      var image = x.c
      eri_i8_halo_fill(variant.kernels, &image, 200, 0, shape.0)
      #expect(x.haloIs(200) && x.interior == values)
    }
  }
}

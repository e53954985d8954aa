import CERIKernels
import ERITestSupport
import Testing

/// A convolution with its data.
struct ConvolutionProblem {
  let window: eri_window
  let images: Int, height: Int, width: Int, inputChannels: Int, outputChannels: Int
  let outputHeight: Int, outputWidth: Int, inputHalo: Int, outputHalo: Int, residualHalo: Int
  let input: [UInt8], weights: [Int8]
  var epilogue: Epilogue

  init(
    _ window: eri_window, images: Int, height: Int, width: Int, from: Int, to: Int, padEnd: (Int, Int)? = nil,
    shape: Int,
    input: [UInt8]? = nil, weights: [Int8]? = nil
  ) {
    var random = Random(seed: UInt64(shape) + 1000)
    self.window = window
    (self.images, self.height, self.width, inputChannels, outputChannels) = (images, height, width, from, to)
    let end = padEnd ?? (window.padTop, window.padLeft)
    outputHeight =
      (height + window.padTop + end.0 - (window.kernelHeight - 1) * window.dilationHeight - 1) / window.strideHeight + 1
    outputWidth =
      (width + window.padLeft + end.1 - (window.kernelWidth - 1) * window.dilationWidth - 1) / window.strideWidth + 1
    inputHalo = 1 + shape % 2
    outputHalo = shape % 3
    residualHalo = (shape + 1) % 3
    let terms = from / window.groups * window.kernelHeight * window.kernelWidth
    self.input = input ?? random.bytes(images * height * width * from, extreme: shape % 3 == 0)
    self.weights = weights ?? random.weights(to * terms, kind: shape)
    epilogue = Epilogue(
      shape: shape, channels: to, elements: images * outputHeight * outputWidth * to,
      reach: 255 * 127 * Float(terms).squareRoot(), random: &random)
  }

  var rows: Int { images * outputHeight }

  /// The exact sums, in the order of the output.
  var sums: [Int] {
    let depth = inputChannels / window.groups, wide = outputChannels / window.groups
    var result: [Int] = []
    for image in 0..<images {
      for oy in 0..<outputHeight {
        for ox in 0..<outputWidth {
          for o in 0..<outputChannels {
            var sum = 0
            for ky in 0..<window.kernelHeight {
              let y = oy * window.strideHeight + ky * window.dilationHeight - window.padTop
              guard y >= 0, y < height else { continue }
              for kx in 0..<window.kernelWidth {
                let x = ox * window.strideWidth + kx * window.dilationWidth - window.padLeft
                guard x >= 0, x < width else { continue }
                let pixel = ((image * height + y) * width + x) * inputChannels + o / wide * depth
                let tap = (o * depth * window.kernelHeight + ky) * window.kernelWidth + kx
                for i in 0..<depth {
                  let weight = weights[tap + i * window.kernelHeight * window.kernelWidth]
                  sum += (Int(input[pixel + i]) - Int(epilogue.inputZero)) * Int(weight)
                }
              }
            }
            result.append(sum)
          }
        }
      }
    }
    return result
  }

  /// The output as bytes and as floats, computed in parts: of output rows, or for Winograd of images and of output channels.
  func run(
    _ variant: Int8Variant, parts: [Range<Int>], winograd: Bool = false, channels: [Range<Int>]? = nil
  ) -> (bytes: Images<UInt8>, floats: Images<Float>) {
    let source = Images(
      count: images, height: height, width: width, channels: inputChannels, halo: inputHalo, interior: input,
      filler: UInt8(epilogue.inputZero))
    let bytes = Images<UInt8>(
      count: images, height: outputHeight, width: outputWidth, channels: outputChannels, halo: outputHalo, filler: 0xa5)
    let floats = Images<Float>(
      count: images, height: outputHeight, width: outputWidth, channels: outputChannels, halo: outputHalo, filler: .nan)
    var window = window, from = source.c, toBytes = bytes.c, toFloats = floats.c
    let kernels = variant.kernels, factors = GuardedArray(weights)
    let packed: GuardedArray<UInt8>, scratch: GuardedArray<UInt8>
    if winograd {
      packed = wordAligned(eri_i8_winograd_packed_count(inputChannels, outputChannels))
      scratch = wordAligned(
        eri_i8_winograd_scratch_count(height, width, inputChannels, outputChannels, parts.map(\.count).max() ?? 0))
      eri_i8_winograd_pack(kernels, factors.pointer, inputChannels, outputChannels, packed.pointer)
    } else {
      packed = wordAligned(eri_i8_conv_packed_count(&window, inputChannels, outputChannels))
      scratch = wordAligned(eri_i8_conv_scratch_count(&window, inputChannels, outputChannels))
      eri_i8_conv_pack(kernels, &window, factors.pointer, inputChannels, outputChannels, packed.pointer)
    }
    epilogue.withC(
      columns: outputChannels, stride: outputChannels,
      image: (height: outputHeight, width: outputWidth, halo: residualHalo)
    ) { e in
      for part in parts {
        let (begin, end) = (part.lowerBound, part.upperBound)
        if winograd {
          for some in channels ?? [0..<outputChannels] {
            let (first, last) = (some.lowerBound, some.upperBound)
            eri_i8_winograd(kernels, &from, packed.pointer, &toBytes, &e, begin, end, first, last, scratch.pointer)
            eri_i8_winograd_float(
              kernels, &from, packed.pointer, &toFloats, &e, begin, end, first, last, scratch.pointer)
          }
        } else {
          eri_i8_conv(kernels, &window, &from, packed.pointer, &toBytes, &e, begin, end, scratch.pointer)
          eri_i8_conv_float(kernels, &window, &from, packed.pointer, &toFloats, &e, begin, end, scratch.pointer)
        }
      }
    }
    #expect(packed.isIntact && scratch.isIntact && floats.buffer.isIntact && bytes.haloIs(0xa5))
    return withExtendedLifetime(source) { (bytes, floats) }
  }

  /// Everything that was written, halos included.
  func bits(
    _ variant: Int8Variant, parts: [Range<Int>], winograd: Bool = false, channels: [Range<Int>]? = nil
  ) -> [UInt32] {
    let output = run(variant, parts: parts, winograd: winograd, channels: channels)
    return output.bytes.buffer.values.map(UInt32.init) + output.floats.buffer.values.map(\.bitPattern)
  }
}

@Suite struct `8-bit direct convolution` {
  static let problems: [ConvolutionProblem] = {
    var all: [ConvolutionProblem] = []
    func window(
      _ kernel: (Int, Int), stride: (Int, Int) = (1, 1), dilation: (Int, Int) = (1, 1), pad: (Int, Int) = (1, 1),
      groups: Int = 1
    ) -> eri_window {
      eri_window(
        kernelHeight: kernel.0, kernelWidth: kernel.1, strideHeight: stride.0, strideWidth: stride.1,
        dilationHeight: dilation.0, dilationWidth: dilation.1, padTop: pad.0, padLeft: pad.1, groups: groups)
    }
    func add(
      _ window: eri_window, images: Int = 2, _ height: Int, _ width: Int, _ from: Int, _ to: Int,
      padEnd: (Int, Int)? = nil
    ) {
      all.append(
        ConvolutionProblem(
          window, images: images, height: height, width: width, from: from, to: to, padEnd: padEnd, shape: all.count))
    }
    for (from, to) in [(1, 1), (3, 5), (4, 16), (7, 16), (8, 17), (16, 33), (19, 64), (64, 48)] {
      add(window((3, 3)), 9, 8, from, to)
      add(window((3, 3), stride: (2, 2)), images: 3, 9, 8, from, to)
      add(window((1, 1), stride: (2, 2), pad: (0, 0)), 7, 7, from, to)
    }
    add(window((5, 3), stride: (1, 2), dilation: (2, 1), pad: (4, 1)), 9, 8, 8, 16, padEnd: (3, 2))
    add(window((7, 7), stride: (2, 2), pad: (3, 3)), 23, 31, 3, 20)
    add(window((2, 4), pad: (3, 5)), 2, 1, 8, 16, padEnd: (4, 6))
    // Causal over time: height 1, padded on the left by (k - 1) d.
    for dilation in [1, 2, 8] {
      add(window((1, 3), dilation: (1, dilation), pad: (0, 2 * dilation)), 1, 30, 24, 40, padEnd: (0, 0))
    }
    for groups in [2, 4] {
      add(window((3, 3), groups: groups), 9, 8, 8, 12)
      add(window((3, 3), groups: groups), 5, 6, 32, 4 * groups * 9)
    }
    // Depthwise, and one input channel with several outputs.
    for channels in [5, 16, 21, 64] { add(window((3, 3), groups: channels), 9, 8, channels, channels) }
    add(window((1, 5), pad: (0, 4), groups: 6), 1, 9, 6, 12, padEnd: (0, 0))
    add(window((3, 3)), images: 1, 1, 1, 16, 16)
    add(window((3, 3)), images: 5, 17, 13, 9, 20)
    // Long lines of whole steps of a tile.
    for (width, to) in [(14, 16), (30, 48), (31, 33)] { add(window((3, 3)), images: 3, 6, width, 64, to) }
    add(window((2, 3), dilation: (2, 1), pad: (1, 1)), 7, 32, 128, 64)
    add(window((1, 1), pad: (0, 0)), 5, 16, 64, 40)
    return all
  }()

  @Test func `the portable form equals exact sums with the epilogue as it is defined`() {
    for (index, p) in Self.problems.enumerated() {
      let output = p.run(.portable, parts: [0..<p.rows]), sums = p.sums
      let (bytes, floats) = (output.bytes.interior, output.floats.interior)
      let wrong = sums.indices.count { i in
        let expected = p.epilogue.apply(Float(sums[i]), channel: i % p.outputChannels, element: i)
        return bytes[i] != expected.byte || floats[i].bitPattern != expected.float.bitPattern
      }
      #expect(wrong == 0, "problem \(index)")
    }
  }

  @Test(arguments: Int8Variant.others) func `gives the portable form's bits`(_ variant: Int8Variant) {
    for (index, p) in Self.problems.enumerated() {
      #expect(p.bits(variant, parts: [0..<p.rows]) == p.bits(.portable, parts: [0..<p.rows]), "problem \(index)")
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `gives the same bits however output rows are split over calls`(_ variant: Int8Variant) {
    for (index, p) in Self.problems.enumerated() {
      let whole = p.bits(variant, parts: [0..<p.rows])
      #expect(p.bits(variant, parts: (0..<p.rows).map { $0..<$0 + 1 }) == whole, "problem \(index)")
      #expect(p.bits(variant, parts: [p.rows / 3..<p.rows, 0..<p.rows / 3]) == whole, "problem \(index)")
    }
  }
}

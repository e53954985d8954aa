import CERIKernels
import ERITestSupport
import Testing

@Suite("Winograd convolution over the phases of planar input") struct PhasesTests {
  /// Kernel sides of 1 to 8, 1 to 4 channels, and widths of which the last tile covers 1 to 4 outputs.
  static let cases: [ConvolutionTests.Case] = {
    var list: [ConvolutionTests.Case] = []
    for (index, kernel) in [(7, 7), (8, 8), (5, 7), (6, 5), (3, 3), (1, 8), (2, 1)].enumerated() {
      for (channels, outputs) in [(3, 16), (1, 5), (4, 33), (2, 64)] {
        let step = list.count
        let padding = [(3, 3, 3, 3), (0, 0, 0, 0), (1, 4, 2, 0), (2, 5, 6, 7)][step % 4]
        list.append(
          ConvolutionTests.Case(
            window: Window(kernel: kernel, stride: (2, 2), padding: padding), images: 1 + step % 3,
            height: 8 + 3 * index, width: 8 + step % 9, inputChannels: channels, outputChannels: outputs,
            outputHalo: step % 3))
      }
    }
    list.append(
      ConvolutionTests.Case(
        window: Window(kernel: (7, 7), stride: (2, 2), padding: (3, 3, 3, 3)), images: 1, height: 24, width: 121,
        inputChannels: 3, outputChannels: 24))
    return list
  }()

  static func run(_ problem: ConvolutionTests.Problem, _ variant: Variant, parts: [Range<Int>]) -> Images {
    let test = problem.test
    let source = GuardedBuffer(problem.planarInput), factors = GuardedBuffer(problem.weights)
    let output = problem.output(halo: test.outputHalo)
    var window = test.window.c, to = output.c
    #expect(eri_f32_conv_phases_fits(&window, test.inputChannels))
    let packed = GuardedBuffer(eri_f32_conv_phases_packed_count(test.inputChannels, test.outputChannels))
    let scratch = GuardedBuffer(eri_f32_conv_phases_scratch_count(output.width))
    eri_f32_conv_phases_pack(
      variant.kernels, &window, factors.pointer, test.inputChannels, test.outputChannels, packed.pointer)
    problem.withEpilogue(residualHalo: test.outputHalo) { epilogue, _ in
      for part in parts {
        eri_f32_conv_phases(
          variant.kernels, &window, source.pointer, test.inputChannels, test.height, test.width, packed.pointer, &to,
          epilogue, part.lowerBound, part.upperBound, scratch.pointer)
      }
    }
    #expect(packed.isIntact && scratch.isIntact)
    return output
  }

  static func bands(_ problem: ConvolutionTests.Problem) -> Int {
    problem.test.images * ((problem.outputHeight + 3) / 4)
  }

  @Test(arguments: Variant.all) func `equals the sum over the window`(_ variant: Variant) {
    for (index, test) in Self.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      let output = Self.run(problem, variant, parts: [0..<Self.bands(problem)])
      let worst = problem.worstError(output, of: Tolerance.winogradPhases)
      #expect(worst <= 1, "case \(index): \(test.window.kernel), \(worst) of the tolerance")
      #expect(output.haloIsUntouched, "case \(index)")
    }
  }

  @Test(arguments: Variant.all) func `gives the same bits however bands are split over calls`(_ variant: Variant) {
    for (index, test) in Self.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index + 2, seed: UInt64(index))
      let bands = Self.bands(problem)
      let whole = Self.run(problem, variant, parts: [0..<bands]).buffer.bits
      let single = (0..<bands).map { $0..<$0 + 1 }, halves = [bands / 3..<bands, 0..<bands / 3]
      #expect(Self.run(problem, variant, parts: single).buffer.bits == whole, "case \(index)")
      #expect(Self.run(problem, variant, parts: halves).buffer.bits == whole, "case \(index)")
    }
  }

  @Test(arguments: Variant.all) func `a maximum taken along has the bits of one taken after, however bands are split`(
    _ variant: Variant
  ) {
    for (index, test) in Self.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      var pixels = problem.planarInput
      if index % 4 == 0 { pixels[pixels.count / 2] = .nan }
      let source = GuardedBuffer(pixels), factors = GuardedBuffer(problem.weights)
      let whole = problem.output(halo: test.outputHalo)
      // With and without a last window that reaches over the end.
      let (height, width) = ((whole.height + index % 2) / 2, (whole.width + index / 2 % 2) / 2)
      func pooled() -> Images {
        Images(
          count: test.images, height: max(1, height), width: max(1, width), channels: test.outputChannels,
          halo: test.outputHalo)
      }
      var window = test.window.c, pooling = Window(stride: (2, 2)).c, from = whole.c
      let packed = GuardedBuffer(eri_f32_conv_phases_packed_count(test.inputChannels, test.outputChannels))
      let plain = GuardedBuffer(eri_f32_conv_phases_scratch_count(whole.width))
      let scratch = GuardedBuffer(eri_f32_conv_phases_pooled_scratch_count(whole.width, test.outputChannels))
      eri_f32_conv_phases_pack(
        variant.kernels, &window, factors.pointer, test.inputChannels, test.outputChannels, packed.pointer)
      let bands = Self.bands(problem), after = pooled()
      problem.withEpilogue(residualHalo: 0) { epilogue, _ in
        var form = epilogue.pointee, to = after.c
        form.first = index % 3 == 0 ? ERI_ACTIVATION_IDENTITY : ERI_ACTIVATION_RELU
        form.residual = nil
        form.second = ERI_ACTIVATION_IDENTITY
        eri_f32_conv_phases(
          variant.kernels, &window, source.pointer, test.inputChannels, test.height, test.width, packed.pointer, &from,
          &form, 0, bands, plain.pointer)
        eri_f32_maxpool(variant.kernels, &pooling, &from, &to, 0, test.images * to.height)
        let single = (0..<bands).reversed().map { $0..<$0 + 1 }, halves = [bands / 3..<bands, 0..<bands / 3]
        for parts in [[0..<bands], single, halves] {
          let along = pooled()
          var to = along.c
          for part in parts {
            eri_f32_conv_phases_pooled(
              variant.kernels, &window, source.pointer, test.inputChannels, test.height, test.width, packed.pointer,
              whole.height, whole.width, &to, &form, part.lowerBound, part.upperBound, scratch.pointer)
          }
          #expect(Self.bits(along) == Self.bits(after), "case \(index), \(parts.count) parts")
          #expect(along.haloIsUntouched, "case \(index)")
        }
      }
      #expect(scratch.isIntact && plain.isIntact)
    }
  }

  /// All NaN alike.
  static func bits(_ images: Images) -> [UInt32] { images.interior.map { $0.isNaN ? .max : $0.bitPattern } }

  @Test func `only windows of 3 × 3 at stride 2 with padding before are taken along`() {
    func pools(_ window: Window) -> Bool {
      var c = window.c
      return eri_f32_conv_phases_pools(&c)
    }
    #expect(pools(Window(stride: (2, 2))))
    #expect(pools(Window(stride: (2, 2), padding: (1, 1, 0, 0))))
    #expect(!pools(Window(kernel: (2, 3), stride: (2, 2))))
    #expect(!pools(Window(kernel: (3, 2), stride: (2, 2))))
    #expect(!pools(Window(stride: (1, 2))))
    #expect(!pools(Window(stride: (2, 1))))
    #expect(!pools(Window(stride: (2, 2), dilation: (2, 1))))
    #expect(!pools(Window(stride: (2, 2), dilation: (1, 2))))
    #expect(!pools(Window(stride: (2, 2), padding: (0, 1, 1, 1))))
    #expect(!pools(Window(stride: (2, 2), padding: (1, 0, 1, 1))))
  }

  @Test func `other strides, dilations, groups, kernels and channel counts do not fit`() {
    func fits(_ window: Window, channels: Int = 3) -> Bool {
      var c = window.c
      return eri_f32_conv_phases_fits(&c, channels)
    }
    #expect(fits(Window(kernel: (7, 7), stride: (2, 2))))
    #expect(!fits(Window(kernel: (7, 7), stride: (2, 2)), channels: 5))
    #expect(!fits(Window(kernel: (9, 7), stride: (2, 2))))
    #expect(!fits(Window(kernel: (7, 9), stride: (2, 2))))
    #expect(!fits(Window(kernel: (7, 7), stride: (2, 1))))
    #expect(!fits(Window(kernel: (7, 7), stride: (1, 2))))
    #expect(!fits(Window(kernel: (7, 7), stride: (2, 2), dilation: (2, 1))))
    #expect(!fits(Window(kernel: (7, 7), stride: (2, 2), dilation: (1, 2))))
    #expect(!fits(Window(kernel: (7, 7), stride: (2, 2), groups: 3)))
  }
}

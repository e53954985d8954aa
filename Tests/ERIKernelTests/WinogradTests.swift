import CERIKernels
import ERITestSupport
import Testing

@Suite("Winograd convolution") struct WinogradTests {
  /// The strides that there are kernels for.
  enum Stride: Int, CaseIterable {
    case one = 1
    case two

    var cases: [ConvolutionTests.Case] {
      switch self {
      case .one: WinogradTests.unit
      case .two: WinogradTests.two
      }
    }

    func packedCount(_ test: ConvolutionTests.Case) -> Int {
      switch self {
      case .one: eri_f32_winograd_packed_count(test.inputChannels, test.outputChannels)
      case .two: eri_f32_winograd2_packed_count(test.inputChannels, test.outputChannels)
      }
    }

    func pack(_ variant: Variant, _ test: ConvolutionTests.Case, _ weights: GuardedBuffer, into packed: GuardedBuffer) {
      switch self {
      case .one:
        eri_f32_winograd_pack(
          variant.kernels, weights.pointer, test.inputChannels, test.outputChannels, packed.pointer)
      case .two:
        eri_f32_winograd2_pack(
          variant.kernels, weights.pointer, test.inputChannels, test.outputChannels, packed.pointer)
      }
    }

    func scratchCount(_ problem: ConvolutionTests.Problem, images: Int) -> Int {
      let test = problem.test
      switch self {
      case .one:
        return eri_f32_winograd_scratch_count(
          problem.outputHeight, problem.outputWidth, test.inputChannels, test.outputChannels, images)
      case .two:
        return eri_f32_winograd2_scratch_count(
          problem.outputHeight, problem.outputWidth, test.inputChannels, images)
      }
    }
  }

  /// Every small size, since tiles of 4 and 3 cover 1, 2 and 5 only with a part outside; then sizes of networks.
  private static let unit: [ConvolutionTests.Case] = {
    var list: [ConvolutionTests.Case] = []
    for height in [1, 2, 3, 4, 5, 6, 7, 9, 10, 14] {
      for width in [1, 2, 5, 7, 8, 11] {
        let step = list.count
        let channels = [(8, 16), (1, 1), (16, 33), (19, 7), (32, 32)][step % 5]
        list.append(
          ConvolutionTests.Case(
            images: 1 + step % 3, height: height, width: width, inputChannels: channels.0, outputChannels: channels.1,
            inputHalo: 1 + step % 2, outputHalo: step % 3, residualHalo: (step + 1) % 3))
      }
    }
    list.append(ConvolutionTests.Case(images: 30, height: 7, width: 7, inputChannels: 24, outputChannels: 40))
    list.append(ConvolutionTests.Case(images: 1, height: 28, width: 28, inputChannels: 64, outputChannels: 64))
    list.append(ConvolutionTests.Case(images: 2, height: 15, width: 13, inputChannels: 130, outputChannels: 136))
    return list
  }()

  /// Outputs of every small size, with all paddings, since tiles of 4 and 3 cover 1, 2 and 5 only with a part outside.
  private static let two: [ConvolutionTests.Case] = {
    var list: [ConvolutionTests.Case] = []
    for height in [3, 4, 5, 7, 10, 14, 28] {
      for width in [3, 6, 8, 9, 13, 16] {
        let step = list.count
        let channels = [(8, 16), (1, 1), (16, 33), (19, 7), (32, 32)][step % 5]
        let padding = [(1, 1, 1, 1), (0, 0, 0, 0), (0, 1, 2, 0), (2, 0, 1, 2)][step % 4]
        list.append(
          ConvolutionTests.Case(
            window: Window(stride: (2, 2), padding: padding), images: 1 + step % 3, height: height, width: width,
            inputChannels: channels.0, outputChannels: channels.1, inputHalo: step % 3, outputHalo: (step + 1) % 3,
            residualHalo: step % 2))
      }
    }
    list.append(
      ConvolutionTests.Case(
        window: Window(stride: (2, 2)), images: 30, height: 14, width: 14, inputChannels: 24, outputChannels: 40))
    list.append(
      ConvolutionTests.Case(
        window: Window(stride: (2, 2)), images: 2, height: 15, width: 13, inputChannels: 130, outputChannels: 136))
    return list
  }()

  static func run(
    _ problem: ConvolutionTests.Problem, _ stride: Stride, _ variant: Variant, parts: [Range<Int>],
    sharedScratch: Bool = true, channels: [Range<Int>]? = nil
  ) -> Images {
    let test = problem.test
    let source = Images(
      count: test.images, height: test.height, width: test.width, channels: test.inputChannels, halo: test.inputHalo,
      interior: problem.input)
    let output = problem.output(halo: test.outputHalo)
    var window = test.window.c, from = source.c, to = output.c
    let packed = GuardedBuffer(stride.packedCount(test))
    stride.pack(variant, test, GuardedBuffer(problem.weights), into: packed)
    problem.withEpilogue(residualHalo: test.residualHalo) { epilogue, residualImage in
      for part in parts {
        let scratch = GuardedBuffer(stride.scratchCount(problem, images: sharedScratch ? test.images : part.count))
        for some in channels ?? [0..<test.outputChannels] {
          switch stride {
          case .one:
            eri_f32_winograd(
              variant.kernels, &from, packed.pointer, &to, residualImage, epilogue, part.lowerBound, part.upperBound,
              some.lowerBound, some.upperBound, scratch.pointer)
          case .two:
            eri_f32_winograd2(
              variant.kernels, &window, &from, packed.pointer, &to, residualImage, epilogue, part.lowerBound,
              part.upperBound, some.lowerBound, some.upperBound, scratch.pointer)
          }
        }
        #expect(scratch.isIntact)
      }
    }
    #expect(packed.isIntact)
    return withExtendedLifetime(source) { output }
  }

  @Test(arguments: Variant.all, Stride.allCases) func `equals the sum over the window for every small size`(
    _ variant: Variant, _ stride: Stride
  ) {
    for (index, test) in stride.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      let output = Self.run(problem, stride, variant, parts: [0..<test.images])
      let worst = problem.worstError(output, of: Tolerance.winograd)
      #expect(worst <= 1, "case \(index): \(test.height) × \(test.width), \(worst) of the tolerance")
      #expect(output.haloIsUntouched, "case \(index)")
    }
  }

  @Test(arguments: Variant.all, Stride.allCases) func `gives the same bits however images are split over calls`(
    _ variant: Variant, _ stride: Stride
  ) {
    for (index, test) in stride.cases.enumerated() where test.images > 1 {
      let problem = ConvolutionTests.Problem(test, shape: index + 1, seed: UInt64(index))
      let whole = Self.run(problem, stride, variant, parts: [0..<test.images]).buffer.bits
      let single = (0..<test.images).map { $0..<$0 + 1 }
      #expect(
        Self.run(problem, stride, variant, parts: single, sharedScratch: false).buffer.bits == whole, "case \(index)")
      let uneven = [1..<test.images, 0..<1]
      #expect(Self.run(problem, stride, variant, parts: uneven).buffer.bits == whole, "case \(index)")
    }
  }

  @Test(arguments: Variant.all, Stride.allCases)
  func `gives the same bits however output channels are split over calls`(
    _ variant: Variant, _ stride: Stride
  ) {
    for (index, test) in stride.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      let images = [0..<test.images], count = test.outputChannels
      let panels = Swift.stride(from: 0, to: count, by: 16).map { $0..<min($0 + 16, count) }
      let whole = Self.run(problem, stride, variant, parts: images).buffer.bits
      let parts = Self.run(problem, stride, variant, parts: images, channels: panels.reversed()).buffer.bits
      #expect(parts == whole, "case \(index)")
    }
  }
}

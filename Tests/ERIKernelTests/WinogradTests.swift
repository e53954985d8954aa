import CERIKernels
import ERITestSupport
import Testing

@Suite("Winograd convolution") struct WinogradTests {
  /// What there are kernels for: tiles of 4 and 3 or of 6 and 4 at stride 1, tiles of 4 and 3 at stride 2.
  enum Scheme: CaseIterable {
    case four
    case six
    case strided

    /// The tiles at stride 1.
    var tile: eri_winograd_tile { self == .six ? ERI_WINOGRAD_TILE_6 : ERI_WINOGRAD_TILE_4 }

    var cases: [ConvolutionTests.Case] {
      switch self {
      case .four, .six: WinogradTests.unit
      case .strided: WinogradTests.two
      }
    }

    /// The error that the scheme's transforms allow.
    var tolerance: (_ terms: Int, _ magnitude: Double) -> Double {
      switch self {
      case .four, .strided: Tolerance.winograd
      case .six: Tolerance.winogradSix
      }
    }

    func packedCount(_ test: ConvolutionTests.Case) -> Int {
      switch self {
      case .four, .six: eri_f32_winograd_packed_count(tile, test.inputChannels, test.outputChannels)
      case .strided: eri_f32_winograd2_packed_count(test.inputChannels, test.outputChannels)
      }
    }

    func pack(_ variant: Variant, _ test: ConvolutionTests.Case, _ weights: GuardedBuffer, into packed: GuardedBuffer) {
      switch self {
      case .four, .six:
        eri_f32_winograd_pack(
          variant.kernels, tile, weights.pointer, test.inputChannels, test.outputChannels, packed.pointer)
      case .strided:
        eri_f32_winograd2_pack(
          variant.kernels, weights.pointer, test.inputChannels, test.outputChannels, packed.pointer)
      }
    }

    func scratchCount(_ problem: ConvolutionTests.Problem, images: Int) -> Int {
      let test = problem.test
      switch self {
      case .four, .six:
        return eri_f32_winograd_scratch_count(
          tile, problem.outputHeight, problem.outputWidth, test.inputChannels, test.outputChannels, images)
      case .strided:
        return eri_f32_winograd2_scratch_count(
          problem.outputHeight, problem.outputWidth, test.inputChannels, images)
      }
    }
  }

  /// Every small size, since tiles of 6, 4 and 3 cover 1, 2 and 5 only with a part outside; then sizes of networks.
  private static let unit: [ConvolutionTests.Case] = {
    var list: [ConvolutionTests.Case] = []
    for height in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14] {
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
    _ problem: ConvolutionTests.Problem, _ scheme: Scheme, _ variant: Variant, parts: [Range<Int>],
    sharedScratch: Bool = true, channels: [Range<Int>]? = nil
  ) -> Images {
    let test = problem.test
    let source = Images(
      count: test.images, height: test.height, width: test.width, channels: test.inputChannels, halo: test.inputHalo,
      interior: problem.input)
    let output = problem.output(halo: test.outputHalo)
    var window = test.window.c, from = source.c, to = output.c
    let packed = GuardedBuffer(scheme.packedCount(test))
    scheme.pack(variant, test, GuardedBuffer(problem.weights), into: packed)
    problem.withEpilogue(residualHalo: test.residualHalo) { epilogue, residualImage in
      for part in parts {
        let scratch = GuardedBuffer(scheme.scratchCount(problem, images: sharedScratch ? test.images : part.count))
        for some in channels ?? [0..<test.outputChannels] {
          switch scheme {
          case .four, .six:
            eri_f32_winograd(
              variant.kernels, scheme.tile, &from, packed.pointer, &to, residualImage, epilogue, part.lowerBound,
              part.upperBound,
              some.lowerBound, some.upperBound, scratch.pointer)
          case .strided:
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

  @Test(arguments: Variant.all, Scheme.allCases) func `equals the sum over the window for every small size`(
    _ variant: Variant, _ scheme: Scheme
  ) {
    for (index, test) in scheme.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      let output = Self.run(problem, scheme, variant, parts: [0..<test.images])
      let worst = problem.worstError(output, of: scheme.tolerance)
      #expect(worst <= 1, "case \(index): \(test.height) × \(test.width), \(worst) of the tolerance")
      #expect(output.haloIsUntouched, "case \(index)")
    }
  }

  @Test(arguments: Variant.all, Scheme.allCases) func `gives the same bits however images are split over calls`(
    _ variant: Variant, _ scheme: Scheme
  ) {
    for (index, test) in scheme.cases.enumerated() where test.images > 1 {
      let problem = ConvolutionTests.Problem(test, shape: index + 1, seed: UInt64(index))
      let whole = Self.run(problem, scheme, variant, parts: [0..<test.images]).buffer.bits
      let single = (0..<test.images).map { $0..<$0 + 1 }
      #expect(
        Self.run(problem, scheme, variant, parts: single, sharedScratch: false).buffer.bits == whole, "case \(index)")
      let uneven = [1..<test.images, 0..<1]
      #expect(Self.run(problem, scheme, variant, parts: uneven).buffer.bits == whole, "case \(index)")
    }
  }

  @Test(arguments: Variant.all, Scheme.allCases)
  func `gives the same bits however output channels are split over calls`(
    _ variant: Variant, _ scheme: Scheme
  ) {
    for (index, test) in scheme.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      let images = [0..<test.images], count = test.outputChannels
      let panels = Swift.stride(from: 0, to: count, by: 16).map { $0..<min($0 + 16, count) }
      let whole = Self.run(problem, scheme, variant, parts: images).buffer.bits
      let parts = Self.run(problem, scheme, variant, parts: images, channels: panels.reversed()).buffer.bits
      #expect(parts == whole, "case \(index)")
    }
  }

  @Test func `takes tiles of 6 where they save a tenth of the products and their weights are few`() {
    let sizes = [(28, 28, 64), (14, 14, 128), (7, 7, 256), (14, 14, 512), (12, 6, 16), (4, 4, 64)]
    let tiles = sizes.map { eri_f32_winograd_tile($0, $1, $2, $2) }
    #expect(
      tiles == [
        ERI_WINOGRAD_TILE_6, ERI_WINOGRAD_TILE_6, ERI_WINOGRAD_TILE_4, ERI_WINOGRAD_TILE_4, ERI_WINOGRAD_TILE_6,
        ERI_WINOGRAD_TILE_4,
      ])
  }
}

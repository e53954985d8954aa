import CERIKernels
import ERITestSupport
import Testing

@Suite("Winograd convolution") struct WinogradTests {
  /// Every small size, since tiles of 4 and 3 cover 1, 2 and 5 only with a part outside; then sizes of networks.
  static let cases: [ConvolutionTests.Case] = {
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

  static func run(
    _ problem: ConvolutionTests.Problem, _ variant: Variant, parts: [Range<Int>], sharedScratch: Bool = true
  ) -> Images {
    let test = problem.test
    let source = Images(
      count: test.images, height: test.height, width: test.width, channels: test.inputChannels, halo: test.inputHalo,
      interior: problem.input)
    let output = problem.output(halo: test.outputHalo)
    var from = source.c, to = output.c
    let factors = GuardedBuffer(problem.weights)
    let packed = GuardedBuffer(eri_f32_winograd_packed_count(test.inputChannels, test.outputChannels))
    eri_f32_winograd_pack(
      variant.kernels, factors.pointer, test.inputChannels, test.outputChannels, packed.pointer)
    problem.withEpilogue(residualHalo: test.residualHalo) { epilogue, residualImage in
      for part in parts {
        let scratch = GuardedBuffer(
          eri_f32_winograd_scratch_count(
            test.height, test.width, test.inputChannels, test.outputChannels, sharedScratch ? test.images : part.count))
        eri_f32_winograd(
          variant.kernels, &from, packed.pointer, &to, residualImage, epilogue, part.lowerBound, part.upperBound,
          scratch.pointer)
        #expect(scratch.isIntact)
      }
    }
    #expect(packed.isIntact)
    return withExtendedLifetime(source) { output }
  }

  @Test(arguments: Variant.all) func `equals the sum over the window for every small size`(_ variant: Variant) {
    for (index, test) in Self.cases.enumerated() {
      let problem = ConvolutionTests.Problem(test, shape: index, seed: UInt64(index))
      let output = Self.run(problem, variant, parts: [0..<test.images])
      let worst = problem.worstError(output, of: Tolerance.winograd)
      #expect(worst <= 1, "case \(index): \(test.height) × \(test.width), \(worst) of the tolerance")
      #expect(output.haloIsUntouched, "case \(index)")
    }
  }

  @Test(arguments: Variant.all) func `gives the same bits however images are split over calls`(_ variant: Variant) {
    for (index, test) in Self.cases.enumerated() where test.images > 1 {
      let problem = ConvolutionTests.Problem(test, shape: index + 1, seed: UInt64(index))
      let whole = Self.run(problem, variant, parts: [0..<test.images]).buffer.bits
      let single = (0..<test.images).map { $0..<$0 + 1 }
      #expect(Self.run(problem, variant, parts: single, sharedScratch: false).buffer.bits == whole, "case \(index)")
      let uneven = [1..<test.images, 0..<1]
      #expect(Self.run(problem, variant, parts: uneven).buffer.bits == whole, "case \(index)")
    }
  }
}

import CERIKernels
import ERITestSupport
import Testing

@Suite("Direct convolution") struct ConvolutionTests {
  struct Case {
    var window = Window()
    var images = 2, height = 9, width = 8, inputChannels = 8, outputChannels = 16
    var inputHalo = 1, outputHalo = 0, residualHalo = 0
  }

  static let cases: [Case] = {
    var list: [Case] = []
    for channels in [(1, 1), (3, 5), (7, 16), (8, 17), (16, 33), (19, 64)] {
      list.append(Case(inputChannels: channels.0, outputChannels: channels.1))
      list.append(
        Case(
          window: Window(stride: (2, 2)), images: 3, inputChannels: channels.0, outputChannels: channels.1,
          outputHalo: 1,
          residualHalo: 2))
      list.append(
        Case(
          window: Window(kernel: (1, 1), stride: (2, 2), padding: (0, 0, 0, 0)), height: 7, width: 7,
          inputChannels: channels.0, outputChannels: channels.1, inputHalo: 0, outputHalo: 2))
    }
    list.append(
      Case(window: Window(kernel: (5, 3), stride: (1, 2), dilation: (2, 1), padding: (4, 1, 3, 2)), inputHalo: 0))
    list.append(Case(window: Window(kernel: (7, 7), stride: (2, 2), padding: (3, 3, 3, 3)), height: 23, width: 31))
    list.append(Case(window: Window(kernel: (2, 4), padding: (3, 5, 4, 6)), height: 2, width: 1, inputHalo: 0))
    // Causal over time: height 1, padded on the left by (k - 1) d.
    for dilation in [1, 2, 4, 8] {
      list.append(
        Case(
          window: Window(kernel: (1, 3), dilation: (1, dilation), padding: (0, 2 * dilation, 0, 0)), height: 1,
          width: 30,
          inputChannels: 24, outputChannels: 40, inputHalo: 0))
    }
    for groups in [2, 4] {
      list.append(Case(window: Window(groups: groups), inputChannels: 8, outputChannels: 12, residualHalo: 1))
      list.append(Case(window: Window(groups: groups), inputChannels: 32, outputChannels: 4 * groups * 9))
    }
    // Depthwise, and one input channel with several outputs.
    list.append(Case(window: Window(groups: 21), inputChannels: 21, outputChannels: 21, outputHalo: 1))
    list.append(
      Case(
        window: Window(kernel: (1, 5), padding: (0, 4, 0, 0), groups: 6), height: 1, inputChannels: 6,
        outputChannels: 12))
    list.append(Case(images: 1, height: 1, width: 1, inputChannels: 16, outputChannels: 16))
    list.append(Case(images: 5, height: 17, width: 13, inputChannels: 9, outputChannels: 20))
    return list
  }()

  /// A case with its data.
  struct Problem {
    let test: Case
    let input: [Float], weights: [Float]
    let outputHeight: Int, outputWidth: Int
    let epilogue: Epilogue

    init(_ test: Case, shape: Int, seed: UInt64) {
      var random = Random(seed: seed)
      self.test = test
      input = random.floats(test.images * test.height * test.width * test.inputChannels)
      weights = random.floats(
        test.outputChannels * test.inputChannels / test.window.groups * test.window.kernel.height
          * test.window.kernel.width)
      outputHeight = test.window.outputHeight(test.height)
      outputWidth = test.window.outputWidth(test.width)
      let form = Epilogue.shapes[shape % Epilogue.shapes.count]
      epilogue = Epilogue(
        bias: form.bias ? random.floats(test.outputChannels) : nil, first: form.first,
        residual: form.residual ? random.floats(test.images * outputHeight * outputWidth * test.outputChannels) : nil,
        second: form.second)
    }

    var rows: Int { test.images * outputHeight }

    func output(halo: Int) -> Images {
      Images(
        count: test.images, height: outputHeight, width: outputWidth, channels: test.outputChannels, halo: halo)
    }

    /// Calls `body` with the epilogue and the residual's image.
    func withEpilogue(
      residualHalo: Int, _ body: (UnsafePointer<eri_f32_epilogue>, UnsafePointer<eri_f32_image>) -> Void
    ) {
      let images = Images(
        count: test.images, height: outputHeight, width: outputWidth, channels: test.outputChannels, halo: residualHalo,
        interior: epilogue.residual ?? [])
      var residualImage = images.c
      var plain = epilogue
      plain.residual = nil
      plain.withC(residualStride: 0) { e in
        var c = e.pointee
        if epilogue.residual != nil { c.residual = UnsafePointer(images.buffer.pointer) }
        withExtendedLifetime(images) { body(&c, &residualImage) }
      }
    }

    func run(_ variant: Variant, parts: [Range<Int>]) -> Images {
      let source = Images(
        count: test.images, height: test.height, width: test.width, channels: test.inputChannels, halo: test.inputHalo,
        interior: input)
      let output = output(halo: test.outputHalo)
      var window = test.window.c, from = source.c, to = output.c
      let packed = GuardedBuffer(eri_f32_conv_packed_count(&window, test.inputChannels, test.outputChannels))
      let scratch = GuardedBuffer(eri_f32_conv_scratch_count(&window, test.inputChannels, test.outputChannels))
      let factors = GuardedBuffer(weights)
      eri_f32_conv_pack(
        variant.kernels, &window, factors.pointer, test.inputChannels, test.outputChannels, packed.pointer)
      withEpilogue(residualHalo: test.residualHalo) { epilogue, residualImage in
        for part in parts {
          eri_f32_conv(
            variant.kernels, &window, &from, packed.pointer, &to, residualImage, epilogue, part.lowerBound,
            part.upperBound, scratch.pointer)
        }
      }
      #expect(packed.isIntact && scratch.isIntact)
      return withExtendedLifetime(source) { output }
    }

    /// The input as planes, [images, channels, height, width].
    var planarInput: [Float] {
      let pixels = test.height * test.width, channels = test.inputChannels
      var planar = input
      for i in input.indices {
        let pixel = i / channels, image = pixel / pixels
        planar[(image * channels + i % channels) * pixels + pixel % pixels] = input[i]
      }
      return planar
    }

    func runPlanar(_ variant: Variant, parts: [Range<Int>]) -> Images {
      let (height, width, channels) = (test.height, test.width, test.inputChannels)
      let source = GuardedBuffer(planarInput), factors = GuardedBuffer(weights), output = output(halo: test.outputHalo)
      var window = test.window.c, to = output.c
      let packed = GuardedBuffer(eri_f32_conv_planar_packed_count(&window, channels, test.outputChannels))
      let scratch = GuardedBuffer(
        eri_f32_conv_planar_scratch_count(&window, channels, height, width, test.outputChannels))
      eri_f32_conv_planar_pack(variant.kernels, &window, factors.pointer, channels, test.outputChannels, packed.pointer)
      withEpilogue(residualHalo: test.outputHalo) { epilogue, _ in
        for part in parts {
          eri_f32_conv_planar(
            variant.kernels, &window, source.pointer, channels, height, width, packed.pointer, &to, epilogue,
            part.lowerBound, part.upperBound, scratch.pointer)
        }
      }
      #expect(packed.isIntact && scratch.isIntact)
      return output
    }

    /// The largest error of an element as a share of the tolerance for its number of terms and their magnitude.
    func worstError(_ output: Images, of tolerance: (_ terms: Int, _ magnitude: Double) -> Double) -> Double {
      let sums = test.window.convolve(
        input, images: test.images, height: test.height, width: test.width, channels: test.inputChannels,
        weights: weights, outputChannels: test.outputChannels)
      let terms = test.window.kernel.height * test.window.kernel.width * test.inputChannels
      var worst = 0.0
      for (i, value) in output.interior.enumerated() {
        let expected = epilogue.apply(
          sums[i].sum, error: tolerance(terms, sums[i].magnitude + 1), channel: i % test.outputChannels, element: i)
        let ratio = abs(Double(value) - expected.value) / expected.error
        if ratio.isNaN { return .infinity }
        worst = max(worst, ratio)
      }
      return worst
    }

    /// Elements that differ from the reference by more than the tolerance.
    func wrongElements(_ output: Images) -> Int {
      let sums = test.window.convolve(
        input, images: test.images, height: test.height, width: test.width, channels: test.inputChannels,
        weights: weights, outputChannels: test.outputChannels)
      let terms = test.inputChannels / test.window.groups * test.window.kernel.height * test.window.kernel.width
      var wrong = 0
      for (i, value) in output.interior.enumerated() {
        let expected = epilogue.apply(
          sums[i].sum, error: Tolerance.dot(terms: terms, magnitude: sums[i].magnitude + 1),
          channel: i % test.outputChannels, element: i)
        if !(abs(Double(value) - expected.value) <= expected.error) { wrong += 1 }
      }
      return wrong
    }
  }

  @Test(arguments: Variant.all) func `equals the sum over the window`(_ variant: Variant) {
    for (index, test) in Self.cases.enumerated() {
      let problem = Problem(test, shape: index, seed: UInt64(index))
      let output = problem.run(variant, parts: [0..<problem.rows])
      #expect(problem.wrongElements(output) == 0, "case \(index)")
      #expect(output.haloIsUntouched, "case \(index)")
    }
  }

  @Test(arguments: Variant.all) func `from planar images equals the sum over the window`(_ variant: Variant) {
    for (index, test) in Self.cases.enumerated() {
      let problem = Problem(test, shape: index + 1, seed: UInt64(index))
      let output = problem.runPlanar(variant, parts: [0..<problem.rows])
      #expect(problem.wrongElements(output) == 0, "case \(index)")
      #expect(output.haloIsUntouched, "case \(index)")
    }
  }

  @Test(arguments: Variant.all) func `gives the same bits however output rows are split over calls`(_ variant: Variant)
  {
    for (index, test) in Self.cases.enumerated() {
      let problem = Problem(test, shape: index + 2, seed: UInt64(index)), rows = problem.rows
      let single = (0..<rows).map { $0..<$0 + 1 }, halves = [rows / 3..<rows, 0..<rows / 3]
      let whole = problem.run(variant, parts: [0..<rows]).buffer.bits
      #expect(problem.run(variant, parts: single).buffer.bits == whole, "case \(index)")
      #expect(problem.run(variant, parts: halves).buffer.bits == whole, "case \(index)")
      let planar = problem.runPlanar(variant, parts: [0..<rows]).buffer.bits
      #expect(problem.runPlanar(variant, parts: single).buffer.bits == planar, "case \(index)")
      #expect(problem.runPlanar(variant, parts: halves).buffer.bits == planar, "case \(index)")
    }
  }
}

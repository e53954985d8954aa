import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// The geometry of one convolution in training, and the products it takes.
struct ConvShape {
  /// Height, width and channels of the images on one side.
  struct Side {
    let height: Int
    let width: Int
    let channels: Int

    var count: Int { height * width * channels }

    init(_ value: TrainingValue) {
      let isSequence = value.shape.count == 3
      height = isSequence ? 1 : value.shape[2]
      width = isSequence ? value.shape[2] : value.shape[3]
      channels = value.shape[1]
    }

    func image(at data: UnsafeMutablePointer<Float>, halo: Int = 0) -> eri_f32_image {
      eri_f32_image(data: data, height: height, width: width, channels: channels, halo: halo)
    }
  }

  /// The runtime's methods that training has: weights change with every step, so transforming them must pay at once.
  enum Form {
    case direct
    case winograd
    case planar

    init(_ method: ConvMethod) {
      switch method {
      case .direct, .strided: self = .direct
      case .winograd: self = .winograd
      case .planar, .phases: self = .planar
      }
    }
  }

  /// How the input's gradient is computed.
  enum InputMethod {
    case winograd
    case reversed
    case scattered
  }

  let method: Form
  let inputMethod: InputMethod
  let window: eri_window
  /// Of the convolution of dy that gives dx.
  let reverseWindow: eri_window
  let images: Int
  let input: Side
  let output: Side
  let groups: Int
  let taps: Int

  var outputChannels: Int { output.channels }
  /// Of one group.
  var groupInputs: Int { input.channels / groups }
  var groupOutputs: Int { output.channels / groups }
  var weightCount: Int { output.channels * groupInputs * taps }
  /// Columns of the input that one output pixel and one group see.
  var columns: Int { groupInputs * taps }

  init(_ op: Conv, x: TrainingValue, weight: [Int], output: TrainingValue, exact: Bool) {
    let kernel = [Int](weight[2...])
    method = Form(op.method(weight: weight, inputLayout: x.layout, exact: exact))
    window = op.window(kernel: kernel)
    images = x.shape[0]
    input = Side(x)
    self.output = Side(output)
    groups = op.groups
    taps = kernel.reduce(1, *)
    let reachTop = (window.kernelHeight - 1) * window.dilationHeight
    let reachLeft = (window.kernelWidth - 1) * window.dilationWidth
    let isReversible = op.strides.allSatisfy { $0 == 1 } && reachTop >= window.padTop && reachLeft >= window.padLeft
    var reverse = window
    reverse.padTop = isReversible ? reachTop - window.padTop : 0
    reverse.padLeft = isReversible ? reachLeft - window.padLeft : 0
    reverseWindow = reverse
    inputMethod = method == .winograd ? .winograd : isReversible ? .reversed : .scattered
  }

  // MARK: Memory

  private var packedCount: Int {
    var (forward, reverse) = (window, reverseWindow)
    switch method {
    case .winograd:
      return max(
        eri_f32_winograd_packed_count(ConvShape.winogradTile, input.channels, output.channels),
        eri_f32_winograd_packed_count(ConvShape.winogradTile, output.channels, input.channels))
    case .planar: return eri_f32_conv_planar_packed_count(&forward, input.channels, output.channels)
    case .direct:
      return max(
        eri_f32_conv_packed_count(&forward, input.channels, output.channels),
        eri_f32_conv_packed_count(&reverse, output.channels, input.channels),
        eri_f32_gemm_packed_count(groupOutputs, columns))
    }
  }

  /// Floats that all threads share: weights in another order, then packed ones.
  var sharedCount: Int { roundedWeights + packedCount }

  private var roundedWeights: Int { (weightCount + 15) / 16 * 16 }

  /// Floats of one thread.
  var scratchCount: Int {
    var (forward, reverse) = (window, reverseWindow)
    let convolution: Int
    switch method {
    case .direct:
      convolution = max(
        eri_f32_conv_scratch_count(&forward, input.channels, output.channels),
        eri_f32_conv_scratch_count(&reverse, output.channels, input.channels),
        ConvShape.scatterPixels * columns)
    case .planar:
      convolution = eri_f32_conv_planar_scratch_count(
        &forward, input.channels, input.height, input.width, output.channels)
    case .winograd:
      let widest = max(input.channels, output.channels)
      convolution =
        winogradImages * (input.height + 2) * (input.width + 2) * widest
        + max(
          eri_f32_winograd_scratch_count(
            ConvShape.winogradTile, input.height, input.width, input.channels, output.channels, winogradImages),
          eri_f32_winograd_scratch_count(
            ConvShape.winogradTile, input.height, input.width, output.channels, input.channels, winogradImages))
    }
    return max(convolution, Products.weightGradientScratch(outputs: groupOutputs), columns)
  }

  // MARK: Convolution

  /// Channels-last convolution of `from` by packed direct kernels.
  func convolve(
    _ run: TrainingRun, _ window: eri_window, _ x: UnsafeMutablePointer<Float>, _ from: Side,
    _ weights: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ to: Side, bias: UnsafePointer<Float>?,
    accumulates: Bool
  ) {
    let packed = run.shared + roundedWeights
    var whole = window
    eri_f32_conv_pack(run.kernels, &whole, weights, from.channels, to.channels, packed)
    // About as many pixels as share one sweep over the weights.
    run.split(images * to.height, grain: max(1, 96 / to.width)) { begin, end, thread in
      var window = window
      var (source, target) = (from.image(at: x), to.image(at: y))
      var residual = target
      var form = Products.epilogue(bias: bias, adding: accumulates ? UnsafePointer(y) : nil)
      eri_f32_conv(
        run.kernels, &window, &source, packed, &target, &residual, &form, begin, end, run.scratch(thread))
    }
  }

  func convolvePlanar(
    _ run: TrainingRun, _ x: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    bias: UnsafePointer<Float>?
  ) {
    let packed = run.shared + roundedWeights
    var whole = window
    eri_f32_conv_planar_pack(run.kernels, &whole, weights, input.channels, output.channels, packed)
    run.split(images * output.height) { begin, end, thread in
      var window = window
      var target = output.image(at: y)
      var form = Products.epilogue(bias: bias)
      eri_f32_conv_planar(
        run.kernels, &window, x, input.channels, input.height, input.width, packed, &target, &form, begin, end,
        run.scratch(thread))
    }
  }

  /// Tiles of 6 round three times as much, which gradients would show.
  private static let winogradTile = ERI_WINOGRAD_TILE_4

  /// Images per call: with fewer than 64 tiles, reading the transformed weights again costs a fifth of the layer.
  private var winogradImages: Int {
    let tiles = ((input.height + 3) / 4) * ((input.width + 3) / 4)
    return min(images, max(1, (64 + tiles - 1) / tiles))
  }

  /// 3×3 convolution of stride 1 by Winograd's products; a few images at a time get the border that the kernel wants.
  func winograd(
    _ run: TrainingRun, _ x: UnsafeMutablePointer<Float>, _ from: Side, _ weights: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, _ to: Side, bias: UnsafePointer<Float>?, accumulates: Bool
  ) {
    let packed = run.shared + roundedWeights
    eri_f32_winograd_pack(run.kernels, ConvShape.winogradTile, weights, from.channels, to.channels, packed)
    let group = winogradImages
    let row = from.width * from.channels
    let borderedRow = (from.width + 2) * from.channels
    let bordered = (from.height + 2) * borderedRow
    run.split(images, grain: group) { begin, end, thread in
      let padded = run.scratch(thread)
      var source = from.image(at: padded, halo: 1)
      eri_f32_halo_clear(run.kernels, &source, 0, group)
      for first in stride(from: begin, to: end, by: group) {
        let count = min(group, end - first)
        for image in 0..<count {
          let pixels = x + (first + image) * from.count
          let interior = padded + (image * bordered + borderedRow + from.channels)
          for line in 0..<from.height { (interior + line * borderedRow).update(from: pixels + line * row, count: row) }
        }
        let place = y + first * to.count
        var target = to.image(at: place)
        var residual = target
        var form = Products.epilogue(bias: bias, adding: accumulates ? UnsafePointer(place) : nil)
        eri_f32_winograd(
          run.kernels, ConvShape.winogradTile, &source, packed, &target, &residual, &form, 0, count, 0, to.channels,
          padded + group * bordered)
      }
    }
  }

  // MARK: Gradients

  static let scatterPixels = 48

  /// dw (+)= dyᵀ col(x).
  func weightGradient(
    _ run: TrainingRun, _ x: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>,
    _ dw: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    let pixels = images * output.height * output.width
    // One tap, or planar columns, come in the weights' own order; else in [O, taps, I].
    let isOrdered = taps == 1 || method == .planar
    let source = input.image(at: x)
    for group in 0..<groups {
      let weights = group * groupOutputs * columns
      Products.weightGradient(
        run, rows: pixels, outputs: groupOutputs, columns: columns, dy: dy + group * groupOutputs,
        stride: output.channels, into: isOrdered ? dw + weights : run.shared + weights,
        accumulates: isOrdered && accumulates
      ) { rows, panels, packed in
        var (window, image) = (window, source)
        if method == .planar {
          eri_f32_columns_pack_planar(
            run.kernels, &window, x, input.channels, input.height, input.width, output.height, output.width,
            rows.lowerBound, rows.upperBound, panels.lowerBound, panels.upperBound, packed)
        } else {
          eri_f32_columns_pack(
            run.kernels, &window, &image, output.height, output.width, group * groupInputs, groupInputs,
            rows.lowerBound, rows.upperBound, panels.lowerBound, panels.upperBound, packed)
        }
      }
    }
    if isOrdered { return }
    run.split(output.channels, grain: 4) { begin, end, thread in
      let reordered = run.scratch(thread)
      for channel in begin..<end {
        let row = channel * columns
        eri_f32_transpose(run.kernels, taps, groupInputs, run.shared + row, groupInputs, reordered, taps)
        eri_f32_scaled(run.kernels, columns, 1, reordered, dw + row, accumulates)
      }
    }
  }

  /// dx (+)= what dy and the weights give.
  func inputGradient(
    _ run: TrainingRun, _ dy: UnsafeMutablePointer<Float>, _ weights: UnsafePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    switch inputMethod {
    case .winograd, .reversed:
      eri_f32_conv_reverse_weights(run.kernels, output.channels, groupInputs, taps, groups, weights, run.shared)
      if inputMethod == .winograd {
        winograd(run, dy, output, run.shared, dx, input, bias: nil, accumulates: accumulates)
      } else {
        convolve(run, reverseWindow, dy, output, run.shared, dx, input, bias: nil, accumulates: accumulates)
      }
    case .scattered: scatter(run, dy, weights, dx, accumulates: accumulates)
    }
  }

  /// dx (+)= col2im(dy w), image by image.
  private func scatter(
    _ run: TrainingRun, _ dy: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    accumulates: Bool
  ) {
    let ordered = run.shared
    let packed = run.shared + roundedWeights
    run.split(output.channels, grain: 4) { begin, end, _ in
      for channel in begin..<end {
        let row = channel * columns
        eri_f32_transpose(run.kernels, groupInputs, taps, weights + row, taps, ordered + row, groupInputs)
      }
    }
    if !accumulates { dx.update(repeating: 0, count: images * input.count) }
    let imagePixels = output.height * output.width
    for group in 0..<groups {
      Products.pack(
        run, ordered + group * groupOutputs * columns, strideK: columns, strideN: 1, k: groupOutputs, n: columns,
        into: packed)
      run.split(images) { begin, end, thread in
        var (window, target) = (window, input.image(at: dx))
        let scratch = run.scratch(thread)
        for first in stride(from: begin * imagePixels, to: end * imagePixels, by: ConvShape.scatterPixels) {
          let count = min(ConvShape.scatterPixels, end * imagePixels - first)
          var form = Products.epilogue()
          eri_f32_gemm(
            run.kernels, count, columns, groupOutputs, dy + (first * output.channels + group * groupOutputs),
            output.channels, packed, scratch, columns, &form)
          eri_f32_columns_scatter(
            run.kernels, &window, scratch, output.height, output.width, group * groupInputs, groupInputs, first,
            first + count, &target)
        }
      }
    }
  }
}

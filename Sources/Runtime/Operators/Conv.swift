package import CERIKernels
package import ERIFormat

/// How a convolution is computed.
package enum ConvMethod {
  /// Implicit GEMM over channels-last input.
  case direct
  /// F(4×4, 3×3) or F(6×6, 3×3), as the image's size has it.
  case winograd
  /// Implicit GEMM over the file's own planar input, for a first layer's few channels.
  case planar
  /// Winograd over the phases of planar input, for a first layer that strides.
  case phases
  /// Winograd with stride 2 over channels-last input.
  case strided

  /// Tells the packed forms of one weight apart.
  func number(_ tile: eri_winograd_tile) -> Int {
    switch self {
    case .direct: 0
    case .winograd: tile == ERI_WINOGRAD_TILE_6 ? 5 : 1
    case .planar: 2
    case .phases: 3
    case .strided: 4
    }
  }

  /// Pixels of zeros around the input that spare the kernel its edges.
  var halo: Int {
    switch self {
    case .winograd, .strided: 1
    case .direct, .planar, .phases: 0
    }
  }

  /// Whether the input is the file's planar form.
  package var isPlanar: Bool {
    switch self {
    case .planar, .phases: true
    case .direct, .winograd, .strided: false
    }
  }
}

extension Conv {
  /// The window as the kernels take it; a sequence is an image of height 1.
  package func window(kernel: [Int]) -> eri_window {
    let isSequence = strides.count == 1
    return eri_window(
      kernelHeight: isSequence ? 1 : kernel[0], kernelWidth: isSequence ? kernel[0] : kernel[1],
      strideHeight: isSequence ? 1 : strides[0], strideWidth: isSequence ? strides[0] : strides[1],
      dilationHeight: isSequence ? 1 : dilations[0], dilationWidth: isSequence ? dilations[0] : dilations[1],
      padTop: isSequence ? 0 : padsBegin[0], padLeft: isSequence ? padsBegin[0] : padsBegin[1], groups: groups)
  }

  /// The method for these extents.
  package func method(weight: [Int], inputLayout: Layout, exact: Bool) -> ConvMethod {
    if strides.count == 2 && inputLayout == .rowMajor && weight[1] <= 4 && groups == 1 {
      var window = window(kernel: [Int](weight[2...]))
      // Smaller windows are padded to 8 × 8, which costs more than it saves.
      let isLarge = weight[2] >= 5 && weight[3] >= 5
      return !exact && isLarge && eri_f32_conv_phases_fits(&window, weight[1]) ? .phases : .planar
    }
    let is3x3 = weight.count == 4 && weight[2] == 3 && weight[3] == 3
    let isUnit = strides == [1, 1] && dilations == [1, 1] && groups == 1
    let isSame = padsBegin == [1, 1] && padsEnd == [1, 1]
    // Below 16 channels the transforms cost more than the saved products.
    guard !exact, is3x3, weight[0] >= 16, weight[1] >= 16 else { return .direct }
    if isUnit && isSame { return .winograd }
    return strides == [2, 2] && dilations == [1, 1] && groups == 1 ? .strided : .direct
  }
}

/// A convolution with its epilogue, or the maximum over windows of it.
final class ConvStep: Step {
  private let method: ConvMethod
  private let tile: eri_winograd_tile
  private var window: eri_window
  private let packed: FloatBlock
  private let epilogue: Epilogue
  /// Height and width of what the maximum is taken of; nil: the output is the convolution's own.
  private let pooled: (height: Int, width: Int)?
  /// Output rows of a unit of work over phases.
  private static let bandRows = 4

  init(
    node: Int, method: ConvMethod, tile: eri_winograd_tile, window: eri_window, packed: FloatBlock, input: Slot,
    output: Slot, weight: [Int], epilogue: Epilogue, maximumOf whole: [Int]?, threads: Int
  ) {
    self.method = method
    self.tile = tile
    self.window = window
    self.packed = packed
    self.epilogue = epilogue
    pooled = whole.map { ($0[2], $0[3]) }
    var image = output.image(at: packed.pointer)
    if let pooled { (image.height, image.width) = pooled }
    let channels = input.shape[1]
    let minimumItems: Int
    let scratch: Int
    let units: Int
    switch method {
    case .direct:
      minimumItems = 1
      units = image.height
      scratch = eri_f32_conv_scratch_count(&self.window, channels, weight[0])
    case .planar:
      minimumItems = 1
      units = image.height
      scratch = eri_f32_conv_planar_scratch_count(&self.window, channels, input.shape[2], input.shape[3], weight[0])
    case .phases:
      minimumItems = 1
      units = (image.height + ConvStep.bandRows - 1) / ConvStep.bandRows
      scratch =
        whole == nil
        ? eri_f32_conv_phases_scratch_count(image.width)
        : eri_f32_conv_phases_pooled_scratch_count(image.width, weight[0])
    case .strided:
      minimumItems = ConvStep.items(ofTiles: 48, side: 4, image)
      units = ConvStep.winogradUnits(output, threads: threads)
      scratch = eri_f32_winograd2_scratch_count(image.height, image.width, channels, output.items)
    case .winograd:
      units = ConvStep.winogradUnits(output, threads: threads)
      // With fewer tiles a call, reading the transformed weights again costs a fifth of the layer.
      minimumItems =
        tile == ERI_WINOGRAD_TILE_6
        ? ConvStep.items(ofTiles: 36, side: 6, image) : ConvStep.items(ofTiles: 64, side: 4, image)
      // A call may get any number of the items, and more of them are worked on together.
      scratch = eri_f32_winograd_scratch_count(tile, image.height, image.width, channels, weight[0], output.items)
    }
    super.init(
      node: node, operands: [Operand(input, sliced: true)] + epilogue.operands, output: Operand(output, sliced: true),
      items: output.items, unitsPerItem: units, scratchCount: scratch,
      workPerItem: weight.reduce(1, *) * image.height * image.width, minimumItems: minimumItems)
  }

  /// Pieces into which Winograd divides an item: none but whole items, as all channels share an input's transform, unless threads would
  /// stand idle beside a single item.
  static func winogradUnits(_ output: Slot, threads: Int) -> Int {
    output.items == 1 ? max(1, min(threads, output.shape[1] / 16)) : 1
  }

  /// Images that have so many tiles of side × side together.
  static func items(ofTiles count: Int, side: Int, _ image: eri_f32_image) -> Int {
    let tiles = ((image.height + side - 1) / side) * ((image.width + side - 1) / side)
    return max(1, (count + tiles - 1) / tiles)
  }

  override var kernelName: String {
    switch method {
    case .direct: "conv direct"
    case .winograd: tile == ERI_WINOGRAD_TILE_6 ? "conv winograd 6x6" : "conv winograd"
    case .planar: "conv planar"
    case .phases: pooled == nil ? "conv phases" : "conv phases max_pool"
    case .strided: "conv strided"
    }
  }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var output = self.output.slot.image(at: frame.address(self.output))
    let source = operands[0].slot
    var form = epilogue.kernelForm(frame, row: 0, stride: 0)
    var residual = output
    if let operand = epilogue.residual { residual = operand.slot.image(at: frame.address(operand)) }
    let firstImage = (begin + unitsPerItem - 1) / unitsPerItem
    let endImage = (end + unitsPerItem - 1) / unitsPerItem
    eri_f32_halo_clear(frame.kernels, &output, firstImage, endImage)
    switch method {
    case .direct:
      var input = source.image(at: frame.address(operands[0]))
      eri_f32_conv(
        frame.kernels, &window, &input, packed.pointer, &output, &residual, &form, begin, end, scratch(frame))
    case .winograd:
      var input = source.image(at: frame.address(operands[0]))
      let part = winogradPart(begin, end)
      eri_f32_winograd(
        frame.kernels, tile, &input, packed.pointer, &output, &residual, &form, part.images.lowerBound,
        part.images.upperBound, part.channels.lowerBound, part.channels.upperBound, scratch(frame))
    case .planar:
      eri_f32_conv_planar(
        frame.kernels, &window, frame.address(operands[0]), source.shape[1], source.shape[2], source.shape[3],
        packed.pointer, &output, &form, begin, end, scratch(frame))
    case .phases:
      if let pooled {
        eri_f32_conv_phases_pooled(
          frame.kernels, &window, frame.address(operands[0]), source.shape[1], source.shape[2], source.shape[3],
          packed.pointer, pooled.height, pooled.width, &output, &form, begin, end, scratch(frame))
      } else {
        eri_f32_conv_phases(
          frame.kernels, &window, frame.address(operands[0]), source.shape[1], source.shape[2], source.shape[3],
          packed.pointer, &output, &form, begin, end, scratch(frame))
      }
    case .strided:
      var input = source.image(at: frame.address(operands[0]))
      let part = winogradPart(begin, end)
      eri_f32_winograd2(
        frame.kernels, &window, &input, packed.pointer, &output, &residual, &form, part.images.lowerBound,
        part.images.upperBound, part.channels.lowerBound, part.channels.upperBound, scratch(frame))
    }
  }
}

extension Step {
  /// Images and output channels that units of Winograd stand for: images, or parts of the channels of the only one, in whole panels of 16.
  func winogradPart(_ begin: Int, _ end: Int) -> (images: Range<Int>, channels: Range<Int>) {
    let channels = output.slot.shape[1]
    guard unitsPerItem > 1 else { return (begin..<end, 0..<channels) }
    let panels = (channels + 15) / 16
    let first = begin * panels / unitsPerItem * 16
    let last = min(channels, end * panels / unitsPerItem * 16)
    return (0..<1, first..<last)
  }
}

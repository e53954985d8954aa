import CERIKernels
import ERIFormat

extension Epilogue {
  /// The 8-bit kernels' form; `row` is the first row of a matrix whose rows have `stride` elements.
  func integerForm(_ frame: Frame, inputZero: Int32, output: UniformGrid?, row: Int, stride: Int) -> eri_i8_epilogue {
    var form = eri_i8_epilogue()
    form.inputZero = inputZero
    form.scale = scale.map { UnsafePointer(frame.address($0)) }
    form.bias = bias.map { UnsafePointer(frame.address($0)) }
    form.first = first
    form.second = second
    if let residual {
      let memory = frame.address(residual)
      if let codes = residual.slot.codes {
        form.residualBytes = UnsafePointer(
          UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt8.self) + row &* stride)
        form.residualScale = codes.kernelForm
      } else {
        form.residualFloats = UnsafePointer(memory + row &* stride)
      }
      form.residualStride = stride
      if case .channelsLast(let halo) = residual.slot.layout { form.residualHalo = halo }
    }
    if let output {
      form.outputInverse = output.inverse
      form.outputZero = output.zeroPoint
    }
    return form
  }
}

/// A convolution of bytes to bytes or floats.
final class IntegerConvStep: Step {
  private let integers: OpaquePointer
  private let layer: IntegerLayer
  private var window: eri_window
  private let packed: FloatBlock
  private let epilogue: Epilogue

  init(
    node: Int, integers: OpaquePointer, layer: IntegerLayer, window: eri_window, packed: FloatBlock, input: Slot,
    output: Slot, weight: [Int], epilogue: Epilogue, threads: Int
  ) {
    self.integers = integers
    self.layer = layer
    self.window = window
    self.packed = packed
    self.epilogue = epilogue
    let image = output.image(at: packed.pointer)
    let channels = input.shape[1]
    let isWinograd = layer.method == .winograd
    let scratch =
      isWinograd
      ? eri_i8_winograd_scratch_count(image.height, image.width, channels, weight[0], output.items)
      : eri_i8_conv_scratch_count(&self.window, channels, weight[0])
    super.init(
      node: node, operands: [Operand(input, sliced: true)] + epilogue.operands, output: Operand(output, sliced: true),
      items: output.items,
      unitsPerItem: isWinograd ? ConvStep.winogradUnits(output, threads: threads) : image.height,
      scratchCount: (scratch + 3) / 4,
      workPerItem: weight.reduce(1, *) * image.height * image.width,
      minimumItems: isWinograd ? ConvStep.items(ofTiles: 64, side: 4, image) : 1)
  }

  override var kernelName: String { layer.method == .winograd ? "conv int16 winograd" : "conv int8" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var input = operands[0].slot.byteImage(at: frame.address(operands[0]))
    let memory = frame.address(output)
    let slot = output.slot
    var form = epilogue.integerForm(frame, inputZero: layer.grid.zeroPoint, output: slot.codes, row: 0, stride: 0)
    let firstImage = (begin + unitsPerItem - 1) / unitsPerItem
    let endImage = (end + unitsPerItem - 1) / unitsPerItem
    let part = layer.method == .winograd ? winogradPart(begin, end) : nil
    if let codes = slot.codes {
      var result = slot.byteImage(at: memory)
      eri_i8_halo_fill(integers, &result, codes.zeroPoint, firstImage, endImage)
      if let part {
        eri_i8_winograd(
          integers, &input, packed.pointer, &result, &form, part.images.lowerBound, part.images.upperBound,
          part.channels.lowerBound, part.channels.upperBound, scratch(frame))
      } else {
        eri_i8_conv(integers, &window, &input, packed.pointer, &result, &form, begin, end, scratch(frame))
      }
    } else {
      var result = slot.image(at: memory)
      eri_f32_halo_clear(frame.kernels, &result, firstImage, endImage)
      if let part {
        eri_i8_winograd_float(
          integers, &input, packed.pointer, &result, &form, part.images.lowerBound, part.images.upperBound,
          part.channels.lowerBound, part.channels.upperBound, scratch(frame))
      } else {
        eri_i8_conv_float(integers, &window, &input, packed.pointer, &result, &form, begin, end, scratch(frame))
      }
    }
  }
}

/// The product of bytes, to bytes or floats.
final class IntegerLinearStep: ProductStep {
  private let integers: OpaquePointer
  private let layer: IntegerLayer
  private let after: eri_activation?

  /// - Parameter after: a function of the float product.
  init(
    node: Int, integers: OpaquePointer, layer: IntegerLayer, packed: FloatBlock, input: Slot, output: Slot,
    after: eri_activation?, epilogue: Epilogue
  ) {
    self.integers = integers
    self.layer = layer
    self.after = after
    super.init(node: node, packed: packed, input: input, output: output, epilogue: epilogue)
  }

  override var kernelName: String { "linear int8" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let x =
      UnsafeRawPointer(frame.address(operands[0])).assumingMemoryBound(to: UInt8.self) + begin &* inputs
    let memory = frame.address(output)
    let rows = end &- begin
    var form = epilogue.integerForm(
      frame, inputZero: layer.grid.zeroPoint, output: output.slot.codes, row: begin, stride: outputs)
    if output.slot.codes != nil {
      let y = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt8.self) + begin &* outputs
      eri_i8_gemm(integers, rows, outputs, inputs, x, inputs, packed.pointer, y, outputs, &form)
      return
    }
    let y = memory + begin &* outputs
    eri_i8_gemm_float(integers, rows, outputs, inputs, x, inputs, packed.pointer, y, outputs, &form)
    if let after { eri_f32_activate(frame.kernels, after, rows &* outputs, y, y) }
  }
}

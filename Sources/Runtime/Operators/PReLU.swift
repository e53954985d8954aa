import CERIKernels
import ERIFormat

/// x above 0, else slope · x per channel, in whatever layout the values come; a unit is an image's row, or one channel of one
/// item in row-major form.
final class PReLUStep: Step {
  private let channels: Int
  /// Elements of one channel of one item.
  private let plane: Int

  init(node: Int, input: Slot, slope: Slot, output: Slot) {
    channels = output.shape[1]
    plane = output.elements / output.items / channels
    let units: Int
    switch output.layout {
    case .rowMajor: units = output.shape.count == 2 ? 1 : channels
    case .channelsLast: units = output.shape.count == 3 ? 1 : output.shape[2]
    }
    super.init(
      node: node, operands: [Operand(input, sliced: true), Operand(slope, sliced: false)],
      output: Operand(output, sliced: true), items: output.items, unitsPerItem: units, workPerItem: channels * plane)
  }

  override var kernelName: String { "prelu" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let x = frame.address(operands[0])
    let slope = frame.address(operands[1])
    let y = frame.address(output)
    switch output.slot.layout {
    case .rowMajor: runRowMajor(x, slope, y, begin, end)
    case .channelsLast: runImages(frame, x, slope, y, begin, end)
    }
  }

  private func runRowMajor(
    _ x: UnsafeMutablePointer<Float>, _ slope: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ begin: Int, _ end: Int
  ) {
    var unit = begin
    while unit < end {
      if unitsPerItem == 1 {
        rectify(x + unit &* channels, slope, y + unit &* channels)
      } else {
        rectify(x + unit &* plane, slope[unit % channels], y + unit &* plane)
      }
      unit &+= 1
    }
  }

  private func runImages(
    _ frame: Frame, _ x: UnsafeMutablePointer<Float>, _ slope: UnsafeMutablePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, _ begin: Int, _ end: Int
  ) {
    let source = operands[0].slot.image(at: x)
    var result = output.slot.image(at: y)
    eri_f32_halo_clear(
      frame.kernels, &result, (begin &+ unitsPerItem &- 1) / unitsPerItem, (end &+ unitsPerItem &- 1) / unitsPerItem)
    var unit = begin
    while unit < end {
      let item = unit / unitsPerItem
      let row = unit % unitsPerItem
      var from = source.data + item &* operands[0].slot.itemFloats
      from += ((row &+ source.halo) &* (source.width &+ 2 &* source.halo) &+ source.halo) &* channels
      var to = result.data + item &* output.slot.itemFloats
      to += ((row &+ result.halo) &* (result.width &+ 2 &* result.halo) &+ result.halo) &* channels
      var pixel = 0
      while pixel < result.width {
        rectify(from + pixel &* channels, slope, to + pixel &* channels)
        pixel &+= 1
      }
      unit &+= 1
    }
  }

  /// One pixel, or one item of [N, C]: each channel its slope.
  private func rectify(
    _ x: UnsafeMutablePointer<Float>, _ slope: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    var channel = 0
    while channel < channels {
      let value = x[channel]
      y[channel] = value > 0 ? value : slope[channel] * value
      channel &+= 1
    }
  }

  /// One channel's plane.
  private func rectify(_ x: UnsafeMutablePointer<Float>, _ slope: Float, _ y: UnsafeMutablePointer<Float>) {
    var index = 0
    while index < plane {
      let value = x[index]
      y[index] = value > 0 ? value : slope * value
      index &+= 1
    }
  }
}

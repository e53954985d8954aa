import CERIKernels
import ERIFormat

/// x above 0, else slope · x per channel, in whatever layout the values come; a unit is an image's row, or one channel of one
/// item in row-major form.
package final class PReLUStep: Step {
  private let channels: Int
  /// Elements of one channel of one item.
  private let plane: Int

  package init(node: Int, input: Slot, slope: Slot, output: Slot) {
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

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
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
        rectify(x + unit &* channels, slope, channels, y + unit &* channels, pixels: 1)
      } else {
        rectify(x + unit &* plane, slope[unit % channels], y + unit &* plane, count: plane)
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
      rectify(from, slope, channels, to, pixels: result.width)
      unit &+= 1
    }
  }
}

/// Pixels of some channels each: times 1 above 0, else times the channel's slope.
private func rectify(
  _ x: UnsafePointer<Float>, _ slope: UnsafePointer<Float>, _ channels: Int, _ y: UnsafeMutablePointer<Float>,
  pixels: Int
) {
  var from = x
  var to = y
  var pixel = 0
  while pixel < pixels {
    var channel = 0
    while channel < channels {
      let value = from[channel]
      // Read before it is known to be needed: a conditional read would be a branch that nobody can predict.
      let factor = slope[channel]
      to[channel] = value * (value > 0 ? 1 : factor)
      channel &+= 1
    }
    from += channels
    to += channels
    pixel &+= 1
  }
}

/// One channel's plane.
private func rectify(
  _ x: UnsafePointer<Float>, _ slope: Float, _ y: UnsafeMutablePointer<Float>, count: Int
) {
  var index = 0
  while index < count {
    let value = x[index]
    y[index] = value * (value > 0 ? 1 : slope)
    index &+= 1
  }
}

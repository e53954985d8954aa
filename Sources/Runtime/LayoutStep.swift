import CERIKernels

/// Copies a value from one layout to another; a unit is an item.
package final class LayoutStep: Step {
  package init(node: Int, input: Slot, output: Slot) {
    super.init(
      node: node, operands: [Operand(input, sliced: true)], output: Operand(output, sliced: true), items: output.items,
      unitsPerItem: 1, workPerItem: output.elements / output.items)
  }

  override var kernelName: String { "layout" }

  package override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    let source = operands[0].slot
    let target = output.slot
    var item = begin
    while item < end {
      let x = frame.address(operands[0]) + item &* source.itemFloats
      let y = frame.address(output) + item &* target.itemFloats
      switch (source.layout, target.layout) {
      case (.rowMajor, .rowMajor):
        y.update(from: x, count: source.itemFloats)
      case (.rowMajor, .channelsLast):
        copy(target, x, y, toRowMajor: false, frame)
      case (.channelsLast, .rowMajor):
        copy(source, y, x, toRowMajor: true, frame)
      case (.channelsLast, .channelsLast):
        copyInterior(from: source.image(at: x), to: target.image(at: y), frame)
      }
      item &+= 1
    }
  }

  /// Between planes at `planar` and one channels-last image at `pixels` with the geometry of `slot`.
  private func copy(
    _ slot: Slot, _ planar: UnsafeMutablePointer<Float>, _ pixels: UnsafeMutablePointer<Float>, toRowMajor: Bool,
    _ frame: Frame
  ) {
    // More than two spatial axes have no halo and count as one row.
    let channels = slot.shape[1]
    var image = eri_f32_image(
      data: pixels, height: 1, width: slot.elements / slot.items / channels, channels: channels, halo: 0)
    if slot.shape.count <= 4 { image = slot.image(at: pixels) }
    if !toRowMajor { eri_f32_halo_clear(frame.kernels, &image, 0, 1) }
    let plane = image.height &* image.width
    var row = 0
    while row < image.height {
      let pixel = pixels + ((row &+ image.halo) &* (image.width &+ 2 &* image.halo) &+ image.halo) &* channels
      if toRowMajor {
        eri_f32_transpose(frame.kernels, image.width, channels, pixel, channels, planar + row &* image.width, plane)
      } else {
        eri_f32_transpose(frame.kernels, channels, image.width, planar + row &* image.width, plane, pixel, channels)
      }
      row &+= 1
    }
  }

  private func copyInterior(from x: eri_f32_image, to y: eri_f32_image, _ frame: Frame) {
    var target = y
    eri_f32_halo_clear(frame.kernels, &target, 0, 1)
    var row = 0
    // A view [N, C, H·W] of an image is one row of all its pixels.
    let width = x.width
    while row < x.height {
      let from = x.data + ((row &+ x.halo) &* (x.width &+ 2 &* x.halo) &+ x.halo) &* x.channels
      let pixel = row &* width
      let targetRow = pixel / y.width
      let targetColumn = pixel % y.width
      let to =
        y.data + ((targetRow &+ y.halo) &* (y.width &+ 2 &* y.halo) &+ y.halo &+ targetColumn) &* y.channels
      to.update(from: from, count: width &* x.channels)
      row &+= 1
    }
  }
}

import CERIKernels

extension Slot {
  /// One item as an image: rows of a matrix are pixels.
  func byteImage(at data: UnsafeMutablePointer<Float>) -> eri_i8_image {
    let geometry = anyImage(at: data)
    return eri_i8_image(
      data: UnsafeMutableRawPointer(data).assumingMemoryBound(to: UInt8.self), height: geometry.height,
      width: geometry.width, channels: geometry.channels, halo: geometry.halo)
  }

  /// The same for any layout; what lies row-major is one row of one-channel pixels.
  func anyImage(at data: UnsafeMutablePointer<Float>) -> eri_f32_image {
    if case .channelsLast = layout, shape.count <= 4 { return image(at: data) }
    return eri_f32_image(data: data, height: 1, width: 1, channels: elements / items, halo: 0)
  }
}

/// Between floats and the bytes that stand for them, in one layout; a unit is an item.
class ByteStep: Step {
  final let integers: OpaquePointer
  final let grid: UniformGrid

  init(node: Int, integers: OpaquePointer, grid: UniformGrid, input: Slot, output: Slot) {
    self.integers = integers
    self.grid = grid
    super.init(
      node: node, operands: [Operand(input, sliced: true)], output: Operand(output, sliced: true), items: output.items,
      unitsPerItem: 1, workPerItem: output.elements / output.items)
  }
}

/// Writes floats as bytes that stand for them.
final class QuantizeStep: ByteStep {
  override var kernelName: String { "quantize" }

  /// Whether pixels are gathered from planes.
  private var isPlanar: Bool { operands[0].slot.layout == .rowMajor && output.slot.layout != .rowMajor }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var item = begin
    while item < end {
      let numbers = frame.address(operands[0]) + item &* operands[0].slot.itemFloats
      var y = output.slot.byteImage(at: frame.address(output) + item &* output.slot.itemFloats)
      if isPlanar {
        eri_i8_quantise_planar(integers, numbers, grid.inverse, grid.zeroPoint, &y, 0, y.height)
      } else {
        var x = operands[0].slot.anyImage(at: numbers)
        eri_i8_quantise(integers, &x, grid.inverse, grid.zeroPoint, &y, 0, y.height)
      }
      eri_i8_halo_fill(integers, &y, grid.zeroPoint, 0, 1)
      item &+= 1
    }
  }
}

/// Writes the floats that bytes stand for.
final class DequantizeStep: ByteStep {
  override var kernelName: String { "dequantize" }

  override func run(_ frame: Frame, _ begin: Int, _ end: Int) {
    var item = begin
    while item < end {
      var x = operands[0].slot.byteImage(at: frame.address(operands[0]) + item &* operands[0].slot.itemFloats)
      var y = output.slot.anyImage(at: frame.address(output) + item &* output.slot.itemFloats)
      eri_i8_dequantise(integers, &x, grid.kernelForm, &y, 0, y.height)
      eri_f32_halo_clear(frame.kernels, &y, 0, 1)
      item &+= 1
    }
  }
}

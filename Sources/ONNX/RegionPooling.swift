import CERISystem
import ERIFormat

/// Regions of feature maps brought to one size.
extension ONNXNode {
  func regionKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    let regions = try operand(1, "regions")
    guard x.shape.count == 4 else { throw contractError("expected x of 4 dimensions, found \(shapeText(x.shape))") }
    try require(regions, "regions", like: x)
    let isAligned = op.name == "RoiAlign"
    guard regions.shape.count == 2, regions.shape[1] == (isAligned ? 4 : 5) else {
      throw contractError("expected regions of shape [n, \(isAligned ? 4 : 5)], found \(shapeText(regions.shape))")
    }
    let size =
      isAligned
      ? [try integer("output_height", default: 1), try integer("output_width", default: 1)]
      : try window("pooled_shape", count: 2, from: 1, default: 1)
    guard size.allSatisfy({ (1...Limits.window).contains($0) }) else {
      throw contractError("expected an output from 1 to \(Limits.window), found \(shapeText(size))")
    }
    let result = try BoundType(x.dtype, [regions.shape[0], x.shape[1]] + size)
    let scale = Double(try number("spatial_scale", default: 1))
    guard isAligned else {
      try arity(2, 2)
      return try realKernel(x, "x", MaxRegionKernel(x: x.type, result: result, scale: scale))
    }
    try arity(3, 3)
    let images = try operand(2, "batch indices")
    try require(images, "batch indices", shape: [regions.shape[0]])
    let mode = try text("mode", default: "avg")
    guard mode == "avg" || mode == "max" else { throw contractError("expected mode avg or max, found \"\(mode)\"") }
    let samples = try integer("sampling_ratio", default: 0)
    guard (0...Limits.window).contains(samples) else {
      throw contractError("expected a sampling_ratio from 0 to \(Limits.window), found \(samples)")
    }
    let before = op.opset < 16 ? "output_half_pixel" : "half_pixel"
    let transformation = try text("coordinate_transformation_mode", default: before)
    guard transformation == "half_pixel" || transformation == "output_half_pixel" else {
      throw contractError(
        "expected coordinate_transformation_mode half_pixel or output_half_pixel, found \"\(transformation)\"")
    }
    return try realKernel(
      x, "x",
      AlignedRegionKernel(
        x: x.type, result: result, scale: scale, samples: samples, isMaximum: mode == "max",
        isShifted: transformation == "half_pixel", images: try IndexReader(images, "batch indices")))
  }
}

/// Why a region is not pooled.
private let wildRegion = ONNXFault.value("regions of finite extents, not beyond 32767 samples per output")

private struct AlignedRegionKernel: RealKernel {
  let x: BoundType
  let result: BoundType
  let scale: Double
  let samples: Int
  let isMaximum: Bool
  let isShifted: Bool
  let images: IndexReader

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let this = self
    return ONNXKernel([result]) { this.run($0, type) }
  }

  private func run<Element: ONNXReal>(_ memory: ONNXMemory, _ type: Element.Type) -> ONNXFault? {
    let regions: UnsafePointer<Element> = memory.input(1)
    let indices = UnsafeRawPointer(memory.input(2, as: UInt8.self))
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let (rows, columns) = (result.shape[2], result.shape[3])
    for region in 0..<result.shape[0] {
      guard let image = images.place(indices, region, in: x.shape[0]) else {
        return images.fault(indices, region, in: x.shape[0])
      }
      func corner(_ index: Int) -> Double { Double(regions[4 &* region &+ index]) * scale - (isShifted ? 0.5 : 0) }
      let (left, top) = (corner(0), corner(1))
      var (wide, high) = (corner(2) - left, corner(3) - top)
      if !isShifted {
        wide = max(wide, 1)
        high = max(high, 1)
      }
      let (stepX, stepY) = (wide / Double(columns), high / Double(rows))
      let most = Double(Limits.window)
      guard abs(left) < 0x1p31, abs(top) < 0x1p31, abs(stepX) <= most, abs(stepY) <= most else { return wildRegion }
      let across = samples > 0 ? samples : max(Int(-eri_floor(-stepX)), 0)
      let down = samples > 0 ? samples : max(Int(-eri_floor(-stepY)), 0)
      for channel in 0..<channels {
        let plane = memory.input(0, as: Element.self) + (image &* channels &+ channel) &* height &* width
        let y = memory.output(0, as: Element.self) + (region &* channels &+ channel) &* rows &* columns
        for row in 0..<rows {
          for column in 0..<columns {
            var sum = 0.0
            var best: Double?
            for a in 0..<down {
              let y = top + Double(row) * stepY + (Double(a) + 0.5) * stepY / Double(down)
              for b in 0..<across {
                let x = left + Double(column) * stepX + (Double(b) + 0.5) * stepX / Double(across)
                let sample = Sample(plane, y, x, height, width)
                sum += sample.sum
                best = best.map { max($0, sample.largest) } ?? sample.largest
              }
            }
            y[row &* columns &+ column] = Element(isMaximum ? best ?? 0 : sum / Double(max(down &* across, 1)))
          }
        }
      }
    }
    return nil
  }
}

/// The four elements around a place, each times its share of it.
private struct Sample {
  var sum = 0.0
  /// Of the four products: ONNX pools these, not their sum.
  var largest = 0.0

  @inline(__always) init<Element: ONNXReal>(
    _ plane: UnsafePointer<Element>, _ y: Double, _ x: Double, _ height: Int, _ width: Int
  ) {
    guard y >= -1, y <= Double(height), x >= -1, x <= Double(width), height > 0, width > 0 else { return }
    var (y, x) = (max(y, 0), max(x, 0))
    var (top, left) = (Int(y), Int(x))
    var (bottom, right) = (top &+ 1, left &+ 1)
    if top >= height &- 1 {
      top = height &- 1
      bottom = top
      y = Double(top)
    }
    if left >= width &- 1 {
      left = width &- 1
      right = left
      x = Double(left)
    }
    let (below, beside) = (y - Double(top), x - Double(left))
    let a = (1 - below) * (1 - beside) * Double(plane[top &* width &+ left])
    let b = (1 - below) * beside * Double(plane[top &* width &+ right])
    let c = below * (1 - beside) * Double(plane[bottom &* width &+ left])
    let d = below * beside * Double(plane[bottom &* width &+ right])
    sum = a + b + c + d
    largest = max(max(a, b), max(c, d))
  }
}

/// MaxRoiPool: the largest element of each part of a region, whose corners are rounded to elements.
private struct MaxRegionKernel: RealKernel {
  let x: BoundType
  let result: BoundType
  let scale: Double

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let this = self
    return ONNXKernel([result]) { this.run($0, type) }
  }

  private func run<Element: ONNXReal>(_ memory: ONNXMemory, _ type: Element.Type) -> ONNXFault? {
    let regions: UnsafePointer<Element> = memory.input(1)
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let (rows, columns) = (result.shape[2], result.shape[3])
    for region in 0..<result.shape[0] {
      let image = Int(narrowing: Double(regions[5 &* region]))
      guard image >= 0, image < x.shape[0] else { return .indexOutOfRange(index: image, extent: x.shape[0]) }
      func corner(_ index: Int) -> Int? {
        let place = (Double(regions[5 &* region &+ index]) * scale).rounded(.toNearestOrAwayFromZero)
        return abs(place) < 0x1p31 ? Int(place) : nil
      }
      guard let left = corner(1), let top = corner(2), let right = corner(3), let bottom = corner(4) else {
        return wildRegion
      }
      let (stepX, stepY) = (
        Double(max(right - left + 1, 1)) / Double(columns), Double(max(bottom - top + 1, 1)) / Double(rows)
      )
      for channel in 0..<channels {
        let plane = memory.input(0, as: Element.self) + (image &* channels &+ channel) &* height &* width
        let y = memory.output(0, as: Element.self) + (region &* channels &+ channel) &* rows &* columns
        for row in 0..<rows {
          let first = min(max(Int(eri_floor(Double(row) * stepY)) + top, 0), height)
          let last = min(max(Int(-eri_floor(-Double(row + 1) * stepY)) + top, 0), height)
          for column in 0..<columns {
            let start = min(max(Int(eri_floor(Double(column) * stepX)) + left, 0), width)
            let end = min(max(Int(-eri_floor(-Double(column + 1) * stepX)) + left, 0), width)
            var best: Element?
            for line in first..<max(first, last) {
              for place in start..<max(start, end) {
                let value = plane[line &* width &+ place]
                best = best?.larger(value) ?? value
              }
            }
            y[row &* columns &+ column] = best ?? 0
          }
        }
      }
    }
    return nil
  }
}

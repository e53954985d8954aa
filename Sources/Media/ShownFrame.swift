import CAVFormat

/// A decoded picture together with how it is shown: every position here is in upright, square pixels.
struct ShownFrame {
  let frame: VideoFrame
  let geometry: DisplayGeometry
  let path: String

  /// Calls `body` with the whole shown picture in grey.
  func withGrey<Result>(
    _ body: (UnsafePointer<UInt8>, _ width: Int, _ height: Int, _ stride: Int) throws(MediaError) -> Result
  ) throws(MediaError) -> Result {
    if geometry.isIdentity {
      return try frame.withGrey(path: path) { pixels, stride throws(MediaError) in
        try body(pixels, geometry.width, geometry.height, stride)
      }
    }
    let whole = Rectangle(left: 0, top: 0, width: Double(geometry.width), height: Double(geometry.height))
    let pixels = try grey(whole, width: geometry.width, height: geometry.height)
    return try pixels.withUnsafeBufferPointer { buffer throws(MediaError) in
      guard let base = buffer.baseAddress else { throw MediaError.outOfMemory(path) }
      return try body(base, geometry.width, geometry.height, geometry.width)
    }
  }

  /// A rectangle of the shown picture in grey, resampled to `width` x `height`; the border is repeated beyond it.
  func grey(_ rectangle: Rectangle, width: Int, height: Int) throws(MediaError) -> [UInt8] {
    let axes = axisWeights(rectangle, width: width, height: height)
    let pixels = try frame.withGrey(path: path) { source, stride in
      resample(source, stride: stride, channels: 1, xs: axes.xs, ys: axes.ys)
    }
    return turned(
      pixels, width: axes.xs.count, height: axes.ys.count, channels: 1, quarterTurns: geometry.quarterTurns)
  }

  /// A rectangle of the shown picture as interleaved RGB, resampled to `side` x `side`; the border is repeated
  /// beyond it.
  func rgb(_ rectangle: Rectangle, side: Int) throws(MediaError) -> [UInt8] {
    let axes = axisWeights(rectangle, width: side, height: side)
    let (columns, rows) = (axes.xs.span, axes.ys.span)
    let region = frame.convertible(
      PixelRegion(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count))
    let converted = try frame.converted(region, to: AV_PIX_FMT_RGB24, bytesPerPixel: 3, path: path)
    let pixels = converted.withUnsafeBufferPointer { source in
      source.baseAddress.map {
        resample(
          $0, stride: 3 * region.width, origin: (region.x, region.y), channels: 3, xs: axes.xs, ys: axes.ys)
      } ?? []
    }
    return turned(pixels, width: side, height: side, channels: 3, quarterTurns: geometry.quarterTurns)
  }

  private func axisWeights(_ rectangle: Rectangle, width: Int, height: Int) -> (xs: AxisWeights, ys: AxisWeights) {
    let coded = geometry.coded(rectangle)
    let (outputsX, outputsY) = geometry.quarterTurns % 2 == 0 ? (width, height) : (height, width)
    return (
      AxisWeights(start: coded.left, length: coded.width, outputs: outputsX, size: geometry.codedWidth),
      AxisWeights(start: coded.top, length: coded.height, outputs: outputsY, size: geometry.codedHeight)
    )
  }
}

/// RGB to Y′CbCr 4:2:0 in integers: ITU-R BT.601 with limited range, as decoders assume when a stream does not say.
enum PictureConversion {
  /// The planes that a picture is written to, with the distance of their rows in bytes.
  struct Planes {
    let luma, blue, red: UnsafeMutablePointer<UInt8>
    let lumaStride, blueStride, redStride: Int
  }

  /// Fills the planes; width and height are even. Chroma is the mean of four pixels.
  static func fill(_ planes: Planes, from frame: DrawnFrame) {
    let stride = 3 * frame.width
    frame.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      for y in 0..<frame.height {
        let source = base + y * stride
        let target = planes.luma + y * planes.lumaStride
        for x in 0..<frame.width {
          let r = Int32(source[3 * x])
          let g = Int32(source[3 * x + 1])
          let b = Int32(source[3 * x + 2])
          target[x] = UInt8(truncatingIfNeeded: ((66 &* r &+ 129 &* g &+ 25 &* b &+ 128) >> 8) &+ 16)
        }
      }
      for y in 0..<(frame.height / 2) {
        let upper = base + 2 * y * stride
        let lower = upper + stride
        let blue = planes.blue + y * planes.blueStride
        let red = planes.red + y * planes.redStride
        for x in 0..<(frame.width / 2) {
          let i = 6 * x
          let r = Int32(upper[i]) &+ Int32(upper[i + 3]) &+ Int32(lower[i]) &+ Int32(lower[i + 3])
          let g = Int32(upper[i + 1]) &+ Int32(upper[i + 4]) &+ Int32(lower[i + 1]) &+ Int32(lower[i + 4])
          let b = Int32(upper[i + 2]) &+ Int32(upper[i + 5]) &+ Int32(lower[i + 2]) &+ Int32(lower[i + 5])
          blue[x] = UInt8(truncatingIfNeeded: ((112 &* b &- 38 &* r &- 74 &* g &+ 512) >> 10) &+ 128)
          red[x] = UInt8(truncatingIfNeeded: ((112 &* r &- 94 &* g &- 18 &* b &+ 512) >> 10) &+ 128)
        }
      }
    }
  }
}

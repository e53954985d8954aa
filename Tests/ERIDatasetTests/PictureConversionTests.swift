import Testing

@testable import ERIDataset

@Suite struct PictureConversionTests {
  /// Converts a picture of one colour and returns its luma and both chroma values.
  private func converted(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> [UInt8] {
    var frame = DrawnFrame(width: 2, height: 2)
    for i in 0..<4 { frame.pixels.replaceSubrange((3 * i)..<(3 * i + 3), with: [r, g, b]) }
    var luma = [UInt8](repeating: 0, count: 4)
    var blue = [UInt8](repeating: 0, count: 1)
    var red = [UInt8](repeating: 0, count: 1)
    luma.withUnsafeMutableBufferPointer { y in
      blue.withUnsafeMutableBufferPointer { u in
        red.withUnsafeMutableBufferPointer { v in
          if let y = y.baseAddress, let u = u.baseAddress, let v = v.baseAddress {
            PictureConversion.fill(
              PictureConversion.Planes(luma: y, blue: u, red: v, lumaStride: 2, blueStride: 1, redStride: 1),
              from: frame)
          }
        }
      }
    }
    return [luma[3], blue[0], red[0]]
  }

  @Test func `black and white take the ends of the limited range`() {
    #expect(converted(0, 0, 0) == [16, 128, 128])
    #expect(converted(255, 255, 255) == [235, 128, 128])
  }

  // The coefficients are rounded to 1/256: up to 3 × 0.5 / 256 × 255 = 1.5 levels, and half a level of rounding.
  @Test func `all colours are within 2 levels of BT.601's formula`() {
    for r in stride(from: 0, through: 255, by: 15) {
      for g in stride(from: 0, through: 255, by: 15) {
        for b in stride(from: 0, through: 255, by: 15) {
          let (x, y, z) = (Double(r), Double(g), Double(b))
          let luma = 0.299 * x + 0.587 * y + 0.114 * z
          let expected = [
            16 + luma * 219 / 255, 128 + (z - luma) / 1.772 * 224 / 255, 128 + (x - luma) / 1.402 * 224 / 255,
          ]
          let found = converted(UInt8(r), UInt8(g), UInt8(b))
          for (a, e) in zip(found, expected) { #expect(abs(Double(a) - e) <= 2, "\(r) \(g) \(b)") }
        }
      }
    }
  }
}

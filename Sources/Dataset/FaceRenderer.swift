package import ERIFormat

/// A picture of 8-bit RGB, rows from the top, three bytes a pixel.
package struct DrawnFrame: Sendable, Equatable {
  package let width: Int
  package let height: Int
  package var pixels: [UInt8]

  package init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    pixels = [UInt8](repeating: 0, count: width * height * 3)
  }
}

/// Draws one person's face, frame by frame.
///
/// Row after row is painted from back to front in arrays of `Float`: background, shoulders and neck, hair and ears, the
/// face with its shading, eyes, brows, mouth, front hair, noise. In face coordinates u points right, v down, the origin
/// is the face's centre and the unit half its width; u and v carry the head's roll, and features are drawn at
/// uf = u − 0.45 yaw z, vf = v − 0.40 pitch z, where z is the height of the face above the picture's plane.
package final class FaceRenderer {
  package let width: Int
  package let height: Int
  package let person: Person
  /// The background's three planes, one after another.
  private let background: [Float]
  private let rows: RowScratch
  private let noise: PixelNoise

  package init(person: Person, width: Int, height: Int) {
    (self.width, self.height, self.person) = (width, height, person)
    background = Self.background(person, width, height)
    rows = RowScratch(width: width)
    noise = PixelNoise(width: width)
  }

  /// Draws a frame; what it shows depends on the arguments alone, not on the frames before.
  package func draw(
    _ expression: FacialExpression, _ pose: FacePose, random: inout SeededRandom, into frame: inout DrawnFrame
  ) {
    let head = HeadGeometry(person, pose, expression)
    let skin = SkinShading(person, expression, head)
    let eyes = EyePaint(person, pose, expression, head)
    let brows = BrowPaint(person, expression, head)
    let mouth = MouthPaint(person, expression, head)
    let hair = HairPaint(person, head)
    noise.start(&random)
    frame.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height {
        fillBackground(y)
        paintTorso(y, head)
        let span = head.span(ofRow: y, width: width)
        if !span.isEmpty {
          let row = FaceRow(rows.planes, y: y, span: span)
          row.place(head)
          hair.paintBehind(row)
          skin.paint(row)
          eyes.paint(row)
          brows.paint(row)
          mouth.paint(row)
          hair.paintFront(row)
        }
        noise.finish(rows.planes, pixels, y)
      }
    }
  }

  private static func background(_ person: Person, _ width: Int, _ height: Int) -> [Float] {
    let plane = width * height
    var result = [Float](repeating: 0, count: 3 * plane)
    let horizontal = person.spots.map { spot in profile(spot.x, spot.sigma, width) }
    let vertical = person.spots.map { spot in profile(spot.y, spot.sigma, height) }
    for y in 0..<height {
      let blend = person.backgroundTop.blended(
        with: person.backgroundBottom, (Float(y) + 0.5) / Float(height))
      for x in 0..<width {
        var colour = blend
        for (i, spot) in person.spots.enumerated() {
          let weight = horizontal[i][x] * vertical[i][y]
          colour.red += spot.amplitude.red * weight
          colour.green += spot.amplitude.green * weight
          colour.blue += spot.amplitude.blue * weight
        }
        result[y * width + x] = colour.red
        result[plane + y * width + x] = colour.green
        result[2 * plane + y * width + x] = colour.blue
      }
    }
    return result
  }

  /// A Gaussian over `count` pixels; centre and sigma are parts of the whole.
  private static func profile(_ centre: Double, _ sigma: Double, _ count: Int) -> [Float] {
    (0..<count).map { i in
      let distance = ((Double(i) + 0.5) / Double(count) - centre) / sigma
      return Float(DeterministicMath.exp(-0.5 * distance * distance))
    }
  }

  private func fillBackground(_ y: Int) {
    let plane = width * height
    background.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      rows.planes.red.update(from: base + y * width, count: width)
      rows.planes.green.update(from: base + plane + y * width, count: width)
      rows.planes.blue.update(from: base + 2 * plane + y * width, count: width)
    }
  }

  /// Shoulders and neck; they follow the head but do not roll.
  private func paintTorso(_ y: Int, _ head: HeadGeometry) {
    let s = rows.planes
    let v = (Float(y) + 0.5 - head.y) * head.unit
    let side: Float = person.light.x < 0 ? -1 : 1
    if v > 1.65 {
      let cloth = person.cloth
      let b = (v - 2.75) / 1.05
      let collar = (v - 1.75) / 0.16
      for x in head.columns(from: head.x - 2.15 * head.radius, to: head.x + 2.15 * head.radius, width: width) {
        let u = (Float(x) + 0.5 - head.x) * head.unit
        let a = u / 2.1
        let shadow = 1 - 0.25 * PixelArithmetic.gaussian(u / 0.62, collar)
        s.mix(x, cloth, (0.92 + 0.16 * side * a) * shadow, head.coverage(ellipse: a, b, 2.1, 1.05))
      }
    }
    if v > 0.55, v < 2.05 {
      let skin = person.skin
      // The jaw's shadow lies on the upper neck.
      let light = 0.72 - 0.22 * PixelArithmetic.smoothstep((1.85 - v) * 1.6)
      for x in head.columns(from: head.x - 0.6 * head.radius, to: head.x + 0.6 * head.radius, width: width) {
        let u = (Float(x) + 0.5 - head.x) * head.unit
        let arch = 1 - u * u / 0.3025
        let outside = PixelArithmetic.maximum(0.6 - v, v - 1.84 - 0.13 * arch)
        let alpha = head.coverage(PixelArithmetic.maximum(abs(u) - 0.55, outside))
        s.mix(x, skin, light * (0.72 + 0.28 * arch) * (1 + 0.10 * side * u), alpha)
      }
    }
  }
}

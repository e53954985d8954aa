import ERIFormat

/// The brows: two lines that the expression bends, thinner towards the temples.
struct BrowPaint {
  private let head: HeadGeometry
  private let box: PixelBox
  private let hair: Colour
  /// |u| of the inner end.
  private let start: Float
  /// Height of the line at `count + 1` places from the inner to the outer end.
  private let line: [Float]
  private let thickness: Float

  private static let count = 32
  private static let length: Float = 0.50
  private static let softness: Float = 0.022

  init(_ person: Person, _ expression: FacialExpression, _ head: HeadGeometry) {
    self.head = head
    hair = person.hair.scaled(0.8)
    let e = expression
    start = Float(0.16 - 0.04 * e.frown)
    thickness = Float(person.browThickness)
    line = (0...Self.count).map { i in
      let k = Double(i) / Double(Self.count)
      let pi = DeterministicMath.pi
      let arch = 0.05 * DeterministicMath.sin(0.9 * pi * k)
      let inner = 0.15 * e.innerBrow * DeterministicMath.pow(1 - k, 1.3)
      let outer = 0.13 * e.outerBrow * DeterministicMath.sin(pi * (0.15 + 0.75 * k))
      let frown = e.frown * (0.13 * (1 - k) + 0.03)
      return Float(-0.47 - arch + 0.035 * k - inner - outer + frown)
    }
    box = head.box(0, -0.50, 0.74, 0.40)
  }

  func paint(_ row: FaceRow) {
    let s = row.planes
    for i in row.columns(box) {
      let k = (abs(s.uf[i]) - start) / Self.length
      guard k > -0.06, k < 1.06 else { continue }
      let place = PixelArithmetic.clamp(k) * Float(Self.count)
      let index = min(Int(place), Self.count - 1)
      let centre = line[index] + (line[index + 1] - line[index]) * (place - Float(index))
      let half = thickness * (1 - 0.55 * PixelArithmetic.clamp(k))
      let distance = abs(s.vf[i] - centre) - half
      let ends = PixelArithmetic.smoothstep((k + 0.05) * 10) * PixelArithmetic.smoothstep((1.05 - k) * 10)
      let alpha = PixelArithmetic.clamp(0.5 - distance / Self.softness * 0.5) * ends * s.cover[i]
      s.mix(i, hair, 0.55 + 0.45 * s.light[i], 0.95 * alpha)
    }
  }
}

/// The eyes: white, iris, pupil, glint, lids.
struct EyePaint {
  private let head: HeadGeometry
  private let box: PixelBox
  private let distance: Float
  /// Height of the upper and depth of the lower lid at the middle of the eye.
  private let upper, lower: Float
  private let gazeX, gazeY: Float
  private let iris: Colour
  private let lash: Colour
  private let crease: Colour

  private static let white = Colour(228, 224, 220)
  private static let pupil = Colour(14, 11, 11)
  private static let glint = Colour(250, 250, 250)
  private static let halfWidth: Float = 0.205

  init(_ person: Person, _ pose: FacePose, _ expression: FacialExpression, _ head: HeadGeometry) {
    self.head = head
    let opening = max(expression.eye * (1 - pose.blink), 0.03)
    distance = Float(person.eyeDistance)
    upper = Float(0.095 * opening)
    lower = Float(0.060 * min(opening, 1.2) * (1 - 0.35 * max(expression.smile, 0)))
    gazeX = Float(0.06 * min(max(pose.gazeX, -1), 1))
    gazeY = Float(0.04 * min(max(pose.gazeY, -1), 1))
    iris = person.iris
    lash = person.hair.scaled(0.45)
    crease = person.skin.scaled(0.50, 0.44, 0.42)
    box = head.box(0, -0.20, Float(person.eyeDistance) + 0.28, 0.30)
  }

  func paint(_ row: FaceRow) {
    for i in row.columns(box) { paint(row, i) }
  }

  private func paint(_ row: FaceRow, _ i: Int) {
    let s = row.planes
    let side: Float = s.uf[i] < 0 ? -1 : 1
    let across = s.uf[i] - side * distance
    let x = across / Self.halfWidth
    guard x > -1.25, x < 1.25 else { return }
    let y = s.vf[i] + 0.20
    let cover = s.cover[i]
    let arch = 1 - x * x
    let top = -upper * arch
    let bottom = lower * arch
    // Near the corners the lids run steeply: the vertical distance is divided by the length of (1, slope).
    let slope = 2 * x * upper / Self.halfWidth
    let steep = 1 / (1 + slope * slope).squareRoot()
    let open = head.coverage(PixelArithmetic.maximum(top - y, y - bottom) * steep) * cover
    if open > 0 {
      let light = 0.55 + 0.45 * s.light[i]
      // The upper lid's shadow on the ball.
      let shadow = 0.70 + 0.30 * PixelArithmetic.clamp((y - top) * 16)
      s.mix(i, Self.white, light * shadow, open)
      let dx = across - gazeX
      let dy = y + 0.012 - gazeY
      let radius = (dx * dx + dy * dy).squareRoot()
      // Darker at the rim and under the lid, lighter below the pupil.
      let depth = 1 - 0.45 * PixelArithmetic.smoothstep((radius - 0.055) * 30) + 2.2 * dy
      s.mix(i, iris, depth * shadow, open * head.coverage(radius - 0.088))
      s.mix(i, Self.pupil, 1, open * head.coverage(radius - 0.042))
      let glintX = dx + 0.026
      let glintY = dy + 0.030
      let glint = (glintX * glintX + glintY * glintY).squareRoot()
      s.mix(i, Self.glint, 1, open * head.coverage(glint - 0.020))
    }
    // Lid line, crease above, rim below; they thin out towards and past the corners.
    let taper = PixelArithmetic.smoothstep((1.18 - abs(x)) * 3.5)
    let lid = head.coverage((abs(y - top) - 0.022) * steep)
    s.mix(i, lash, 1, lid * taper * cover)
    let fold = head.coverage((abs(y - top + 0.055) - 0.012) * steep)
    s.mix(i, crease, s.light[i], 0.35 * fold * taper * cover)
    let rim = head.coverage((abs(y - bottom) - 0.010) * steep)
    s.mix(i, crease, s.light[i], 0.35 * rim * taper * cover)
  }
}

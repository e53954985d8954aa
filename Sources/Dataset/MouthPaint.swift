import ERIFormat

/// The mouth: lips, the opening with its teeth, the line between the lips, the corners.
struct MouthPaint {
  private let head: HeadGeometry
  private let box: PixelBox
  private let middle, inverseWidth: Float
  /// Centre line: its height and bend.
  private let raise, bend: Float
  /// How far the lips part upwards and downwards at the middle, and upwards at the sides by a sneer.
  private let up, down, sneer: Float
  private let upperLip, lowerLip: Float
  private let upperColour, lowerColour: Colour
  private let teeth: Float
  private let tongue: Float

  private static let inside = Colour(52, 20, 22)
  private static let teethColour = Colour(236, 232, 222)
  private static let tongueColour = Colour(158, 74, 72)
  private static let line = Colour(58, 26, 26)

  init(_ person: Person, _ expression: FacialExpression, _ head: HeadGeometry) {
    self.head = head
    let e = expression
    let smile = max(e.smile, 0)
    middle = Float(0.60 + 0.04 * e.mouth)
    let narrowing = max(0, e.mouth - 0.6 * smile - 0.6 * e.stretch)
    let width = person.mouthWidth * (1 + 0.22 * smile + 0.25 * e.stretch - 0.32 * narrowing)
    inverseWidth = Float(1 / width)
    raise = Float(0.06 * e.smile)
    bend = Float(0.02 - 0.16 * e.smile)
    // 0 while the mouth is shut, 1 soon after it opens.
    let open = smoothstep(e.mouth / 0.10)
    up = Float(0.02 * e.mouth)
    down = Float(open * 0.02 + 0.26 * e.mouth)
    sneer = Float(0.045 * e.sneer)
    let thin = 1 - 0.45 * e.stretch
    upperLip = Float(0.070 * thin)
    lowerLip = Float(0.095 * thin)
    upperColour = person.skin.scaled(0.78, 0.55, 0.55)
    lowerColour = upperColour.scaled(1.12)
    teeth = Float(min(1, max(max(0.25 * e.mouth, 0.9 * smile * open), max(0.9 * e.sneer, 0.8 * e.stretch * open))))
    tongue = Float(smoothstep((e.mouth - 0.35) / 0.4))
    box = head.box(0, 0.66, Float(width) * 1.25 + 0.06, 0.46)
  }

  func paint(_ row: FaceRow) {
    for i in row.columns(box) { paint(row, i) }
  }

  private func paint(_ row: FaceRow, _ i: Int) {
    let s = row.planes
    let x = s.uf[i] * inverseWidth
    let y = s.vf[i] - middle
    let square = x * x
    guard square < 1.5 else { return }
    let light = s.light[i]
    let cover = s.cover[i]
    let arch = PixelArithmetic.maximum(1 - square, 0)
    let centre = raise + bend * square
    let curl = (abs(x) - 0.35) * 4
    let top = centre - up * arch - sneer * PixelArithmetic.gaussian(curl, 0) * arch
    let bottom = centre + down * arch

    // The corners lie in shadow.
    let cornerX = (abs(x) - 1.0) * 9
    let cornerY = (y - raise - bend) * 28
    let corner = 0.40 * PixelArithmetic.gaussian(cornerX, cornerY)
    s.mix(i, Self.line, light, corner * cover)

    guard square < 1 else { return }
    // Cupid's bow: a dip in the middle of the upper lip.
    let bow = 1 - 0.22 * PixelArithmetic.gaussian(x * 7, 0)
    let upperEdge = top - upperLip * arch * bow
    let lowerEdge = bottom + lowerLip * arch * (1.2 - 0.2 * arch)
    let upper = head.coverage(PixelArithmetic.maximum(upperEdge - y, y - top))
    let lower = head.coverage(PixelArithmetic.maximum(bottom - y, y - lowerEdge))
    let gleam = 1 + 0.20 * PixelArithmetic.gaussian(x * 3.2, (y - bottom - 0.45 * lowerLip) * 40)
    s.mix(i, upperColour, light * 0.94, upper * cover)
    s.mix(i, lowerColour, light * gleam, lower * cover)

    let opening = head.coverage(PixelArithmetic.maximum(top - y, y - bottom)) * cover
    if opening > 0 {
      s.mix(i, Self.inside, 1, opening)
      let depth = bottom - top
      // The tongue rises from the bottom of a wide opening; the teeth hang from its top.
      let tongueTop = bottom - 0.38 * depth * PixelArithmetic.maximum(1 - 1.6 * square, 0)
      s.mix(i, Self.tongueColour, 0.9, 0.8 * tongue * opening * head.coverage(tongueTop - y))
      let height = PixelArithmetic.minimum(0.10, 0.75 * depth)
      let tooth = head.coverage(y - top - height)
      s.mix(i, Self.teethColour, 0.72 + 0.28 * arch, teeth * opening * tooth)
    }
    let parting = head.coverage(abs(y - top) - 0.018 * (0.35 + 0.65 * arch))
    s.mix(i, Self.line, 1, 0.85 * parting * cover)
  }
}

/// Hair and ears: the cap and the ears behind the face, the hair that falls on the forehead.
struct HairPaint {
  private let head: HeadGeometry
  private let hair: Colour
  private let skin: Colour
  private let hairline: Float
  private let end: Float
  private let earBox: [PixelBox]

  init(_ person: Person, _ head: HeadGeometry) {
    self.head = head
    hair = person.hair
    skin = person.skin
    hairline = Float(person.hairline)
    end = Float(person.hairEnd)
    earBox = [head.box(-1, -0.05, 0.18, 0.32), head.box(1, -0.05, 0.18, 0.32)]
  }

  /// The cap of hair and the ears.
  func paintBehind(_ row: FaceRow) {
    let s = row.planes
    for i in row.span {
      let alpha = cap(s.u[i], s.v[i]) * PixelArithmetic.smoothstep((end + 0.15 - s.v[i]) * 5)
      s.mix(i, hair, sheen(s.u[i], s.v[i]) * 0.9, alpha)
    }
    for (index, box) in earBox.enumerated() {
      let side: Float = index == 0 ? -1 : 1
      for i in row.columns(box) {
        let a = (s.u[i] - side) / 0.13
        let b = (s.v[i] + 0.05) / 0.27
        let alpha = head.coverage(ellipse: a, b, 0.13, 0.27)
        let hollow = 1 - 0.30 * PixelArithmetic.gaussian((a - 0.35 * side) * 2.4, b * 1.7)
        s.mix(i, skin, 0.8 * hollow, alpha)
      }
    }
  }

  /// The hair above the hairline.
  func paintFront(_ row: FaceRow) {
    let s = row.planes
    guard (Float(row.y) + 0.5 - head.y) * head.unit < 0.5 else { return }
    for i in row.span {
      let u = s.u[i]
      let v = s.v[i]
      let side = PixelArithmetic.maximum(abs(u) - 0.55, 0)
      let edge = hairline + 1.1 * side * side.squareRoot() + 0.03 * PixelArithmetic.sin(9 * u + 1)
      let above = PixelArithmetic.clamp(0.5 - (v - edge) * head.radius * 0.5)
      // A soft shadow on the forehead below the hair.
      let shadow = 0.22 * PixelArithmetic.smoothstep(1 - (v - edge) * 8) * s.cover[i]
      s.red[i] *= 1 - shadow
      s.green[i] *= 1 - shadow
      s.blue[i] *= 1 - shadow
      s.mix(i, hair, sheen(u, v), above * cap(u, v))
    }
  }

  /// How much of a pixel the cap covers.
  @inline(__always)
  private func cap(_ u: Float, _ v: Float) -> Float {
    head.coverage(ellipse: u / 1.13, (v + 0.28) / 1.28, 1.13, 1.28)
  }

  /// Strands and the light on them.
  @inline(__always)
  private func sheen(_ u: Float, _ v: Float) -> Float {
    let strand = PixelArithmetic.sin(38 * u + 6 * u * v) + 0.6 * PixelArithmetic.sin(71 * u - 9 * u * v + 2)
    let x = (u - 0.6 * head.light.x) * 2.2
    let y = (v + 1.12) * 4
    return 0.92 + 0.07 * strand + 0.45 * PixelArithmetic.gaussian(x, y)
  }
}

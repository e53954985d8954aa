/// The face's skin: soft shading and wrinkles, all of which multiply the light.
struct SkinShading {
  /// A Gaussian that brightens (amount > 0) or darkens the skin around a point.
  private struct Spot {
    let u, v, inverseU, inverseV, amount: Float
    let box: PixelBox
  }

  private let spots: [Spot]
  private let skin: Colour
  private let head: HeadGeometry
  private let noseBox: PixelBox
  private let foldBox: PixelBox
  private let foldDepth: Float
  private let foldShift: Float

  init(_ person: Person, _ expression: FacialExpression, _ head: HeadGeometry) {
    self.head = head
    skin = person.skin
    var spots: [Spot] = []
    func add(_ u: Double, _ v: Double, _ sigmaU: Double, _ sigmaV: Double, _ amount: Double) {
      guard amount != 0 else { return }
      // Beyond 3.6 sigma a spot is below a thousandth and cannot change a level.
      spots.append(
        Spot(
          u: Float(u), v: Float(v), inverseU: Float(1 / sigmaU), inverseV: Float(1 / sigmaV), amount: Float(amount),
          box: head.box(Float(u), Float(v), Float(3.6 * sigmaU), Float(3.6 * sigmaV))))
    }
    func addPair(_ u: Double, _ v: Double, _ sigmaU: Double, _ sigmaV: Double, _ amount: Double) {
      add(-u, v, sigmaU, sigmaV, amount)
      add(u, v, sigmaU, sigmaV, amount)
    }
    let e = expression
    // Eye sockets, between the eyes, cheeks.
    addPair(person.eyeDistance, -0.27, 0.25, 0.13, -0.30)
    add(0, -0.25, 0.16, 0.14, -0.10)
    addPair(0.52, 0.22 - 0.06 * e.smile, 0.24, 0.18, 0.10)
    // The nose: shadow below the tip, the tip, wings and nostrils, all lifted by a sneer.
    let lift = 0.05 * e.sneer
    add(0, 0.34 - lift, 0.20, 0.055, -0.30)
    add(0, 0.19 - lift, 0.09, 0.07, 0.12)
    addPair(0.22, 0.26 - lift, 0.035, 0.07, -0.24)
    addPair(0.095, 0.30 - lift, 0.045, 0.025, -0.55)
    // Under the lip, the chin.
    let lower = 0.60 + 0.04 * e.mouth + 0.16 * e.mouth
    add(0, lower + 0.20, 0.22, 0.055, -0.20)
    add(0, lower + 0.38, 0.20, 0.10, 0.08)
    // Wrinkles of the frown, the nose and the forehead.
    addPair(0.07, -0.45, 0.02, 0.09, -0.35 * e.frown)
    for v in [-0.16, -0.09, -0.02] { add(0, v, 0.10, 0.018, -0.28 * e.sneer) }
    for v in [-0.68, -0.76, -0.84] { add(0, v, 0.30, 0.016, -0.08 * (e.outerBrow + e.innerBrow)) }
    self.spots = spots
    noseBox = head.box(0, -0.02, 0.40, 0.36)
    foldBox = head.box(0, 0.42, 0.66, 0.30)
    foldDepth = Float(0.05 + 0.22 * max(e.smile, 0) + 0.20 * e.sneer)
    foldShift = Float(0.06 * e.smile)
  }

  /// Shades the row's skin and lays it over what is there.
  func paint(_ row: FaceRow) {
    let s = row.planes
    for spot in spots {
      for i in row.columns(spot.box) {
        let a = (s.uf[i] - spot.u) * spot.inverseU
        let b = (s.vf[i] - spot.v) * spot.inverseV
        s.shade[i] *= 1 + spot.amount * PixelArithmetic.gaussian(a, b)
      }
    }
    shadeNose(row)
    shadeFolds(row)
    for i in row.span {
      s.mix(i, skin, s.shade[i], s.cover[i])
    }
  }

  /// The ridge of the nose and its sides.
  private func shadeNose(_ row: FaceRow) {
    let s = row.planes
    for i in row.columns(noseBox) {
      let u = s.uf[i]
      let distance = abs(s.vf[i] + 0.02)
      let window = PixelArithmetic.smoothstep((0.33 - distance) * 7.2)
      let ridge = u * 15.384615
      let side = (abs(u) - 0.17) * 16.666667
      s.shade[i] *= 1 + 0.13 * window * PixelArithmetic.gaussian(ridge, 0)
      s.shade[i] *= 1 - 0.16 * window * PixelArithmetic.gaussian(side, 0)
    }
  }

  /// The folds from the nose to the corners of the mouth.
  private func shadeFolds(_ row: FaceRow) {
    let s = row.planes
    for i in row.columns(foldBox) {
      let v = s.vf[i]
      let line = 0.20 + 0.62 * (v - 0.22) + foldShift
      let across = (abs(s.uf[i]) - line) * 22.222222
      let window = PixelArithmetic.smoothstep((v - 0.20) * 12) * PixelArithmetic.smoothstep((0.66 - v) * 9)
      s.shade[i] *= 1 - foldDepth * window * PixelArithmetic.gaussian(across, 0)
    }
  }
}

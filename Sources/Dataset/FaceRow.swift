import ERIFormat

/// The arrays in which one row of a picture is painted.
///
/// A value, not a class: loops over it know that writing pixels does not move the arrays, and become vector code.
struct RowPlanes {
  let width: Int
  /// The colours so far.
  let red, green, blue: UnsafeMutablePointer<Float>
  /// Face coordinates, the same shifted by yaw and pitch, the light that falls on the skin, its shading, and how much
  /// of the pixel the face covers.
  let u, v, uf, vf, light, shade, cover: UnsafeMutablePointer<Float>

  fileprivate static let count = 10

  fileprivate init(_ memory: UnsafeMutablePointer<Float>, width: Int) {
    self.width = width
    red = memory
    green = memory + width
    blue = memory + 2 * width
    u = memory + 3 * width
    v = memory + 4 * width
    uf = memory + 5 * width
    vf = memory + 6 * width
    light = memory + 7 * width
    shade = memory + 8 * width
    cover = memory + 9 * width
  }

  /// Lays a colour over a pixel with the given opacity.
  @inline(__always)
  func mix(_ i: Int, _ colour: Colour, _ shade: Float, _ alpha: Float) {
    red[i] += (colour.red * shade - red[i]) * alpha
    green[i] += (colour.green * shade - green[i]) * alpha
    blue[i] += (colour.blue * shade - blue[i]) * alpha
  }
}

/// Owns the memory of a row's arrays.
final class RowScratch {
  let planes: RowPlanes
  private let memory: UnsafeMutablePointer<Float>

  init(width: Int) {
    memory = .allocate(capacity: RowPlanes.count * width)
    memory.initialize(repeating: 0, count: RowPlanes.count * width)
    planes = RowPlanes(memory, width: width)
  }

  deinit { memory.deallocate() }
}

/// The place of a head in a frame, in `Float` for the pixel loops.
struct HeadGeometry {
  let x, y, radius: Float
  /// 1 / radius.
  let unit: Float
  let cosine, sine: Float
  /// How far a point of height 1 moves by yaw and pitch.
  let shiftU, shiftV: Float
  /// Height of the face below and above its centre, the jaw drop included.
  let chin, crown: Float
  let jaw: Float
  let light: SIMD3<Float>

  init(_ person: Person, _ pose: FacePose, _ expression: FacialExpression) {
    let roll = pose.roll + expression.roll
    x = Float(pose.x)
    y = Float(pose.y)
    radius = Float(pose.radius)
    unit = Float(1 / pose.radius)
    cosine = Float(DeterministicMath.cos(roll))
    sine = Float(DeterministicMath.sin(roll))
    shiftU = Float(0.45 * pose.yaw)
    shiftV = Float(0.40 * (pose.pitch + expression.pitch))
    chin = Float(person.chin + 0.16 * expression.mouth)
    crown = Float(person.crown)
    jaw = Float(person.jaw)
    light = SIMD3<Float>(person.light)
  }

  /// How much of a pixel lies inside, for a signed distance from the edge in face units, negative inside.
  @inline(__always)
  func coverage(_ distance: Float) -> Float { PixelArithmetic.clamp(0.5 - distance * radius) }

  /// How much of a pixel lies inside an ellipse; `a` and `b` are the coordinates divided by the radii.
  @inline(__always)
  func coverage(ellipse a: Float, _ b: Float, _ radiusU: Float, _ radiusV: Float) -> Float {
    // Value over gradient of a² + b² − 1: the distance to first order near the edge. The small term avoids 0 / 0.
    let slopeU = a / radiusU
    let slopeV = b / radiusV
    let slope = 2 * (slopeU * slopeU + slopeV * slopeV + 1e-6).squareRoot()
    return coverage((a * a + b * b - 1) / slope)
  }

  /// The columns of a row that the head with its hair can touch.
  func span(ofRow row: Int, width: Int) -> Range<Int> {
    let reach: Float = 1.75 * radius
    let dy = Float(row) + 0.5 - y
    guard dy > -reach, dy < reach else { return 0..<0 }
    return columns(from: x - 1.5 * radius, to: x + 1.5 * radius, width: width)
  }

  /// The columns between two places in pixels, cut at the picture's edges.
  func columns(from lower: Float, to upper: Float, width: Int) -> Range<Int> {
    let limit = Float(width)
    let first = Int(PixelArithmetic.minimum(PixelArithmetic.maximum(lower, 0), limit))
    let last = Int(PixelArithmetic.minimum(PixelArithmetic.maximum(upper + 1, 0), limit))
    return first..<max(first, last)
  }

  /// The part of a picture that can show what lies within (`halfU`, `halfV`) of a point in feature coordinates.
  func box(_ u: Float, _ v: Float, _ halfU: Float, _ halfV: Float) -> PixelBox {
    // A point's height is between 0 and 1, so it moves by up to the whole shift.
    let centreU = u + 0.5 * shiftU
    let centreV = v + 0.5 * shiftV
    let reachU = halfU + 0.5 * abs(shiftU)
    let reachV = halfV + 0.5 * abs(shiftV)
    let centreX = x + radius * (cosine * centreU - sine * centreV)
    let centreY = y + radius * (sine * centreU + cosine * centreV)
    let reachX = radius * (abs(cosine) * reachU + abs(sine) * reachV) + 1
    let reachY = radius * (abs(sine) * reachU + abs(cosine) * reachV) + 1
    return PixelBox(
      left: centreX - reachX, right: centreX + reachX, top: centreY - reachY, bottom: centreY + reachY)
  }
}

/// A rectangle of a picture, in pixels.
struct PixelBox {
  let left, right, top, bottom: Float
}

/// The part of one row where the head is.
struct FaceRow {
  let planes: RowPlanes
  let y: Int
  let span: Range<Int>

  init(_ planes: RowPlanes, y: Int, span: Range<Int>) {
    (self.planes, self.y, self.span) = (planes, y, span)
  }

  /// Fills the coordinates, the light and the face's coverage.
  func place(_ head: HeadGeometry) {
    let s = planes
    let dy = (Float(y) + 0.5 - head.y) * head.unit
    let light = head.light
    for i in span {
      let dx = (Float(i) + 0.5 - head.x) * head.unit
      let u = head.cosine * dx + head.sine * dy
      let v = head.cosine * dy - head.sine * dx
      let halfHeight = v > 0 ? head.chin : head.crown
      let halfWidth = 1 - head.jaw * PixelArithmetic.smoothstep((v - 0.1) / 1.2)
      let a = u / halfWidth
      let b = v / halfHeight
      let q = a * a + b * b
      let z = PixelArithmetic.maximum(1 - q, 0).squareRoot()
      s.u[i] = u
      s.v[i] = v
      s.uf[i] = u - head.shiftU * z
      s.vf[i] = v - head.shiftV * z
      s.cover[i] = head.coverage(ellipse: a, b, halfWidth, halfHeight)
      let nx = 0.9 * u
      let ny = 0.75 * b
      let nz = z + 0.25
      let facing = nx * light.x + ny * light.y + nz * light.z
      let length = (nx * nx + ny * ny + nz * nz).squareRoot()
      s.light[i] = 0.62 + 0.48 * PixelArithmetic.maximum(facing / length, 0)
      s.shade[i] = s.light[i]
    }
  }

  /// The columns of this row inside a box, empty if the row is not.
  @inline(__always)
  func columns(_ box: PixelBox) -> Range<Int> {
    let centre = Float(y) + 0.5
    guard centre >= box.top, centre <= box.bottom else { return 0..<0 }
    let lower = Float(span.lowerBound)
    let upper = Float(span.upperBound)
    let first = Int(PixelArithmetic.minimum(PixelArithmetic.maximum(box.left, lower), upper))
    let last = Int(PixelArithmetic.minimum(PixelArithmetic.maximum(box.right + 1, lower), upper))
    return first..<max(first, last)
  }
}

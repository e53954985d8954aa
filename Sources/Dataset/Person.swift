package import ERIFormat

/// A colour of three channels in 0 … 255.
package struct Colour: Sendable, Equatable {
  package var red: Float
  package var green: Float
  package var blue: Float

  package init(_ red: Float, _ green: Float, _ blue: Float) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  func scaled(_ red: Float, _ green: Float, _ blue: Float) -> Colour {
    Colour(self.red * red, self.green * green, self.blue * blue)
  }

  func scaled(_ factor: Float) -> Colour { scaled(factor, factor, factor) }

  /// This colour at 0, `other` at 1, and what lies between.
  func blended(with other: Colour, _ t: Float) -> Colour {
    Colour(red + (other.red - red) * t, green + (other.green - green) * t, blue + (other.blue - blue) * t)
  }
}

/// One of the soft spots of a background; centre and sigma as parts of the frame, amplitude in levels per channel.
struct BackgroundSpot: Sendable, Equatable {
  var x: Double
  var y: Double
  var sigma: Double
  var amplitude: Colour
}

/// What stays the same in a clip: a head, its colours, the light and the background.
///
/// Lengths are in units of half the face's width.
package struct Person: Sendable, Equatable {
  /// Height of the face below and above its centre.
  var chin: Double
  var crown: Double
  /// How much the face narrows towards the chin.
  var jaw: Double
  /// Distance of the eyes from the middle.
  var eyeDistance: Double
  /// Half thickness of the brows at their inner end.
  var browThickness: Double
  /// Half width of the mouth at rest.
  var mouthWidth: Double
  /// Height of the hairline (up is negative) and where the hair ends at the sides.
  var hairline: Double
  var hairEnd: Double
  /// Half the face's width as a part of the frame's height.
  package var size: Double
  /// Direction of the light, of length 1: right, down, towards the viewer.
  var light: SIMD3<Double>
  var skin: Colour
  var hair: Colour
  var iris: Colour
  var cloth: Colour
  var backgroundTop: Colour
  var backgroundBottom: Colour
  var spots: [BackgroundSpot]

  package init(random: inout SeededRandom) {
    func uniform(_ lower: Double, _ upper: Double) -> Double { random.uniform(in: lower...upper) }
    func colour(_ lower: Double, _ upper: Double) -> Colour {
      Colour(Float(uniform(lower, upper)), Float(uniform(lower, upper)), Float(uniform(lower, upper)))
    }
    chin = uniform(1.28, 1.42)
    crown = chin - 0.02
    jaw = uniform(0.10, 0.22)
    eyeDistance = uniform(0.40, 0.45)
    browThickness = uniform(0.050, 0.075)
    mouthWidth = uniform(0.34, 0.40)
    hairline = uniform(-0.98, -0.80)
    hairEnd = uniform(-0.1, 0.3)
    size = uniform(44, 60) / 240
    let side = uniform(0, 1) < 0.5 ? -0.45 : 0.45
    let height = uniform(-0.55, -0.15)
    let length = (side * side + height * height + 0.85 * 0.85).squareRoot()
    light = SIMD3(side, height, 0.85) / length
    skin = Colour(236, 196, 168).blended(with: Colour(120, 80, 58), Float(uniform(0, 1)))
    hair = Colour(28, 22, 20).blended(with: Colour(120, 84, 48), Float(uniform(0, 1)))
    let irises = [Colour(66, 44, 28), Colour(92, 66, 36), Colour(66, 92, 62), Colour(70, 102, 136)]
    iris = irises[min(Int(uniform(0, 4)), 3)].scaled(Float(uniform(0.85, 1.15)))
    cloth = colour(24, 210)
    // Half of a wall's colour is grey.
    let wall = Float(uniform(70, 180))
    backgroundTop = colour(40, 210).blended(with: Colour(wall, wall, wall), 0.5)
    backgroundBottom = colour(25, 180).blended(with: Colour(wall, wall, wall), 0.5)
    spots = (0..<4).map { _ in
      BackgroundSpot(
        x: uniform(0, 1), y: uniform(0, 1), sigma: uniform(0.05, 0.25),
        amplitude: colour(-30, 30))
    }
  }
}

/// Where a head is and where it looks in one frame.
package struct FacePose: Sendable, Equatable {
  /// Centre of the face in pixels.
  package var x: Double
  package var y: Double
  /// Half the face's width in pixels.
  package var radius: Double
  /// Radians: clockwise in the picture, to its right, downwards.
  package var roll = 0.0
  package var yaw = 0.0
  package var pitch = 0.0
  /// Direction of the eyes, −1 … 1.
  package var gazeX = 0.0
  package var gazeY = 0.0
  /// 0 with open eyes, 1 with closed ones.
  package var blink = 0.0

  package init(x: Double, y: Double, radius: Double) {
    (self.x, self.y, self.radius) = (x, y, radius)
  }
}

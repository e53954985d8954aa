/// What moves in a face: the muscles of an expression and the head's share in it.
package struct FacialExpression: Sendable, Equatable {
  /// Corners of the mouth, −1 (down) … 1 (up).
  package var smile = 0.0
  /// Inner and outer ends of the brows raised, 0 … 1.
  package var innerBrow = 0.0
  package var outerBrow = 0.0
  /// Brows drawn together and down, 0 … 1.
  package var frown = 0.0
  /// Upper lip and nose drawn up, 0 … 1.
  package var sneer = 0.0
  /// Mouth drawn wide and thin, 0 … 1.
  package var stretch = 0.0
  /// Jaw dropped, 0 … 1.
  package var mouth = 0.0
  /// Opening of the eyes, 1 at rest, 0.15 … 1.6.
  package var eye = 1.0
  /// What the expression adds to the head's roll and pitch, radians.
  package var roll = 0.0
  package var pitch = 0.0
  /// Strength of a sideways glance, 0 … 1.
  package var glance = 0.0

  package init() {}

  /// The face of a mixture of reactions: the neutral face plus each emotion's row times its intensity, clamped.
  package init(_ intensities: Intensities) {
    for emotion in Emotion.allCases {
      add(Self.row(of: emotion), times: intensities[emotion])
    }
    smile = min(max(smile, -1), 1)
    eye = min(max(eye, 0.15), 1.6)
    roll = min(max(roll, -0.3), 0.3)
    pitch = min(max(pitch, -0.35), 0.35)
    innerBrow = min(max(innerBrow, 0), 1)
    outerBrow = min(max(outerBrow, 0), 1)
    frown = min(max(frown, 0), 1)
    sneer = min(max(sneer, 0), 1)
    stretch = min(max(stretch, 0), 1)
    mouth = min(max(mouth, 0), 1)
    glance = min(max(glance, 0), 1)
  }

  private mutating func add(_ row: FacialExpression, times intensity: Double) {
    smile += intensity * row.smile
    innerBrow += intensity * row.innerBrow
    outerBrow += intensity * row.outerBrow
    frown += intensity * row.frown
    sneer += intensity * row.sneer
    stretch += intensity * row.stretch
    mouth += intensity * row.mouth
    eye += intensity * (row.eye - 1)
    roll += intensity * row.roll
    pitch += intensity * row.pitch
    glance += intensity * row.glance
  }

  /// What one emotion at full intensity does to a neutral face.
  private static func row(of emotion: Emotion) -> FacialExpression {
    var row = FacialExpression()
    switch emotion {
    case .adoration:
      (row.smile, row.innerBrow, row.eye, row.roll) = (0.55, 0.35, 0.78, 0.17)
    case .amusement:
      (row.smile, row.mouth, row.eye, row.pitch) = (0.95, 0.45, 0.60, -0.10)
    case .anxiety:
      (row.innerBrow, row.frown, row.stretch, row.smile) = (0.70, 0.45, 0.55, -0.15)
      (row.glance, row.eye) = (0.8, 1.10)
    case .disgust:
      (row.sneer, row.frown, row.eye, row.smile) = (0.95, 0.70, 0.70, -0.40)
    case .empathicPain:
      (row.frown, row.innerBrow, row.eye, row.stretch) = (0.55, 0.45, 0.35, 0.60)
      (row.mouth, row.pitch, row.smile) = (0.22, 0.22, -0.25)
    case .fear:
      (row.innerBrow, row.outerBrow, row.frown) = (0.55, 0.55, 0.35)
      (row.eye, row.mouth, row.stretch) = (1.45, 0.30, 0.80)
    case .surprise:
      (row.outerBrow, row.innerBrow, row.eye) = (0.95, 0.60, 1.55)
      (row.mouth, row.pitch) = (0.90, -0.15)
    }
    return row
  }
}

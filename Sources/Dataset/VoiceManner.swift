import ERIFormat

/// How someone speaks: what a reaction does to a neutral voice.
struct VoiceManner: Sendable, Equatable {
  /// Part of white noise in the source.
  var breath = 0.06
  /// Level in dB.
  var level = 0.0
  /// Softness of the source's spectrum: more is duller.
  var tilt = 0.0
  /// Syllables per second.
  var rate = 3.6
  /// Natural logarithm of the pitch's factor.
  var pitch = 0.0
  /// Depth of the pitch's movements, in the same measure.
  var range = 0.12
  /// Chance that a syllable is a laugh.
  var laugh = 0.0
  /// Irregularity of the periods.
  var jitter = 0.008
  /// Depth of a 6 Hz tremor.
  var tremor = 0.0
  /// Mean length of a pause in seconds.
  var pause = 0.25
  /// Relative shift of the formants.
  var formants = 0.0

  /// The neutral voice.
  init() {}

  /// The voice of a mixture of reactions. Disgust and Empathic-Pain leave it unchanged: they show in the face alone.
  init(_ intensities: Intensities) {
    for emotion in Emotion.allCases {
      add(emotion, intensities[emotion])
    }
    rate = max(rate, 1.5)
    laugh = min(laugh, 1)
  }

  private mutating func add(_ emotion: Emotion, _ intensity: Double) {
    switch emotion {
    case .adoration:
      breath += 0.30 * intensity
      level -= 5 * intensity
      tilt += 0.5 * intensity
      rate -= 0.8 * intensity
      pitch += 0.06 * intensity
    case .amusement:
      laugh += 0.9 * intensity
      pitch += 0.22 * intensity
      range += 0.15 * intensity
      level += 4 * intensity
      rate += intensity
    case .anxiety:
      jitter += 0.035 * intensity
      tremor += 0.25 * intensity
      rate += 1.6 * intensity
      level -= 3 * intensity
      tilt -= 0.35 * intensity
      pause += 0.15 * intensity
    case .fear:
      pitch += 0.45 * intensity
      breath += 0.18 * intensity
      formants += 0.10 * intensity
      range += 0.10 * intensity
      tilt -= 0.5 * intensity
    case .surprise:
      range += 0.45 * intensity
      level += 6 * intensity
      pitch += 0.15 * intensity
      formants += 0.05 * intensity
      rate -= 0.6 * intensity
      pause += 0.10 * intensity
    case .disgust, .empathicPain:
      break
    }
  }
}

/// Whose voice it is.
struct Speaker: Sendable, Equatable {
  /// Mean pitch in Hz, 95 … 235.
  let pitch: Double
  /// Factor on the formants: a shorter vocal tract with a higher voice.
  let tract: Double
  /// Loudness in dB.
  let level: Double
  let tilt: Double
  /// Amplitude of the room's noise.
  let noise: Double

  init(random: inout SeededRandom) {
    pitch = random.uniform(in: 95...235)
    tract = 1 + 0.17 * (pitch - 95) / 140 + 0.02 * random.normal()
    level = min(max(1.5 * random.normal(), -3), 3)
    tilt = 0.1 * random.normal()
    noise = Decibels.amplitude(random.uniform(in: -66...(-54)))
  }
}

enum Decibels {
  /// The factor that a level in dB stands for.
  static func amplitude(_ level: Double) -> Double {
    DeterministicMath.exp(level * 0.11512925464970229)
  }
}

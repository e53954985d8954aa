import ERIFormat

/// A voice by source and filter: pulses and breath through a low-pass and five resonators, syllable after syllable.
///
/// Everything runs in `Double` at 22,050 Hz.
struct VoiceSynthesis {
  static let sampleRate = 22_050.0
  /// The first three formants of six vowels in Hz; the upper two are common to all.
  private static let vowels: [[Double]] = [
    [730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240], [660, 1720, 2410],
  ]
  private static let upperFormants = [3500.0, 4500.0]
  private static let bandwidths = [80.0, 100, 140, 190, 250]

  /// One stretch of sound.
  private struct Syllable {
    var start: Int
    var count: Int
    var vowel: Int
    var isLaugh: Bool
    var level: Double
    /// What this syllable's pitch adds to the logarithm.
    var pitch: Double
  }

  /// Two poles with a gain of 1 at 0 Hz.
  private struct Resonator {
    private let gain, first, second: Double
    private var y1 = 0.0
    private var y2 = 0.0

    init(frequency: Double, bandwidth: Double) {
      let radius = DeterministicMath.exp(-DeterministicMath.pi * bandwidth / VoiceSynthesis.sampleRate)
      let angle = 2 * DeterministicMath.pi * frequency / VoiceSynthesis.sampleRate
      first = 2 * radius * DeterministicMath.cos(angle)
      second = -radius * radius
      gain = 1 - first - second
    }

    mutating func step(_ x: Double) -> Double {
      let y = gain * x + first * y1 + second * y2
      (y2, y1) = (y1, y)
      return y
    }
  }

  private let speaker: Speaker
  private let manner: VoiceManner
  private var random: SeededRandom
  private let pitchPhase: Double
  private let tremorPhase: Double

  init(speaker: Speaker, manner: VoiceManner, random: SeededRandom) {
    (self.speaker, self.manner, self.random) = (speaker, manner, random)
    pitchPhase = self.random.uniform(in: 0...(2 * DeterministicMath.pi))
    tremorPhase = self.random.uniform(in: 0...(2 * DeterministicMath.pi))
  }

  /// `count` samples, none of which reaches 1 in amount.
  mutating func samples(count: Int) -> [Float] {
    var sound = [Double](repeating: 0, count: count)
    var position = Int(random.uniform(in: 0.02...0.2) * Self.sampleRate)
    while position < count {
      let (syllable, gap) = nextSyllable(at: position)
      speak(syllable, into: &sound)
      position = syllable.start + syllable.count + gap
    }
    return sound.map { value in
      Float(Self.limited(value + speaker.noise * random.normal()))
    }
  }

  /// Leaves amounts up to 0.7 as they are and brings all others below 1.
  private static func limited(_ value: Double) -> Double {
    let size = abs(value)
    guard size > 0.7 else { return value }
    let excess = (size - 0.7) / 0.3
    let result = min(0.7 + 0.3 * excess / (1 + excess), 0.999)
    return value < 0 ? -result : result
  }

  /// Decides on the next syllable and the gap after it, in samples.
  private mutating func nextSyllable(at start: Int) -> (Syllable, gap: Int) {
    // All are drawn in every case, so that the manner of speaking changes no later choice.
    let isLaugh = random.bernoulli(manner.laugh)
    let vowel = random.index(below: Self.vowels.count)
    let stretch = random.uniform(in: 0.75...1.3)
    let pauses = random.bernoulli(0.3)
    let pause = min(random.exponential(mean: 1), 6)
    let level = min(max(random.normal(), -2.5), 2.5)
    let pitch = 0.05 * random.normal()
    let length = isLaugh ? 0.12 : stretch / manner.rate
    let gap = isLaugh ? 0.08 : (pauses ? pause * manner.pause : 0.02)
    let syllable = Syllable(
      start: start, count: Int(length * Self.sampleRate), vowel: isLaugh ? 0 : vowel, isLaugh: isLaugh, level: level,
      pitch: pitch)
    return (syllable, Int(gap * Self.sampleRate))
  }

  /// Adds a syllable to the sound.
  private mutating func speak(_ syllable: Syllable, into sound: inout [Double]) {
    let end = min(syllable.start + syllable.count, sound.count)
    guard syllable.start < end else { return }
    let formantFactor = speaker.tract * (1 + manner.formants)
    let frequencies = Self.vowels[syllable.vowel] + Self.upperFormants
    var resonators = zip(frequencies, Self.bandwidths).map { frequency, bandwidth in
      Resonator(frequency: frequency * formantFactor, bandwidth: bandwidth)
    }
    let softness = min(max(0.45 + 0.35 * (manner.tilt + speaker.tilt), 0), 0.95)
    let scale = 0.035 * Decibels.amplitude(manner.level + speaker.level + syllable.level)
    let attack = 0.030 * Self.sampleRate
    let release = 0.050 * Self.sampleRate
    let fall = manner.range * (syllable.isLaugh ? 2 : 1)
    let sway = 2 * DeterministicMath.pi * 0.35 / Self.sampleRate
    let tremble = 2 * DeterministicMath.pi * 6 / Self.sampleRate

    var phase = 0.0
    var periodFactor = 1.0
    var pulseFactor = 1.0
    var lastFlow = 0.0
    var lowPassed = 0.0
    for n in syllable.start..<end {
      let place = Double(n - syllable.start)
      let x = place / Double(syllable.count)
      let tremor = DeterministicMath.sin(tremble * Double(n) + tremorPhase)
      let melody = manner.range * DeterministicMath.sin(sway * Double(n) + pitchPhase)
      let logPitch = manner.pitch + melody + syllable.pitch + fall * (0.5 - x)
      let frequency =
        speaker.pitch * DeterministicMath.exp(logPitch) * (1 + 0.1 * manner.tremor * tremor)

      phase += frequency * periodFactor / Self.sampleRate
      if phase >= 1 {
        phase -= 1
        periodFactor = max(1 + manner.jitter * random.normal(), 0.5)
        pulseFactor = max(1 + 2 * manner.jitter * random.normal(), 0)
      }
      let q = phase / 0.6
      let flow = q < 1 ? pulseFactor * 6.75 * q * q * (1 - q) : 0
      let voiced = 10 * (flow - lastFlow)
      lastFlow = flow
      let white = random.normal()
      let breath = manner.breath * white * (0.5 + 0.5 * DeterministicMath.sin(2 * DeterministicMath.pi * phase))
      // A laugh begins with an unvoiced third.
      let source = syllable.isLaugh && x < 1.0 / 3 ? 0.35 * white : voiced + breath

      lowPassed += (1 - softness) * (source - lowPassed)
      var value = lowPassed
      for i in resonators.indices { value = resonators[i].step(value) }
      let rise = min(place / attack, 1)
      let drop = min((Double(syllable.count) - place) / release, 1)
      sound[n] += scale * value * rise * drop * (1 + manner.tremor * tremor)
    }
  }
}

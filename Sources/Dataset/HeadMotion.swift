import ERIFormat

/// What moves in a clip whatever is felt: slow sways of the head, the eyes' wandering, blinks, glances.
struct HeadMotion: Sendable {
  /// offset + amplitude sin(2π frequency t + phase).
  private struct Sway: Sendable {
    var offset = 0.0
    var amplitude = 0.0
    var frequency = 0.0
    var phase = 0.0

    func value(at time: Double) -> Double {
      offset + amplitude * DeterministicMath.sin(2 * DeterministicMath.pi * frequency * time + phase)
    }
  }

  /// In pixels of a frame 240 high.
  private let x, y: Sway
  private let size: Sway
  private let roll, yaw, pitch, gazeX, gazeY: Sway
  /// Start times of the blinks in seconds.
  private let blinks: [Double]
  /// Times at which a glance changes its side.
  private let darts: [Double]
  private let firstSide: Double

  /// The motion of a clip of `duration` seconds.
  init(random: inout SeededRandom, duration: Double) {
    func sway(offset: Double, amplitude: Double, frequency: ClosedRange<Double>) -> Sway {
      Sway(
        offset: offset, amplitude: amplitude, frequency: random.uniform(in: frequency),
        phase: random.uniform(in: 0...(2 * DeterministicMath.pi)))
    }
    // Half of the variance lies between clips, half within one: a sine of amplitude a has the deviation a / √2.
    func wander(_ deviation: Double, _ limit: Double) -> Sway {
      let offset = random.normal() * deviation * 0.7071067811865476
      return sway(offset: min(max(offset, -limit), limit), amplitude: deviation, frequency: 0.05...0.25)
    }
    x = sway(
      offset: random.uniform(in: -10...10), amplitude: random.uniform(in: 4...14), frequency: 0.04...0.15)
    y = sway(offset: random.uniform(in: -3...3), amplitude: random.uniform(in: 2...7), frequency: 0.04...0.15)
    size = sway(offset: 1, amplitude: random.uniform(in: 0...0.05), frequency: 0.04...0.12)
    roll = wander(0.05, 0.12)
    yaw = wander(0.15, 0.30)
    pitch = wander(0.08, 0.16)
    gazeX = wander(0.3, 0.6)
    gazeY = wander(0.3, 0.6)
    blinks = Self.times(&random, until: duration, apart: 1.8...5)
    darts = Self.times(&random, until: duration, apart: 0.35...1.2)
    firstSide = random.bernoulli(0.5) ? 1 : -1
  }

  private static func times(
    _ random: inout SeededRandom, until duration: Double, apart: ClosedRange<Double>
  ) -> [Double] {
    var result: [Double] = []
    var time = random.uniform(in: apart) * 0.5
    while time < duration {
      result.append(time)
      time += random.uniform(in: apart)
    }
    return result
  }

  /// The pose at a time in seconds, in a picture of the given size.
  func pose(
    at time: Double, frameDuration: Double, person: Person, expression: FacialExpression, width: Int, height: Int
  ) -> FacePose {
    let scale = Double(height) / 240
    var pose = FacePose(
      x: Double(width) / 2 + scale * x.value(at: time), y: 0.49 * Double(height) + scale * y.value(at: time),
      radius: person.size * Double(height) * size.value(at: time))
    pose.roll = roll.value(at: time)
    pose.yaw = yaw.value(at: time)
    pose.pitch = pitch.value(at: time)
    let turns = darts.reduce(0) { $1 <= time ? $0 + 1 : $0 }
    let side = turns % 2 == 0 ? firstSide : -firstSide
    pose.gazeX = gazeX.value(at: time) + side * expression.glance
    pose.gazeY = gazeY.value(at: time)
    pose.blink = blink(at: time, frameDuration: frameDuration)
    return pose
  }

  /// A blink lasts three frames: closing, closed, opening.
  private func blink(at time: Double, frameDuration: Double) -> Double {
    for start in blinks where time >= start && time < start + 3 * frameDuration {
      let frame = Int((time - start) / frameDuration)
      return frame == 1 ? 1 : 0.6
    }
    return 0
  }
}

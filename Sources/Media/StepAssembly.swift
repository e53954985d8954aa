/// What came in one step of live pictures and sound.
package struct LiveStep: Sendable {
  /// Its number, from 0.
  package let index: Int
  /// When it ends, in seconds since the beginning.
  package let end: Double
  /// Its last picture; nil if none came in it.
  package let picture: LivePicture?
  /// The sound up to its end that was in no step before.
  package let samples: [Float]
  /// Whether nothing comes after it.
  package let isLast: Bool
}

/// Divides pictures and sound into steps of equal length.
///
/// Step k lasts from k to k + 1 lengths, counted from the first picture and from the first sample. It is whole once both have
/// passed its end; pictures and sound that are further apart than `patience` are not waited for, and what comes late is counted to
/// the next step.
package struct StepAssembly {
  private let length: Double
  private let patience: Double
  private var nextIndex = 0
  /// Of each step its last picture, in order.
  private var pictures: [LivePicture] = []
  private var samples: [Float] = []
  /// Samples given away.
  private var used = 0
  /// How far each is, in seconds: infinite at its end, and for what there is none of.
  private var pictureTime: Double
  private var soundTime: Double
  /// The end of what came.
  private var lastTime = 0.0

  /// - Parameters: length: of a step in seconds, positive · patience: seconds that one may be behind the other
  package init(length: Double, hasPictures: Bool, hasSound: Bool, patience: Double = 2) {
    self.length = length
    self.patience = patience
    pictureTime = hasPictures ? 0 : .infinity
    soundTime = hasSound ? 0 : .infinity
  }

  /// Takes a picture; of those of one step the last one stays.
  package mutating func add(_ picture: LivePicture) {
    if let last = pictures.last, step(of: last) == step(of: picture) { pictures.removeLast() }
    pictures.append(picture)
    pictureTime = max(pictureTime, picture.seconds)
    lastTime = max(lastTime, picture.seconds)
  }

  package mutating func add(_ sound: [Float]) {
    samples += sound
    soundTime = Double(used + samples.count) / Double(Sound.sampleRate)
    lastTime = max(lastTime, soundTime)
  }

  /// Says that no picture, or no sound, will come any more.
  package mutating func endPictures() { pictureTime = .infinity }
  package mutating func endSound() { soundTime = .infinity }

  /// The next step if it is whole; after both ends, what is left is one.
  package mutating func next() -> LiveStep? {
    let end = Double(nextIndex + 1) * length
    let isEnded = pictureTime == .infinity && soundTime == .infinity
    if isEnded {
      guard !pictures.isEmpty || !samples.isEmpty else { return nil }
    } else {
      let behind = min(pictureTime, soundTime)
      let ahead = pictureTime == .infinity || soundTime == .infinity ? behind : max(pictureTime, soundTime)
      guard behind >= end || ahead >= end + patience else { return nil }
    }
    var picture: LivePicture?
    while let first = pictures.first, step(of: first) < nextIndex + 1 {
      picture = first
      pictures.removeFirst()
    }
    let count = min(max(Int((end * Double(Sound.sampleRate)).rounded()) - used, 0), samples.count)
    let taken = [Float](samples[..<count])
    samples.removeFirst(count)
    used += count
    nextIndex += 1
    return LiveStep(
      index: nextIndex - 1, end: isEnded ? min(end, lastTime) : end, picture: picture, samples: taken,
      isLast: isEnded && pictures.isEmpty && samples.isEmpty)
  }

  /// A picture at a step's end belongs to the next: 0.6 s is 3 steps of 0.2 s, whatever doubles make of it.
  private func step(of picture: LivePicture) -> Int { Int(min(max(picture.seconds / length + 1e-9, 0), 1e15)) }
}

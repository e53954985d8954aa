/// Gathers decoded pieces of mono sound into one run of 22,050 samples per second, whatever the rates of the pieces.
struct SoundAssembly {
  private let path: String
  private let longestSeconds: Int
  private(set) var samples: [Float] = []
  /// Seconds received.
  private(set) var sourceSeconds = 0.0
  /// Rate and channels of the first piece.
  private(set) var first: (rate: Int, channels: Int)?
  private var latestChannels = 0
  private var resampler: SoundResampler?
  private var changes = 0
  private var undefined = 0
  private var usedPolyphase = false

  /// Accepted rates. Below a kilohertz nothing of a voice is left; none above is in use.
  static let rates = 1000...768_000

  init(path: String, longestSeconds: Int) {
    self.path = path
    self.longestSeconds = longestSeconds
  }

  /// Appends a piece; its samples that are infinite or undefined become zero in place and are counted.
  /// - Throws: `.tooLong` past the limit, `.damaged` for a rate outside `rates`, `.outOfMemory`.
  mutating func append(
    _ piece: UnsafeMutableBufferPointer<Float>, rate: Int, channels: Int
  ) throws(MediaError) {
    guard Self.rates.contains(rate) else {
      throw MediaError(
        .damaged, path: path, place: "sound track",
        expected: "\(Self.rates.lowerBound) to \(Self.rates.upperBound) samples per second", found: "\(rate)",
        advice: "convert it, for example with ffmpeg")
    }
    sourceSeconds += Double(piece.count) / Double(rate)
    guard sourceSeconds <= Double(longestSeconds) else {
      throw MediaError(
        .tooLong, path: path, place: "sound track", expected: "at most \(longestSeconds) seconds", found: "more",
        advice: "cut it into clips")
    }
    var index = 0
    while index < piece.count {
      if !piece[index].isFinite {
        piece[index] = 0
        undefined += 1
      }
      index &+= 1
    }
    if first == nil {
      first = (rate, channels)
    } else if resampler?.rate != rate || latestChannels != channels {
      changes += 1
    }
    latestChannels = channels
    if resampler?.rate != rate {
      try finishResampler()
      guard let fresh = SoundResampler(rate: rate) else { throw MediaError.outOfMemory(path) }
      resampler = fresh
      if fresh.engine == .polyphase { usedPolyphase = true }
    }
    guard resampler?.push(UnsafeBufferPointer(piece), into: &samples) ?? false else {
      throw MediaError.outOfMemory(path)
    }
  }

  /// Gives away what there is so far, as where sound is used while it comes.
  mutating func drain() -> [Float] {
    defer { samples.removeAll(keepingCapacity: true) }
    return samples
  }

  private mutating func finishResampler() throws(MediaError) {
    guard let resampler else { return }
    self.resampler = nil
    guard resampler.finish(into: &samples) else { throw MediaError.outOfMemory(path) }
  }

  /// Appends what the resampler still holds.
  /// - Returns: a sentence for each thing that was used although not as expected.
  mutating func finish() throws(MediaError) -> [String] {
    try finishResampler()
    var warnings: [String] = []
    if changes > 0 {
      warnings.append(
        "\(path), sound track: expected one sample rate and channel count, found \(counted(changes, "change")); "
          + "each part was converted by itself")
    }
    if undefined > 0 {
      warnings.append(
        "\(path), sound track: expected finite samples, found \(undefined) that are infinite or undefined; "
          + "they count as silence")
    }
    if usedPolyphase {
      warnings.append(
        "\(path), sound track: expected a libswresample with soxr, found one without; "
          + "its own filter was used, whose result differs slightly from librosa's")
    }
    return warnings
  }
}

/// "1 packet", "2 packets".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// Seconds with two decimals ("4.25").
func secondsText(_ seconds: Double) -> String {
  guard seconds.isFinite, abs(seconds) < 1e12 else { return "\(seconds)" }
  let hundredths = Int((abs(seconds) * 100).rounded())
  let fraction = hundredths % 100
  return "\(seconds < 0 && hundredths > 0 ? "-" : "")\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
}

/// Writes the mean over channels, summed in order and in single precision as librosa's `to_mono` does.
/// - Parameters:
///   - source: value of a channel at a position, full scale ±1
///   - target: fully overwritten
@inline(__always)
func mixDown(
  channels: Int, into target: UnsafeMutableBufferPointer<Float>, _ source: (_ channel: Int, _ position: Int) -> Float
) {
  let divisor = Float(channels)
  var position = 0
  while position < target.count {
    var sum = source(0, position)
    var channel = 1
    while channel < channels {
      sum += source(channel, position)
      channel &+= 1
    }
    target[position] = channels == 1 ? sum : sum / divisor
    position &+= 1
  }
}

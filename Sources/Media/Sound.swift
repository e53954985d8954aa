/// The sound of a clip: mono, 22,050 samples per second, as `librosa.load` gives it.
///
/// Files that libsndfile reads are decoded by it, all others and the tracks of videos by libavcodec. Each channel becomes
/// single precision with full scale ±1, the channels' mean is taken, and then it is resampled: the order of librosa.
package struct Sound: Equatable, Sendable {
  /// Samples per second of every `Sound`.
  package static let sampleRate = 22050
  /// Longest accepted sound in seconds: four hours, 1.3 GB of samples.
  package static let longestSeconds = 4 * 3600

  /// Mono, full scale ±1; louder where the file's floats or the resampler exceed it. Always finite, never empty.
  package let samples: [Float]
  /// Samples per second in the file; of the first part, where it changes.
  package let sourceRate: Int
  /// Channels in the file; of the first part, where it changes.
  package let channels: Int
  /// Name of the codec: libsndfile's or libavcodec's.
  package let codec: String
  /// What decoded it, such as "libsndfile-1.2.0" or "libavcodec 59.37.100".
  package let decoder: String
  /// What was used although not as expected, one sentence each: missing ends, skipped packets, a late start.
  package let warnings: [String]

  /// Seconds of `samples`.
  package var seconds: Double { Double(samples.count) / Double(Self.sampleRate) }

  /// Decodes the sound of a sound or video file.
  /// - Parameters: path: a regular file · longestSeconds: limit, at least 1
  /// - Returns: the sound, or nil if the file has pictures but no sound track.
  /// - Throws: `MediaError` if there is no such file, it is no sound or video, nothing of the track can be decoded, or it
  ///   is longer than the limit.
  package static func read(
    path: String, longestSeconds: Int = Sound.longestSeconds
  ) throws(MediaError) -> Sound? {
    try checkRegularFile(path)
    if let sound = try SoundFile.read(path, longestSeconds: longestSeconds) { return sound }
    return try SoundTrack.read(path, longestSeconds: longestSeconds)
  }
}

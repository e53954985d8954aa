/// What is known of a clip's pictures, with or without a face.
package struct VideoSummary: Equatable, Sendable {
  /// Decoded pictures; never the header's count.
  package var frames: Int
  /// Pictures in which the face was detected, or lies between two detections at most three pictures apart.
  package var framesWithFace: Int
  /// From the first picture's time to the end of the last.
  package var seconds: Double
  /// Size as shown: upright, square pixels, of the first picture.
  package var width: Int
  package var height: Int
  /// Short name of the codec ("h264").
  package var codec: String
  /// One sentence each, without the path: what was skipped, repaired, rounded or guessed.
  package var warnings: [String]
  /// Wall-clock milliseconds of each stage.
  package var decodeMilliseconds: Double
  package var detectMilliseconds: Double
  package var cropMilliseconds: Double
}

/// What a clip's video part gave.
package enum VideoOutcome: Sendable {
  /// The file has sound only.
  case noVideo
  /// There are pictures, but no face in any that was searched.
  case noFace(VideoSummary)
  case face(FaceTrack)
}

/// The face of a clip: where it is in every picture, and its crops from the sampled ones.
package struct FaceTrack: Sendable {
  package var video: VideoSummary
  /// One box per picture, in pixels of the shown picture; gaps are interpolated.
  package var boxes: [FaceBox]
  /// The sampled pictures, one per step.
  package var sampledIndices: [Int]
  /// RGB bytes of shape [steps, size, size, 3].
  package var crops: [UInt8]
  /// Side of a crop in pixels.
  package var size: Int

  /// Largest number of steps and largest side of a crop: what metadata may ask for.
  static let largestStepsAndSize = 4096

  /// How a clip is read.
  package struct Options: Sendable {
    /// Number of sampled pictures.
    package var steps = 32
    /// Side of the square crops in pixels.
    package var size = 112
    /// Side of the crop in sides of the face's box.
    package var margin = 1.2
    /// Decoding threads, 0 for as many as there are processors.
    package var threads = 1
    /// Most bytes of decoded pictures to keep for cropping; a clip that needs more is decoded twice.
    package var keptBytes = 64 << 20

    package init() {}
  }

  /// Decodes a clip, follows the largest face through it and cuts it out of uniformly sampled pictures.
  ///
  /// Pictures are decoded one by one and not kept, except the few that are likely to be sampled; if the guess was
  /// wrong, the clip is decoded a second time.
  /// - Parameters:
  ///   - detector: reusable; one clip at a time.
  ///   - progress: called now and then with the pictures decoded and the number expected, if known.
  /// - Throws: what `Container` throws; `.unsupported` for options out of range; `.damaged` if there is a
  ///   video stream but no picture can be decoded.
  package static func read(
    path: String, detector: FaceDetector, options: Options = Options(),
    progress: ((_ decoded: Int, _ expected: Int?) -> Void)? = nil
  ) throws(MediaError) -> VideoOutcome {
    let range = 1...largestStepsAndSize
    guard range.contains(options.steps), range.contains(options.size), options.margin > 0, options.margin <= 10 else {
      throw MediaError(
        .unsupported, path: path, place: "face crops",
        expected: "1 to \(largestStepsAndSize) steps, crops of as many pixels, and a margin above 0 and up to 10",
        found: "\(options.steps) steps, \(options.size) pixels, margin \(options.margin)",
        advice: "correct the preprocessing metadata")
    }
    var reading = FaceReading(path: path, detector: detector, options: options)
    return try reading.run(progress: progress)
  }
}

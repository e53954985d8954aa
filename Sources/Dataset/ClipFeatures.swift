import CERISystem
package import ERIFormat
package import ERIMedia
package import ERISignal

/// What a clip gives the network before normalisation: face crops and MFCC.
package struct ClipFeatures: Sendable {
  /// Milliseconds of each stage.
  package struct Stages: Sendable {
    package var decode = 0.0
    package var detect = 0.0
    package var crop = 0.0
    package var sound = 0.0
    package var mfcc = 0.0
  }

  /// Nil if there are no pictures, or they were not asked for.
  package private(set) var video: VideoSummary?
  /// RGB bytes [steps, size, size, 3]; nil without a face.
  package private(set) var faces: [UInt8]?
  package private(set) var soundSeconds: Double?
  /// [F, coefficients]; nil without sound.
  package private(set) var mfcc: [Float]?
  /// How many rows of adjacent MFCC frames there are to choose from.
  package private(set) var rowCount = 0
  package private(set) var stages = Stages()
  /// Which modalities are missing, a few words each ("no sound").
  package private(set) var absences: [String] = []
  /// What was skipped, repaired or guessed, a sentence each.
  package private(set) var warnings: [String] = []

  /// Absences and warnings.
  package var notes: [String] { absences + warnings }

  /// Reads a clip.
  /// - Parameters:
  ///   - media: its files
  ///   - preprocessing: for which modalities, and how
  ///   - detector: this thread's; needed for pictures
  ///   - progress: called now and then with the pictures decoded and the number expected, if known
  /// - Throws: `DatasetError` with the decoder's sentence if nothing of it can be used.
  package init(
    _ media: ClipMedia, preprocessing: Preprocessing, detector: FaceDetector?,
    progress: (Int, Int?) -> Void = { _, _ in }
  ) throws(DatasetError) {
    var faults: [MediaError] = []
    if let settings = preprocessing.video, let detector {
      do throws(MediaError) {
        try readFaces(media.video, settings, detector, progress)
      } catch { faults.append(error) }
    }
    if let settings = preprocessing.audio {
      do throws(MediaError) {
        try readSound(media.sound, settings)
      } catch { faults.append(error) }
    }
    if faces == nil, mfcc == nil {
      // The file's own fault says more than what is missing because of it.
      if let fault = faults.first { throw DatasetError(fault) }
      let wanted = ClipFeatures.wanted(preprocessing.video != nil, preprocessing.audio != nil)
      throw DatasetError(
        .invalid,
        "\(media.name): expected \(wanted), found " + joined(notes, separator: " and ") + "; give another clip")
    }
    warnings += faults.map { $0.sentence }
  }

  private static func wanted(_ faces: Bool, _ sound: Bool) -> String {
    faces && sound ? "a face or sound" : faces ? "a face" : "sound"
  }

  private mutating func readFaces(
    _ path: String, _ settings: VideoPreprocessing, _ detector: FaceDetector, _ progress: (Int, Int?) -> Void
  ) throws(MediaError) {
    var options = FaceTrack.Options()
    options.steps = settings.steps
    options.size = settings.height
    options.margin = Double(settings.cropScale)
    let outcome = try withoutActuallyEscaping(progress) { (progress) throws(MediaError) in
      try FaceTrack.read(path: path, detector: detector, options: options, progress: progress)
    }
    switch outcome {
    case .noVideo: absences.append("no pictures")
    case .noFace(let summary):
      take(summary)
      absences.append("no face in \(summary.frames) frames")
    case .face(let track):
      take(track.video)
      faces = track.crops
    }
  }

  private mutating func take(_ summary: VideoSummary) {
    video = summary
    stages.decode = summary.decodeMilliseconds
    stages.detect = summary.detectMilliseconds
    stages.crop = summary.cropMilliseconds
    warnings += summary.warnings
  }

  private mutating func readSound(_ path: String, _ settings: AudioPreprocessing) throws(MediaError) {
    let start = eri_clock_monotonic()
    guard let sound = try Sound.read(path: path) else {
      absences.append("no sound")
      return
    }
    let decoded = eri_clock_monotonic()
    warnings += sound.warnings
    soundSeconds = sound.seconds
    do throws(SignalError) {
      let mfcc = try MFCC(MFCC.Parameters(settings)).compute(sound.samples)
      rowCount = AudioRows.count(frames: mfcc.count / settings.coefficientCount)
      self.mfcc = mfcc
    } catch {
      warnings.append(error.sentence)
    }
    stages.sound = Double(decoded - start) / 1e6
    stages.mfcc = Double(eri_clock_monotonic() - decoded) / 1e6
  }
}

extension MFCC.Parameters {
  /// What a model's preprocessing says.
  package init(_ settings: AudioPreprocessing) {
    self.init(
      sampleRate: settings.sampleRate, fftSize: settings.fftSize, hopLength: settings.hopLength,
      melCount: settings.melCount, coefficientCount: settings.coefficientCount,
      topDecibels: Double(settings.topDecibels))
  }
}

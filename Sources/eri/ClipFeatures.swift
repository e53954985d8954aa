import CERISystem
import ERICommands
import ERIFormat
import ERIMedia
import ERISignal

/// What a clip gives the network: face crops, MFCC and rows, before normalisation.
struct ClipFeatures {
  /// Milliseconds of each stage.
  struct Stages {
    var decode = 0.0
    var detect = 0.0
    var crop = 0.0
    var sound = 0.0
    var mfcc = 0.0
    var network = 0.0
  }

  /// Nil if there are no pictures, or they were not asked for.
  var video: VideoSummary?
  /// RGB bytes [steps, size, size, 3]; nil without a face.
  var faces: [UInt8]?
  var soundSeconds: Double?
  /// [F, coefficients]; nil without sound.
  var mfcc: [Float]?
  /// [steps, stack × coefficients]; nil without sound.
  var rows: [Float]?
  /// How many rows there were to choose from.
  var rowCount = 0
  var stages = Stages()
  /// What is missing or was passed over, a sentence each.
  var notes: [String] = []

  /// Reads a clip.
  /// - Parameters: detector: nil if pictures are not wanted · wantsSound: whether sound is.
  /// - Throws: `CommandFailure` with the decoder's sentence if nothing of it can be used.
  init(
    path: String, preprocessing: Preprocessing, detector: FaceDetector?, wantsSound: Bool,
    progress: (Int, Int?) -> Void
  ) throws(CommandFailure) {
    var faults: [MediaError] = []
    if let detector {
      do throws(MediaError) {
        try readFaces(path, preprocessing.video ?? VideoPreprocessing(), detector, progress)
      } catch { faults.append(error) }
    }
    if wantsSound {
      do throws(MediaError) {
        try readSound(path, preprocessing.audio ?? AudioPreprocessing())
      } catch { faults.append(error) }
    }
    if faces == nil, rows == nil {
      // The file's own fault says more than what is missing because of it.
      if let fault = faults.first { throw CommandFailure(fault) }
      throw CommandFailure(
        .invalid,
        "\(path): expected \(ClipFeatures.wanted(detector != nil, wantsSound)), found "
          + joined(notes, separator: " and ") + "; give another clip")
    }
    notes += faults.map { $0.sentence }
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
    case .noVideo: notes.append("no pictures")
    case .noFace(let summary):
      take(summary)
      notes.append("no face in \(summary.frames) frames")
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
    notes += summary.warnings
  }

  private mutating func readSound(_ path: String, _ settings: AudioPreprocessing) throws(MediaError) {
    let start = eri_clock_monotonic()
    guard let sound = try Sound.read(path: path) else {
      notes.append("no sound")
      return
    }
    let decoded = eri_clock_monotonic()
    notes += sound.warnings
    soundSeconds = sound.seconds
    do throws(SignalError) {
      let mfcc = try MFCC(
        MFCC.Parameters(
          sampleRate: settings.sampleRate, fftSize: settings.fftSize, hopLength: settings.hopLength,
          melCount: settings.melCount, coefficientCount: settings.coefficientCount,
          topDecibels: Double(settings.topDecibels))
      ).compute(sound.samples)
      rowCount = AudioRows.count(frames: mfcc.count / settings.coefficientCount)
      rows = try AudioRows.make(
        mfcc: mfcc, coefficients: settings.coefficientCount, steps: settings.steps,
        selection: settings.selection.rowSelection)
      self.mfcc = mfcc
    } catch {
      notes.append(error.sentence)
    }
    stages.sound = Double(decoded - start) / 1e6
    stages.mfcc = Double(eri_clock_monotonic() - decoded) / 1e6
  }
}

extension AudioPreprocessing.Selection {
  /// The signal library's name of the rule.
  var rowSelection: RowSelection {
    switch self {
    case .uniform: .uniform
    case .segmentMean: .segmentMean
    case .full: .full
    }
  }
}

extension CommandFailure {
  /// A media file's fault: input that cannot be used, or a codec that is missing here.
  init(_ error: MediaError) { self.init(error.kind == .unsupported ? .unsupported : .invalid, error.sentence) }
}

import CERISystem
import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia
import ERIRuntime
import ERISignal
import ERIStream

/// What is estimated at the end of a step.
struct LiveEstimate {
  let step: Int
  /// Seconds since the beginning.
  let time: Double
  /// Nil as long as there is neither a face nor sound.
  var intensities: [Float]?
  var modalities: [String] = []
  /// Whether the face was found in this step's picture.
  var isFaceSeen = false
  /// Steps with a face, and rows of MFCC frames, that the estimate looks at.
  var faceSteps = 0
  var rows = 0
  /// Of finding and cutting the face, of the network on it alone, of the sound's MFCC, of the network over time; from the step's
  /// end to the result.
  var detectMilliseconds = 0.0
  var faceMilliseconds = 0.0
  var soundMilliseconds = 0.0
  var networkMilliseconds = 0.0
  var latencyMilliseconds = 0.0
  /// Pictures dropped so far.
  var dropped = 0
}

/// Turns live steps into estimates.
final class LiveEstimator {
  let clips: ClipModel
  let stepSeconds: Double
  /// Seconds of sound that an estimate looks at; nil for a model without sound.
  let soundSeconds: Double?
  private let stream: ERIStream.Stream
  private var follower: FaceFollower?
  private var sound: MFCCStream?
  /// Rows of MFCC frames in the window.
  private let rowLimit: Int
  private let stack: Int
  /// Steps since the face was last found.
  private var unseen = 0
  private(set) var dropped = 0

  /// - Parameter step: seconds of a step; nil: a row of the model's MFCC frames
  init(_ clips: ClipModel, threads: Int, step: Double?) throws(CommandFailure) {
    self.clips = clips
    var options = SessionOptions()
    options.threads = threads
    do throws(RuntimeError) { stream = try ERIStream.Stream(clips.model, options: options) } catch {
      throw CommandFailure(error, file: clips.path)
    }
    let audio = clips.takesSound ? clips.model.preprocessing.audio : nil
    let rowSeconds = audio.map { Double($0.stack * $0.hopLength) / Double($0.sampleRate) }
    stepSeconds = step ?? rowSeconds ?? 0.2
    stack = audio?.stack ?? 1
    let rows = Double(stream.steps) * stepSeconds / (rowSeconds ?? stepSeconds)
    rowLimit = max(Int(rows.rounded()), 1)
    soundSeconds = rowSeconds.map { [rowLimit] in $0 * Double(rowLimit) }
    if let audio {
      do throws(SignalError) {
        sound = MFCCStream(try MFCC(MFCC.Parameters(audio)), keeping: (rowLimit + 1) * audio.stack)
      } catch { throw CommandFailure(.invalid, "\(clips.path): \(error.sentence)") }
    }
    if let detector = try clips.makeDetector(), let video = clips.model.preprocessing.video {
      follower = FaceFollower(detector: detector, size: video.height, margin: Double(video.cropScale))
    }
  }

  /// Takes steps that have come and estimates at the end of the last; the pictures of those before it are dropped.
  func estimate(_ arrivals: [LiveFeed.Arrival]) throws(CommandFailure) -> LiveEstimate? {
    guard let last = arrivals.last else { return nil }
    var estimate = LiveEstimate(step: last.step.index, time: last.step.end)
    do {
      for arrival in arrivals.dropLast() {
        if arrival.step.picture != nil, follower != nil { dropped += 1 }
        try passFace()
        try sound?.append(arrival.step.samples)
      }
      try takeFace(last.step, &estimate)
      try takeSound(last.step, &estimate)
      try run(&estimate)
    } catch { throw failure(error) }
    estimate.dropped = dropped
    estimate.latencyMilliseconds = milliseconds(since: last.time)
    return estimate
  }

  /// A step without a picture, or whose picture is dropped, keeps the face of the step before.
  private func passFace() throws(RuntimeError) {
    guard follower != nil else { return }
    unseen += 1
    if stream.count(of: "faces") > 0 { try stream.repeatLast("faces") }
    forgetLostFace()
  }

  /// A face that no step of the window shows is no longer there.
  private func forgetLostFace() {
    guard unseen >= stream.steps else { return }
    stream.forget("faces")
    follower?.forget()
  }

  private func takeFace(_ step: LiveStep, _ estimate: inout LiveEstimate) throws {
    let start = eri_clock_monotonic()
    let crop = try step.picture.flatMap { try follower?.crop($0) }
    estimate.detectMilliseconds = milliseconds(since: start)
    if let crop {
      estimate.isFaceSeen = crop.isSeen
      unseen = crop.isSeen ? 0 : unseen + 1
      let found = eri_clock_monotonic()
      try stream.append("faces", clips.converter.face(crop.pixels))
      estimate.faceMilliseconds = milliseconds(since: found)
      forgetLostFace()
    } else {
      try passFace()
    }
    estimate.faceSteps = stream.count(of: "faces")
  }

  private func takeSound(_ step: LiveStep, _ estimate: inout LiveEstimate) throws {
    guard sound != nil else { return }
    let start = eri_clock_monotonic()
    try sound?.append(step.samples)
    if step.isLast { sound?.finish() }
    if let sound, sound.frameCount > 0 {
      // As in a clip, frames that do not fill a row are left out, and fewer than a row make one, whose last frame is repeated.
      let rows = sound.frameCount / stack
      let mfcc = sound.coefficients(count: sound.frameCount - max(rows - rowLimit, 0) * stack)
      try stream.replace("audio", clips.converter.rows(mfcc))
      estimate.rows = min(max(rows, 1), rowLimit)
    }
    estimate.soundMilliseconds = milliseconds(since: start)
  }

  private func run(_ estimate: inout LiveEstimate) throws {
    if estimate.rows > 0 { estimate.modalities.append("audio") }
    if estimate.faceSteps > 0 { estimate.modalities.append("video") }
    guard !estimate.modalities.isEmpty else { return }
    let start = eri_clock_monotonic()
    try stream.run()
    guard let intensities = stream.output(0), intensities.count == clips.model.labels.count else {
      throw clips.otherOutput
    }
    estimate.intensities = intensities
    estimate.networkMilliseconds = milliseconds(since: start)
  }

  private func milliseconds(since start: UInt64) -> Double { Double(eri_clock_monotonic() - start) / 1e6 }

  private func failure(_ error: any Error) -> CommandFailure {
    switch error {
    case let error as CommandFailure: error
    case let error as RuntimeError: CommandFailure(error, file: clips.path)
    case let error as MediaError: CommandFailure(error)
    case let error as DatasetError: CommandFailure(error)
    case let error as SignalError: CommandFailure(.invalid, error.sentence)
    default: CommandFailure(.invalid, "\(clips.path): \(error)")
    }
  }
}

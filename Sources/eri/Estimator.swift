import CERISystem
import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia
import ERIRuntime
import Foundation

/// A clip's intensities and what they were computed from.
struct Estimate {
  let clip: String
  let intensities: [Float]
  let features: ClipFeatures
  /// Of the network alone, and of the whole clip.
  let networkMilliseconds: Double
  let milliseconds: Double
}

/// A model with all that takes a clip to its intensities, reusable over many clips and by several threads at once, each with a
/// detector of its own.
final class Estimator: @unchecked Sendable {
  let clips: ClipModel
  /// Of the thread that made this; others clone it. Nil if the model takes no faces.
  let detector: FaceDetector?
  private let options: SessionOptions
  /// Guards `idle`.
  private let lock = NSLock()
  /// Networks that no thread is running. There are as many as ever ran at once, which is fewer than the threads: most of a clip's
  /// time goes to its pictures and its sound.
  private var idle: [Session]

  /// - Throws: `CommandFailure` if the model cannot be read or is none of faces and sound.
  init(path: String, threads: Int) throws(CommandFailure) {
    clips = try ClipModel(path: path)
    var options = SessionOptions()
    options.threads = threads
    options.tuned = try PlanFile.plans(of: clips.model, at: path)
    self.options = options
    do throws(RuntimeError) {
      idle = [try Session(clips.program, options: options)]
    } catch { throw CommandFailure(error, file: path) }
    detector = try clips.makeDetector()
  }

  /// The model's, in the order of its output.
  var labels: [String] { clips.model.labels }

  /// A detector for each of so many threads; none if the model takes no faces.
  func detectors(count: Int) throws(CommandFailure) -> [FaceDetector] {
    guard let detector else { return [] }
    var detectors = [detector]
    do throws(MediaError) {
      while detectors.count < count { detectors.append(try detector.clone()) }
    } catch { throw CommandFailure(error) }
    return detectors
  }

  /// Whether a file that failed is no sound or video at all.
  func isNoClip(_ clip: String) -> Bool {
    do throws(MediaError) {
      _ = try Sound.read(path: clip)
      return false
    } catch { return error.kind == .notMedia || error.kind == .empty }
  }

  /// What one clip gives the model.
  /// - Parameter detector: this thread's.
  func inputs(_ media: ClipMedia, detector: FaceDetector?) throws(CommandFailure) -> [Input] {
    do throws(DatasetError) {
      return try normalised(
        ClipFeatures(media, preprocessing: clips.model.preprocessing, detector: detector, progress: { _, _ in }))
    } catch { throw CommandFailure(error) }
  }

  /// The intensities of one clip, whose pictures and sound may lie in two files.
  /// - Parameter detector: this thread's.
  /// - Throws: `CommandFailure` if it gives the model nothing to work on.
  func estimate(
    _ media: ClipMedia, detector: FaceDetector?, progress: (Int, Int?) -> Void
  ) throws(CommandFailure) -> Estimate {
    let start = eri_clock_monotonic()
    let features: ClipFeatures
    let inputs: [Input]
    do throws(DatasetError) {
      features = try ClipFeatures(
        media, preprocessing: clips.model.preprocessing, detector: detector, progress: progress)
      inputs = try normalised(features)
    } catch { throw CommandFailure(error) }
    let (intensities, networkMilliseconds) = try intensities(of: inputs)
    return Estimate(
      clip: media.name, intensities: intensities, features: features, networkMilliseconds: networkMilliseconds,
      milliseconds: Double(eri_clock_monotonic() - start) / 1e6)
  }

  private func intensities(of inputs: [Input]) throws(CommandFailure) -> (values: [Float], milliseconds: Double) {
    let network: Session
    do throws(RuntimeError) {
      if let free = lock.withLock({ idle.popLast() }) {
        network = free
      } else {
        network = try Session(clips.program, options: options)
      }
      // A plan serves every clip that has the same modalities, and as many rows where the model takes them all.
      try network.bindIfNeeded(inputs.map { Session.InputShape($0.name, $0.shape) })
    } catch { throw CommandFailure(error, file: clips.path) }
    defer { lock.withLock { idle.append(network) } }
    for input in inputs {
      _ = network.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
    }
    let start = eri_clock_monotonic()
    let status = network.run()
    let milliseconds = Double(eri_clock_monotonic() - start) / 1e6
    guard status == .done, let intensities = network.withOutput(0, { [Float]($0) }),
      intensities.count == labels.count
    else { throw clips.otherOutput }
    return (intensities, milliseconds)
  }

  /// What a clip gives the model, normalised.
  struct Input {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  private func normalised(_ features: ClipFeatures) throws(DatasetError) -> [Input] {
    var inputs: [Input] = []
    if let faces = features.faces, let video = clips.model.preprocessing.video {
      inputs.append(
        Input(
          name: "faces", shape: [1, video.steps, 3, video.height, video.width], values: try clips.converter.faces(faces)
        ))
    }
    if let mfcc = features.mfcc, let audio = clips.model.preprocessing.audio {
      let rows = try clips.converter.rows(mfcc)
      let width = audio.stack * audio.coefficientCount
      inputs.append(Input(name: "audio", shape: [1, rows.count / width, width], values: rows))
    }
    return inputs
  }
}

extension CommandFailure {
  /// A media file's fault: input that cannot be used, or a codec that is missing here.
  init(_ error: MediaError) { self.init(error.kind == .unsupported ? .unsupported : .invalid, error.sentence) }

  /// A dataset's or clip's fault.
  init(_ error: DatasetError) {
    switch error.kind {
    case .invalid, .unreadable, .notWritable: self.init(.invalid, error.sentence)
    case .unsupported: self.init(.unsupported, error.sentence)
    }
  }
}

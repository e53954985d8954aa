import CERISystem
import ERICommands
import ERIFormat
import ERIMedia
import ERIRuntime
import ERISignal

/// A clip's intensities and what they were computed from.
struct Estimate {
  let clip: String
  let intensities: [Float]
  let features: ClipFeatures
  let milliseconds: Double
}

/// A model with all that takes a clip to its intensities, reusable over many clips.
final class Estimator {
  let labels: [String]
  private let path: String
  private let model: Model
  private let session: Session
  private let detector: FaceDetector?
  private let pixels: PixelNormalisation?
  private let coefficients: CoefficientStandardisation?
  private var bound: [Session.InputShape] = []

  /// - Throws: `CommandFailure` if the model cannot be read or is none of faces and sound.
  init(path: String, threads: Int) throws(CommandFailure) {
    self.path = path
    let loaded = try LoadedModel(path: path)
    model = loaded.model
    let program = try loaded.program()
    var options = SessionOptions()
    options.threads = threads
    do throws(RuntimeError) { session = try Session(program, options: options) } catch {
      throw CommandFailure(error, file: path)
    }
    let names = session.inputDescriptions.map { $0.name }
    let wantsFaces = names.contains("faces")
    let wantsSound = names.contains("audio")
    guard wantsFaces || wantsSound else {
      throw CommandFailure(
        .unsupported,
        "\(path): expected a model of the inputs faces or audio, found \(names.joined(separator: ", ")); run it with `eri exec`"
      )
    }
    guard wantsFaces == (model.preprocessing.video != nil), wantsSound == (model.preprocessing.audio != nil) else {
      throw CommandFailure(
        .unsupported,
        "\(path): expected preprocessing for each of the model's inputs, found another; run it with `eri exec`")
    }
    try Estimator.check(model.preprocessing, path)
    labels = model.labels
    do throws(SignalError) {
      pixels = try model.preprocessing.video.map { video throws(SignalError) in
        try PixelNormalisation(mean: video.mean, deviation: video.deviation)
      }
      coefficients = try model.preprocessing.audio.map { audio throws(SignalError) in
        try CoefficientStandardisation(mean: audio.mean, deviation: audio.deviation)
      }
    } catch { throw CommandFailure(.invalid, "\(path): \(error.sentence)") }
    do throws(MediaError) { detector = wantsFaces ? try FaceDetector() : nil } catch { throw CommandFailure(error) }
  }

  /// Refuses preprocessing that this tool does not do: its result would be computed from other features than the model's.
  private static func check(_ preprocessing: Preprocessing, _ path: String) throws(CommandFailure) {
    func refusal(_ what: String, _ expected: String, _ found: String) -> CommandFailure {
      CommandFailure(
        .unsupported, "\(path): preprocessing: expected \(what) of \(expected), found \(found); run it with `eri exec`")
    }
    if let video = preprocessing.video, video.width != video.height {
      throw refusal("square face crops", "equal width and height", "\(video.width) x \(video.height)")
    }
    guard let audio = preprocessing.audio else { return }
    guard audio.sampleRate == Sound.sampleRate else {
      throw refusal("a sample rate", "\(Sound.sampleRate) Hz", "\(audio.sampleRate)")
    }
    guard audio.stack == AudioRows.framesPerRow else {
      throw refusal("rows", "\(AudioRows.framesPerRow) MFCC frames", "\(audio.stack)")
    }
  }

  /// Whether a file that failed is no sound or video at all.
  func isNoClip(_ clip: String) -> Bool {
    do throws(MediaError) {
      _ = try Sound.read(path: clip)
      return false
    } catch { return error.kind == .notMedia || error.kind == .empty }
  }

  /// The intensities of one clip.
  /// - Throws: `CommandFailure` if it gives the model nothing to work on.
  func estimate(_ clip: String, progress: (Int, Int?) -> Void) throws(CommandFailure) -> Estimate {
    let start = eri_clock_monotonic()
    var features = try ClipFeatures(
      path: clip, preprocessing: model.preprocessing, detector: detector, wantsSound: coefficients != nil,
      progress: progress)
    let inputs = try normalised(features)
    do throws(RuntimeError) {
      // A plan serves every clip that has the same modalities, and as many rows where the model takes them all.
      let shapes = inputs.map { Session.InputShape($0.name, $0.shape) }
      if shapes != bound {
        try session.bind(shapes)
        bound = shapes
      }
    } catch {
      bound = []
      throw CommandFailure(error, file: path)
    }
    for input in inputs {
      _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
    }
    let networkStart = eri_clock_monotonic()
    let status = session.run()
    features.stages.network = Double(eri_clock_monotonic() - networkStart) / 1e6
    guard status == .done, let intensities = session.withOutput(0, { [Float]($0) }), intensities.count == labels.count
    else {
      throw CommandFailure(
        .invalid,
        "\(path): expected an output of \(labels.count) intensities, found another; its labels do not fit its graph")
    }
    return Estimate(
      clip: clip, intensities: intensities, features: features,
      milliseconds: Double(eri_clock_monotonic() - start) / 1e6)
  }

  private struct Input {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  private func normalised(_ features: ClipFeatures) throws(CommandFailure) -> [Input] {
    var inputs: [Input] = []
    do throws(SignalError) {
      if let faces = features.faces, let pixels, let video = model.preprocessing.video {
        inputs.append(
          Input(
            name: "faces", shape: [1, video.steps, 3, video.height, video.width],
            values: try pixels.apply(faces, count: video.steps, height: video.height, width: video.width)))
      }
      if var rows = features.rows, let coefficients, let audio = model.preprocessing.audio {
        try coefficients.apply(&rows)
        let width = audio.stack * audio.coefficientCount
        inputs.append(Input(name: "audio", shape: [1, rows.count / width, width], values: rows))
      }
    } catch { throw CommandFailure(.invalid, "\(path): \(error.sentence)") }
    return inputs
  }
}

import CERISystem
import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia
import ERIRuntime

/// A clip's intensities and what they were computed from.
struct Estimate {
  let clip: String
  let intensities: [Float]
  let features: ClipFeatures
  /// Of the network alone, and of the whole clip.
  let networkMilliseconds: Double
  let milliseconds: Double
}

/// A model with all that takes a clip to its intensities, reusable over many clips.
final class Estimator {
  let labels: [String]
  private let path: String
  private let model: Model
  private let session: Session
  private let detector: FaceDetector?
  private let converter: ClipInputs
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
    labels = model.labels
    do throws(DatasetError) {
      converter = try ClipInputs(model.preprocessing, of: path, advice: "run it with `eri exec`")
    } catch { throw CommandFailure(error) }
    do throws(MediaError) { detector = wantsFaces ? try FaceDetector() : nil } catch { throw CommandFailure(error) }
  }

  /// Whether a file that failed is no sound or video at all.
  func isNoClip(_ clip: String) -> Bool {
    do throws(MediaError) {
      _ = try Sound.read(path: clip)
      return false
    } catch { return error.kind == .notMedia || error.kind == .empty }
  }

  /// What one clip gives the model.
  func inputs(_ media: ClipMedia) throws(CommandFailure) -> [Input] {
    do throws(DatasetError) {
      return try normalised(
        ClipFeatures(media, preprocessing: model.preprocessing, detector: detector, progress: { _, _ in }))
    } catch { throw CommandFailure(error) }
  }

  /// The intensities of one clip.
  /// - Throws: `CommandFailure` if it gives the model nothing to work on.
  func estimate(_ clip: String, progress: (Int, Int?) -> Void) throws(CommandFailure) -> Estimate {
    try estimate(ClipMedia(path: clip), progress: progress)
  }

  /// The intensities of one clip, whose pictures and sound may lie in two files.
  func estimate(_ media: ClipMedia, progress: (Int, Int?) -> Void) throws(CommandFailure) -> Estimate {
    let start = eri_clock_monotonic()
    let features: ClipFeatures
    let inputs: [Input]
    do throws(DatasetError) {
      features = try ClipFeatures(
        media, preprocessing: model.preprocessing, detector: detector, progress: progress)
      inputs = try normalised(features)
    } catch { throw CommandFailure(error) }
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
    let networkMilliseconds = Double(eri_clock_monotonic() - networkStart) / 1e6
    guard status == .done, let intensities = session.withOutput(0, { [Float]($0) }), intensities.count == labels.count
    else {
      throw CommandFailure(
        .invalid,
        "\(path): expected an output of \(labels.count) intensities, found another; its labels do not fit its graph")
    }
    return Estimate(
      clip: media.name, intensities: intensities, features: features, networkMilliseconds: networkMilliseconds,
      milliseconds: Double(eri_clock_monotonic() - start) / 1e6)
  }

  /// What a clip gives the model, normalised.
  struct Input {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  private func normalised(_ features: ClipFeatures) throws(DatasetError) -> [Input] {
    var inputs: [Input] = []
    if let faces = features.faces, let video = model.preprocessing.video {
      inputs.append(
        Input(
          name: "faces", shape: [1, video.steps, 3, video.height, video.width], values: try converter.faces(faces)))
    }
    if let mfcc = features.mfcc, let audio = model.preprocessing.audio {
      let rows = try converter.rows(mfcc)
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

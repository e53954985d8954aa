import ERIDataset
import ERIFormat
import ERITrain
import Synchronization

/// A prepared cache's labelled clips as training and evaluating take them, normalised as a model's preprocessing says.
final class CacheSamples: SampleSource {
  let labels: [String]
  let samples: [Sample]
  let digest: String
  private let cache: PreparedCache
  private let clips: [PreparedClip]
  private let inputs: ClipInputs
  /// Whether rows may begin at another frame, so that frames must be kept instead of rows.
  private let keepsFrames: Bool
  private let kept: Mutex<Kept>

  /// What is in memory already, so that an epoch reads no file.
  private struct Kept {
    var sound: [[Float]?]
    var faces: [[UInt8]?]
    var bytes = 0
  }

  /// Bytes of features that are kept in memory at most; what is beyond is read from the cache each time.
  private static let memory = 3 << 30

  /// - Parameters:
  ///   - clips: those that can be sampled, in the cache's order.
  ///   - model: what messages call the model.
  init(
    _ cache: PreparedCache, clips: [PreparedClip], preprocessing: Preprocessing, model: String,
    keepsFrames: Bool = false
  ) throws(DatasetError) {
    self.cache = cache
    self.clips = clips
    self.keepsFrames = keepsFrames
    inputs = try ClipInputs(preprocessing, of: model, advice: "train with other settings")
    labels = cache.labels
    digest = cache.digest
    samples = clips.map { CacheSamples.sample($0) }
    kept = Mutex(
      Kept(
        sound: [[Float]?](repeating: nil, count: clips.count), faces: [[UInt8]?](repeating: nil, count: clips.count)))
  }

  static func sample(_ clip: PreparedClip) -> Sample {
    Sample(id: clip.id, subject: clip.subject, targets: clip.labels, hasAudio: clip.hasSound, hasVideo: clip.hasFaces)
  }

  func fill(
    _ input: String, of sample: Int, _ augmentation: Augmentation, into values: UnsafeMutableBufferPointer<Float>
  ) throws(TrainError) {
    let clip = clips[sample]
    do throws(DatasetError) {
      switch input {
      case "present": fillPresent(sample, augmentation, values)
      case "audio" where clip.hasSound: try copy(try rows(sample, augmentation), to: values, input, clip)
      case "faces" where clip.hasFaces:
        try copy(try inputs.faces(try faces(sample), flipped: augmentation.isFlipped), to: values, input, clip)
      case "audio", "faces": values.update(repeating: 0)
      default:
        throw DatasetError(
          .unsupported,
          "input \"\(input)\": expected audio, faces or present, found another; use a network of `eri init`")
      }
    } catch { throw TrainError(error.kind == .unsupported ? .unsupported : .invalid, error.sentence) }
  }

  private func copy(
    _ features: [Float], to values: UnsafeMutableBufferPointer<Float>, _ input: String, _ clip: PreparedClip
  ) throws(DatasetError) {
    guard features.count == values.count else {
      throw DatasetError(
        .invalid,
        "clip \(clip.id): expected \(values.count) values for the input \(input), found \(features.count); prepare the dataset with the model's settings"
      )
    }
    _ = values.update(fromContentsOf: features)
  }

  private func rows(_ sample: Int, _ augmentation: Augmentation) throws(DatasetError) -> [Float] {
    let known = kept.withLock { $0.sound[sample] }
    if let known { return keepsFrames ? try inputs.rows(known, offset: augmentation.frameOffset) : known }
    let frames = try cache.mfcc(of: clips[sample])
    let rows = try inputs.rows(frames, offset: keepsFrames ? augmentation.frameOffset : 0)
    let keeping = keepsFrames ? frames : rows
    kept.withLock { kept in
      guard kept.bytes + 4 * keeping.count <= CacheSamples.memory else { return }
      kept.sound[sample] = keeping
      kept.bytes += 4 * keeping.count
    }
    return rows
  }

  private func faces(_ sample: Int) throws(DatasetError) -> [UInt8] {
    if let known = kept.withLock({ $0.faces[sample] }) { return known }
    let faces = try cache.faces(of: clips[sample])
    kept.withLock { kept in
      guard kept.bytes + faces.count <= CacheSamples.memory else { return }
      kept.faces[sample] = faces
      kept.bytes += faces.count
    }
    return faces
  }
}

package import ERIFormat
import Synchronization

/// A clip whose features lie in a prepared cache.
package struct PreparedClip: Sendable {
  package let id: String
  package let split: DatasetSplit
  /// Who is seen and heard, where the label file has such a column.
  package let subject: String?
  /// In the order of the cache's labels, from 0 to 1; not numbers if the clip has none, see `isLabelled`.
  package let labels: [Float]
  /// MFCC frames, 0 without sound.
  package let frames: Int
  package let hasFaces: Bool
  /// What was missing, skipped, repaired or guessed when it was prepared; empty if nothing was.
  package let notes: String
  let place: CacheIndex.Entry.Place

  package var hasSound: Bool { frames > 0 }
  /// False for a clip of the test split whose labels are kept secret.
  package var isLabelled: Bool { !labels.contains { $0.isNaN } }
}

/// A clip that could not be prepared.
package struct BrokenClip: Sendable {
  package let id: String
  package let split: DatasetSplit
  /// Why, in one sentence.
  package let error: String
}

/// A dataset whose features were computed once: an index and shards of tensors in one folder.
///
/// Several threads may read at once.
package final class PreparedCache: Sendable {
  /// The folder.
  package let path: String
  /// Names of the labels.
  package let labels: [String]
  /// What the features are; a part is nil if the cache was made without that modality. Statistics are the identity.
  package let preprocessing: Preprocessing
  /// Those that can be read, in the order of their IDs' UTF-8 bytes.
  package let clips: [PreparedClip]
  package let broken: [BrokenClip]
  /// SHA-256 over labels and clips, 64 hexadecimal digits; the same however the cache was made.
  package let digest: String
  private let shards: Mutex<OpenShards>

  /// Whether a folder is a prepared cache rather than a dataset.
  package static func isCache(_ path: String) -> Bool {
    do throws(FormatError) { _ = try FileHandle(path: "\(path)/\(CacheIndex.fileName)") } catch { return false }
    return true
  }

  /// Reads the index; shards are opened as they are needed.
  package init(path: String) throws(DatasetError) {
    let index = try CacheIndex(folder: path)
    self.path = path
    labels = index.labels
    preprocessing = index.preprocessing
    let entries = index.entries.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    var clips: [PreparedClip] = []
    var broken: [BrokenClip] = []
    for entry in entries {
      guard let place = entry.place else {
        broken.append(BrokenClip(id: entry.id, split: entry.split, error: entry.error))
        continue
      }
      clips.append(
        PreparedClip(
          id: entry.id, split: entry.split, subject: entry.subject.isEmpty ? nil : entry.subject,
          labels: entry.labels, frames: place.frames, hasFaces: place.faces != nil, notes: entry.notes, place: place))
    }
    self.clips = clips
    self.broken = broken
    digest = DatasetDigest.of(labels: labels, clips: clips).text
    shards = Mutex(OpenShards(folder: path))
  }

  /// The clips of a split.
  /// - Throws: `DatasetError` if there is none.
  package func clips(in split: DatasetSplit) throws(DatasetError) -> [PreparedClip] {
    let clips = clips.filter { $0.split == split }
    guard !clips.isEmpty else {
      throw DatasetError(
        .invalid, path: path, expected: "clips of the split \(split.name)", found: "none",
        advice: "mark some as \(split.words[0]) in the label file and prepare it again")
    }
    return clips
  }

  /// The clip's MFCC, not standardised: [clip.frames, coefficients] row-major.
  /// - Throws: `DatasetError` if it has no sound or the shard is damaged.
  package func mfcc(of clip: PreparedClip) throws(DatasetError) -> [Float] {
    guard let audio = preprocessing.audio, let digest = clip.place.mfcc else { throw lacks(clip, "sound") }
    let shard = try shard(clip)
    let tensor = try shard.tensor("\(clip.place.number)/mfcc", .f32, [clip.frames, audio.coefficientCount], digest)
    return try shard.values(of: tensor, zero: 0)
  }

  /// The clip's face crops: RGB bytes [steps, height, width, 3] row-major.
  /// - Throws: `DatasetError` if it has no face or the shard is damaged.
  package func faces(of clip: PreparedClip) throws(DatasetError) -> [UInt8] {
    guard let video = preprocessing.video, let digest = clip.place.faces else { throw lacks(clip, "a face") }
    let shard = try shard(clip)
    let tensor = try shard.tensor(
      "\(clip.place.number)/faces", .u8, [video.steps, video.height, video.width, 3], digest)
    return try shard.values(of: tensor, zero: 0)
  }

  private func shard(_ clip: PreparedClip) throws(DatasetError) -> Shard {
    try shards.withLock { open throws(DatasetError) in try open.shard(clip.place.shard) }
  }

  private func lacks(_ clip: PreparedClip, _ what: String) -> DatasetError {
    DatasetError(
      .invalid, path: path, place: "clip \(clip.id)", expected: what, found: "none of it in the cache",
      advice: "leave the clip out or prepare the dataset with that modality")
  }

  /// Checks that a model takes the features that this cache holds.
  /// - Parameter model: its path, for the message.
  /// - Throws: `DatasetError` naming what differs. A modality that only one of the two has is no difference.
  package func check(fits wanted: Preprocessing, of model: String) throws(DatasetError) {
    var (wanted, found) = (wanted, preprocessing)
    if wanted.video == nil || found.video == nil { (wanted.video, found.video) = (nil, nil) }
    if wanted.audio == nil || found.audio == nil { (wanted.audio, found.audio) = (nil, nil) }
    guard let difference = CacheSettings.difference(wanted, found) else { return }
    throw DatasetError(
      .invalid, path: path, expected: "features as \(model) takes them, \(difference.expected)",
      found: difference.found, advice: "prepare the dataset with the model's settings")
  }
}

/// The digest of a dataset's content.
enum DatasetDigest {
  /// - Parameter clips: in the order of their IDs' UTF-8 bytes.
  static func of(labels: [String], clips: [PreparedClip]) -> SHA256Digest {
    var digest = SHA256()
    var bytes: [UInt8] = []
    func append(_ text: String) {
      bytes.appendLittleEndian(UInt32(truncatingIfNeeded: text.utf8.count))
      bytes += Array(text.utf8)
    }
    append("eri-dataset-1")
    bytes.appendLittleEndian(UInt32(truncatingIfNeeded: labels.count))
    for label in labels { append(label) }
    for clip in clips {
      append(clip.id)
      bytes.append(UInt8(truncatingIfNeeded: clip.split.rawValue))
      // One bit pattern for what is no number.
      for label in clip.labels { bytes.appendLittleEndian(label.isNaN ? Float.nan.bitPattern : label.bitPattern) }
      for values in [clip.place.mfcc, clip.place.faces] {
        bytes.append(values == nil ? 0 : 1)
        if let values { bytes += values.bytes }
      }
      digest.update(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    digest.update(bytes)
    return digest.finished()
  }
}

package import ERIFormat
import ERIMedia
import Synchronization

/// Computes the features of a dataset's clips once, into a cache: on several threads, going on where an earlier run ended.
package struct Preparation {
  /// What is going on.
  package enum Event {
    /// Something to tell the user, one sentence.
    case note(String)
    /// So many of the clips that had to be prepared are done.
    case progress(done: Int, of: Int)
  }

  /// What became of the clips.
  package struct Outcome {
    /// The cache as it is now.
    package let cache: PreparedCache
    /// Clips prepared now, and taken over from an earlier run.
    package var prepared = 0
    package var kept = 0
  }

  private let manifest: DatasetManifest
  private let folder: String
  private let preprocessing: Preprocessing
  private let shardSize: CacheWriter.ShardSize

  /// - Parameters:
  ///   - manifest: the dataset
  ///   - folder: the cache's folder, made if it is missing
  ///   - preprocessing: which modalities, and how
  ///   - shardClips: clips of one shard at most
  package init(_ manifest: DatasetManifest, to folder: String, preprocessing: Preprocessing, shardClips: Int = 32) {
    self.manifest = manifest
    self.folder = folder
    self.preprocessing = preprocessing
    shardSize = CacheWriter.ShardSize(clips: shardClips)
  }

  /// A clip that has to be prepared.
  private struct Task {
    let entry: CacheIndex.Entry
    let media: ClipMedia
  }

  /// Prepares what the cache lacks.
  /// - Parameters: threads: 1 or more · report: called by one thread at a time
  /// - Throws: `DatasetError` if the cache cannot be used or written; a clip that cannot be read is recorded and reported.
  package func run(threads: Int, report: (Event) -> Void) throws(DatasetError) -> Outcome {
    let workers: WorkerThreads
    do throws(FormatError) { workers = try WorkerThreads(count: threads) } catch {
      throw DatasetError(.unsupported, error.description)
    }
    let writer = try CacheWriter(
      folder: folder, preprocessing: preprocessing, labels: manifest.labels, size: shardSize)
    let (tasks, kept) = try plan(writer, report)
    if !tasks.isEmpty {
      let detectors = try makeDetectors(count: threads)
      try prepare(tasks, workers, detectors, writer, report)
    }
    writer.removeUnusedShards()
    let cache = try PreparedCache(path: folder)
    return Outcome(cache: cache, prepared: cache.clips.count - kept, kept: kept)
  }

  /// Finds what there is to do; broken and kept clips go into the index at once.
  private func plan(
    _ writer: CacheWriter, _ report: (Event) -> Void
  ) throws(DatasetError) -> (tasks: [Task], kept: Int) {
    let sound = writer.soundEntries { report(.note($0)) }
    let listed = Set(manifest.rows.map { $0.id })
    let dropped = writer.index.entries.count { !listed.contains($0.id) }
    if dropped > 0 {
      report(.note("\(folder): \(dropped) clips are no longer in \(manifest.file) and leave the cache"))
    }
    var files = MediaFiles(folder: manifest.folder)
    var tasks: [Task] = []
    var settled: [CacheIndex.Entry] = []
    var (kept, changed, gone) = (0, 0, 0)
    for row in manifest.rows {
      var entry = CacheIndex.Entry(
        id: row.id, split: row.split, subject: row.subject ?? "", labels: row.labels, place: nil, media: "", notes: "",
        error: "")
      let earlier = sound[row.id]
      do throws(DatasetError) {
        let media = try files.media(of: row.id, row.split)
        entry.media = stamp(media)
        if let earlier, earlier.media == entry.media {
          entry = keep(earlier, entry)
        } else {
          if earlier != nil { changed += 1 }
          tasks.append(Task(entry: entry, media: media))
          continue
        }
      } catch {
        if let earlier, error.kind == .unreadable {
          gone += 1
          entry.media = earlier.media
          entry = keep(earlier, entry)
        } else {
          report(.note(error.sentence))
          entry.error = error.sentence
        }
      }
      if entry.place != nil { kept += 1 }
      settled.append(entry)
    }
    if changed > 0 { report(.note("\(folder): \(changed) clips' files have changed and are prepared again")) }
    if gone > 0 { report(.note("\(folder): \(gone) clips' files are gone; what was prepared of them is kept")) }
    if kept > 0 { report(.note("\(folder): \(kept) clips were prepared before, \(tasks.count) are to be prepared")) }
    try writer.begin(labels: manifest.labels, with: settled)
    return (tasks, kept)
  }

  /// An entry with the label file's words and the earlier run's features.
  private func keep(_ earlier: CacheIndex.Entry, _ now: CacheIndex.Entry) -> CacheIndex.Entry {
    var entry = now
    (entry.place, entry.notes) = (earlier.place, earlier.notes)
    return entry
  }

  private func stamp(_ media: ClipMedia) -> String {
    let paths = media.video == media.sound ? [media.video] : [media.video, media.sound]
    return paths.map { fileStamp($0, below: manifest.folder) }.joined(separator: "; ")
  }

  /// One detector per thread: the first takes half a second, the others share its filters.
  private func makeDetectors(count: Int) throws(DatasetError) -> [FaceDetector] {
    guard preprocessing.video != nil else { return [] }
    do throws(MediaError) {
      var detectors = [try FaceDetector()]
      while detectors.count < count { detectors.append(try detectors[0].clone()) }
      return detectors
    } catch { throw DatasetError(error) }
  }

  private func prepare(
    _ tasks: [Task], _ workers: WorkerThreads, _ detectors: [FaceDetector], _ writer: CacheWriter,
    _ report: (Event) -> Void
  ) throws(DatasetError) {
    let lock = Mutex(())
    var done = 0
    var failure: DatasetError?
    report(.progress(done: 0, of: tasks.count))
    workers.run(tasks.count) { piece, thread in
      if lock.withLock({ _ in failure != nil }) { return }
      let task = tasks[piece]
      let result = features(of: task, detectors.indices.contains(thread) ? detectors[thread] : nil)
      lock.withLock { _ in
        guard failure == nil else { return }
        do throws(DatasetError) {
          switch result {
          case .success(let made): try take(made, task.entry, writer, report)
          case .failure(let error):
            report(.note(error.sentence))
            var entry = task.entry
            entry.error = error.sentence
            writer.addBroken(entry)
          }
        } catch { failure = error }
        done += 1
        report(.progress(done: done, of: tasks.count))
      }
    }
    if let failure { throw failure }
    try writer.flush()
  }

  /// A clip's features with the digests of what becomes its tensors.
  private struct Made {
    let features: ClipFeatures
    let mfcc: SHA256Digest?
    let faces: SHA256Digest?
  }

  private func features(of task: Task, _ detector: FaceDetector?) -> Result<Made, DatasetError> {
    do throws(DatasetError) {
      let features = try ClipFeatures(task.media, preprocessing: preprocessing, detector: detector)
      return .success(
        Made(
          features: features, mfcc: features.mfcc.map { $0.withUnsafeBytes { SHA256.digest(of: $0) } },
          faces: features.faces.map { $0.withUnsafeBytes { SHA256.digest(of: $0) } }))
    } catch { return .failure(error) }
  }

  private func take(
    _ made: Made, _ entry: CacheIndex.Entry, _ writer: CacheWriter, _ report: (Event) -> Void
  ) throws(DatasetError) {
    var entry = entry
    // What many clips lack is counted in the end; what went wrong in one is told at once.
    for warning in made.features.warnings { report(.note("\(entry.id): \(warning)")) }
    entry.notes = made.features.notes.joined(separator: "; ")
    try writer.add(
      entry, mfcc: made.features.mfcc, faces: made.features.faces, digests: (made.mfcc, made.faces))
  }
}

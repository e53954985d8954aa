import CERISystem
import ERIFormat
import Synchronization

/// Makes clips with planted reactions from a seed.
package struct Synthesizer: Sendable {
  package let seed: UInt64
  package let format: ClipFormat
  /// Reactions that the face does not show, though the voice may.
  package let unseen: [Emotion]

  /// Throws if the format cannot be drawn or encoded.
  package init(seed: UInt64, format: ClipFormat = ClipFormat(), unseen: [Emotion] = []) throws(SynthesisError) {
    try format.check()
    (self.seed, self.format, self.unseen) = (seed, format, unseen)
  }

  /// Clip `index` of this seed: the same however many clips are made.
  package func clip(_ index: Int) -> SyntheticClip {
    var random = SeededRandom(seed: seed, stream: "clip \(index) labels")
    return SyntheticClip(
      seed: seed, index: index, format: format, labels: Intensities(random: &random), unseen: unseen)
  }

  /// Writes clips 0 ..< count to `folder` as clip_0000.mp4, clip_0001.mp4, …; makes the folder where it is missing.
  ///
  /// `report` is called for each clip in their order, by one thread at a time, with the path it has.
  package func writeClips(
    count: Int, to folder: String, threads: Int = 1, report: (SyntheticClip, String) -> Void
  ) throws(SynthesisError) {
    try makeFolder(folder)
    try write(count: count, threads: threads, path: { "\(folder)/\($0.fileName)" }, report: report)
  }

  /// Writes clips 0 ..< count, each with the path that it is given; no byte depends on the number of threads.
  func write(
    count: Int, threads: Int, path: (SyntheticClip) -> String, report: (SyntheticClip, String) -> Void
  ) throws(SynthesisError) {
    let workers: WorkerThreads
    do throws(FormatError) { workers = try WorkerThreads(count: threads) } catch {
      throw .badFormat(error.description)
    }
    let lock = Mutex(())
    var failure: SynthesisError?
    // Clips that are written and wait for an earlier one to be reported.
    var written: [Int: (clip: SyntheticClip, path: String)] = [:]
    var reported = 0
    workers.run(max(count, 0)) { index, _ in
      if lock.withLock({ _ in failure != nil }) { return }
      let clip = clip(index)
      let path = path(clip)
      do throws(SynthesisError) {
        try ClipWriter.write(clip, to: path)
        lock.withLock { _ in
          written[index] = (clip, path)
          while let next = written.removeValue(forKey: reported) {
            report(next.clip, next.path)
            reported += 1
          }
        }
      } catch {
        lock.withLock { _ in failure = failure ?? error }
      }
    }
    if let failure { throw failure }
  }

  /// Makes a folder and its parents.
  func makeFolder(_ folder: String) throws(SynthesisError) {
    let status = eri_folder_create(folder)
    guard status >= 0 else {
      throw .notWritable(path: folder, reason: String(cString: eri_error_message(abs(status))))
    }
  }
}

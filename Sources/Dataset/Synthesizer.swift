import CERISystem
import ERIFormat

/// Makes clips with planted reactions from a seed.
package struct Synthesizer: Sendable {
  package let seed: UInt64
  package let format: ClipFormat

  /// Throws if the format cannot be drawn or encoded.
  package init(seed: UInt64, format: ClipFormat = ClipFormat()) throws(SynthesisError) {
    try format.check()
    (self.seed, self.format) = (seed, format)
  }

  /// Clip `index` of this seed: the same however many clips are made.
  package func clip(_ index: Int) -> SyntheticClip {
    var random = SeededRandom(seed: seed, stream: "clip \(index) labels")
    return SyntheticClip(seed: seed, index: index, format: format, labels: Intensities(random: &random))
  }

  /// Writes clips 0 ..< count to `folder` as clip_0000.mp4, clip_0001.mp4, …; makes the folder where it is missing.
  ///
  /// `report` is called after each clip with the path it has.
  package func writeClips(
    count: Int, to folder: String, report: (SyntheticClip, String) -> Void
  ) throws(SynthesisError) {
    let status = eri_folder_create(folder)
    guard status >= 0 else {
      throw .notWritable(path: folder, reason: String(cString: eri_error_message(abs(status))))
    }
    for index in 0..<max(count, 0) {
      let clip = clip(index)
      let path = "\(folder)/\(clip.fileName)"
      try ClipWriter.write(clip, to: path)
      report(clip, path)
    }
  }
}

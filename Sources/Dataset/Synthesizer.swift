import ERIFormat

/// Makes clips with planted reactions from a seed.
package struct Synthesizer: Sendable {
  package let seed: UInt64
  package let format: ClipFormat

  /// Throws if the format cannot be drawn or encoded.
  package init(seed: UInt64, format: ClipFormat = ClipFormat()) throws(DatasetError) {
    try format.check()
    (self.seed, self.format) = (seed, format)
  }

  /// Clip `index` of this seed: the same however many clips are made.
  package func clip(_ index: Int) -> SyntheticClip {
    var random = SeededRandom(seed: seed, stream: "clip \(index) labels")
    return SyntheticClip(seed: seed, index: index, format: format, labels: Intensities(random: &random))
  }
}

import ERIFormat

/// A dataset of synthesised clips in the layout of Hume-Reaction: data_info.csv and {train,val,test}/mp4.
///
/// Anxiety sounds in the voice alone, Disgust and Empathic-Pain show in the face alone, so that neither modality suffices.
package struct SyntheticDataset: Sendable {
  /// How many of the clips each split gets, the first ones train, then validation, then test.
  package struct Shares: Equatable, Sendable {
    let train, validation, test: Double

    /// 70, 15 and 15 of a hundred.
    package static let usual = Shares(train: 70, validation: 15, test: 15)

    private init(train: Double, validation: Double, test: Double) {
      (self.train, self.validation, self.test) = (train, validation, test)
    }

    /// Three shares of 100 separated by commas; nil for anything else.
    package init?(_ text: String) {
      let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { decimalNumber(String($0)) }
      guard parts.count == 3, let train = parts[0], let validation = parts[1], let test = parts[2],
        train >= 0, validation >= 0, test >= 0, abs(train + validation + test - 100) < 1e-9
      else { return nil }
      self.init(train: train, validation: validation, test: test)
    }

    /// The split of a clip among `count`.
    func split(of index: Int, among count: Int) -> DatasetSplit {
      let trainEnd = Int((Double(count) * train / 100).rounded())
      let validationEnd = Int((Double(count) * (train + validation) / 100).rounded())
      return index < trainEnd ? .train : index < validationEnd ? .validation : .test
    }
  }

  private let synthesizer: Synthesizer
  private let count: Int
  private let shares: Shares

  /// Throws if the format cannot be drawn or encoded.
  package init(
    seed: UInt64, count: Int, format: ClipFormat = ClipFormat(), shares: Shares = .usual
  ) throws(SynthesisError) {
    synthesizer = try Synthesizer(seed: seed, format: format, unseen: [.anxiety])
    (self.count, self.shares) = (count, shares)
  }

  /// How many clips a split has.
  package func clips(in split: DatasetSplit) -> Int {
    (0..<count).count { shares.split(of: $0, among: count) == split }
  }

  /// Writes clips and label file to a folder; the label file comes last, so that one without it is unfinished.
  /// - Parameters: threads: no byte depends on their number · report: called after each clip, by one thread at a time
  package func write(to folder: String, threads: Int, report: () -> Void) throws(SynthesisError) {
    var splits: [DatasetSplit] = []
    for index in 0..<count { splits.append(shares.split(of: index, among: count)) }
    for split in DatasetSplit.allCases where splits.contains(split) {
      try synthesizer.makeFolder("\(folder)/\(split.words[0])/mp4")
    }
    var lines = [
      (["File_ID", "Split"] + Emotion.allCases.map { $0.name } + ["Age", "Country"]).joined(separator: ",")
    ]
    try synthesizer.write(
      count: count, threads: threads,
      path: { "\(folder)/\(splits[$0.index].words[0])/mp4/\(SyntheticDataset.id($0)).mp4" },
      report: { clip, _ in
        lines.append(line(clip, splits[clip.index]))
        report()
      })
    let path = "\(folder)/data_info.csv"
    do throws(FormatError) { try FileWriter.write(lines.joined(separator: "\n") + "\n", to: path) } catch {
      throw .notWritable(path: path, reason: error.message)
    }
  }

  /// "00012" for clip 12.
  private static func id(_ clip: SyntheticClip) -> String {
    let digits = "\(clip.index)"
    return String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
  }

  private func line(_ clip: SyntheticClip, _ split: DatasetSplit) -> String {
    var random = SeededRandom(seed: clip.seed, stream: "clip \(clip.index) background")
    let age = 18 + random.index(below: 33)
    let country = random.bernoulli(0.5) ? "United States" : "South Africa"
    let word = split.words[0].prefix(1).uppercased() + split.words[0].dropFirst()
    let labels = clip.labels.values.map { decimal(Float($0)) }
    return (["[\(SyntheticDataset.id(clip))]", word] + labels + ["\(age)", country]).joined(separator: ",")
  }
}

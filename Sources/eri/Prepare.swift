import ArgumentParser
import CERISystem
import ERICommands
import ERIDataset
import ERIFormat

/// `eri prepare DATASET CACHE`.
struct Prepare: ParsableCommand {
  /// What of a clip is prepared.
  enum Modality: String, ExpressibleByArgument, CaseIterable {
    case video, audio, both
  }

  static let configuration = CommandConfiguration(
    abstract: "Computes faces and MFCC of a dataset's clips once, into a cache for training and evaluating.",
    discussion:
      "The dataset is a folder with a label file. A clip that cannot be read is reported and counted; a run that was stopped goes on where it ended."
  )

  @Argument(help: "The dataset's folder, with data_info.csv, labels.csv or another .csv file.") var dataset: String
  @Argument(help: "The cache's folder.") var cache: String
  @Option(
    help: "Names of the label columns, separated by commas. Default: all but File_ID, Split, Age, Country, Subject.")
  var labels: String?
  @OptionGroup var threads: ThreadOptions
  @Option(help: "video, audio or both.") var modality = Modality.both
  @Option(help: "Height and width of face crops in pixels.") var imageSize = VideoPreprocessing().height
  @Option(help: "Pictures per clip.") var steps = VideoPreprocessing().steps
  @Option(help: "Side of the crop in sides of the face's box.") var cropScale = VideoPreprocessing().cropScale
  @Option(help: "MFCC per frame.") var coefficients = AudioPreprocessing().coefficientCount

  func validate() throws {
    func check<Value: Comparable>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) throws {
      guard !range.contains(value) else { return }
      throw ValidationError("--\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
    try check("image-size", imageSize, 1...Limits.cropExtent)
    try check("steps", steps, 1...4096)
    try check("crop-scale", cropScale, 0.1...10)
    try check("coefficients", coefficients, 1...AudioPreprocessing().melCount)
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let start = eri_clock_monotonic()
      let bar = ProgressBar()
      do throws(DatasetError) {
        let names = labels?.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        let manifest = try DatasetManifest(folder: dataset, labels: names)
        for warning in manifest.warnings { Console.note(warning) }
        let preparation = Preparation(manifest, to: cache, preprocessing: preprocessing)
        let outcome = try preparation.run(threads: threads.count) { event in
          switch event {
          case .note(let sentence):
            bar.clear()
            Console.note(sentence)
          case .progress(let done, let total): bar.show(cache, done: done, of: total, "clips")
          }
        }
        bar.clear()
        Console.note(summary(outcome, seconds: Double(eri_clock_monotonic() - start) / 1e9))
        guard !outcome.cache.clips.isEmpty else {
          throw DatasetError(
            .invalid, "\(dataset): expected at least one clip that can be read, found none; see the errors above")
        }
        let digest = outcome.cache.digest
        do throws(CommandFailure) { try Console.print("\(digest)  \(cache)") } catch {
          throw DatasetError(.notWritable, error.sentence)
        }
      } catch {
        bar.clear()
        throw CommandFailure(error)
      }
      return .done
    }
  }

  private var preprocessing: Preprocessing {
    var video = VideoPreprocessing()
    (video.steps, video.height, video.width, video.cropScale) = (steps, imageSize, imageSize, cropScale)
    var audio = AudioPreprocessing()
    (audio.steps, audio.coefficientCount) = (steps, coefficients)
    return Preprocessing(video: modality == .audio ? nil : video, audio: modality == .video ? nil : audio)
  }

  private func summary(_ outcome: Preparation.Outcome, seconds: Double) -> String {
    let clips = outcome.cache.clips
    var parts = DatasetSplit.allCases.map { split in "\(clips.count { $0.split == split }) \(split.name)" }
    parts = ["\(clips.count) clips (\(joined(parts, separator: ", ")))", "\(outcome.prepared) prepared now"]
    if outcome.kept > 0 { parts.append("\(outcome.kept) before") }
    parts.append("\(outcome.cache.broken.count) broken")
    if modality != .video { parts.append("\(clips.count { !$0.hasSound }) without sound") }
    if modality != .audio { parts.append("\(clips.count { !$0.hasFaces }) without a face") }
    parts.append("\(fixed(seconds, 1)) s")
    if outcome.prepared > 0 { parts.append("\(fixed(60 * Double(outcome.prepared) / seconds, 0)) clips per minute") }
    return "\(cache): " + joined(parts, separator: ", ")
  }
}

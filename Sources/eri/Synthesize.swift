import ArgumentParser
import ERICommands
import ERIDataset
import ERIFormat

/// `eri synthesize DIR`.
struct Synthesize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes clips of a drawn face with a synthesised voice, whose intensities are known.",
    discussion:
      "The same seed gives the same pixels, samples and intensities on every machine. With --dataset, Anxiety is heard only, Disgust and Empathic-Pain are seen only."
  )

  @Argument(help: "The folder to write to.") var folder: String
  @Option(help: "How many clips.") var clips = 1
  @Option(help: "The seed.") var seed: UInt64 = 0
  @Option(help: "Seconds of each clip.") var seconds = 10.0
  @Option(help: "Width and height of the picture. Faces are found from a height of 220 on.") var size = "320x240"
  @Option(help: "Pictures per second.") var fps = 25
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Write a labelled dataset: data_info.csv and the clips in train/mp4, val/mp4 and test/mp4.")
  var dataset = false
  @Option(help: "With --dataset: percent of the clips for train, val and test.") var split: String?

  func validate() throws {
    if clips < 1 || clips > 1_000_000 { throw ValidationError("--clips: expected 1 to 1000000, found \(clips)") }
    if measures == nil { throw ValidationError("--size: expected WIDTHxHEIGHT, found \"\(size)\"") }
    if let split {
      if !dataset { throw ValidationError("--split: expected --dataset, found none") }
      if SyntheticDataset.Shares(split) == nil {
        throw ValidationError("--split: expected three shares that add up to 100, as 70,15,15, found \"\(split)\"")
      }
    }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let (width, height) = measures ?? (0, 0)
      let format = ClipFormat(width: width, height: height, duration: seconds, framesPerSecond: fps)
      let threads = threads.count
      let bar = ProgressBar()
      do throws(CommandFailure) {
        if dataset { try writeDataset(format, threads, bar) } else { try writeClips(format, threads, bar) }
      } catch {
        bar.clear()
        throw error
      }
      return .done
    }
  }

  /// WIDTHxHEIGHT.
  private var measures: (Int, Int)? {
    let parts = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1] else { return nil }
    return (width, height)
  }

  /// Prints a line that names the label file and how many clips are in each split.
  private func writeDataset(_ format: ClipFormat, _ threads: Int, _ bar: ProgressBar) throws(CommandFailure) {
    let shares = split.flatMap { SyntheticDataset.Shares($0) } ?? .usual
    var counts: [String] = []
    do throws(SynthesisError) {
      let dataset = try SyntheticDataset(seed: seed, count: clips, format: format, shares: shares)
      var done = 0
      bar.show(folder, done: 0, of: clips, "clips")
      try dataset.write(to: folder, threads: threads) {
        done += 1
        bar.show(folder, done: done, of: clips, "clips")
      }
      counts = DatasetSplit.allCases.map { "\(dataset.clips(in: $0)) \($0.words[0])" }
    } catch { throw CommandFailure(.invalid, error.description) }
    bar.clear()
    try Console.print("\(folder)/data_info.csv  \(joined(counts, separator: ", "))")
  }

  /// Prints a line per clip with its intensities.
  private func writeClips(_ format: ClipFormat, _ threads: Int, _ bar: ProgressBar) throws(CommandFailure) {
    var fault: CommandFailure?
    var done = 0
    do throws(SynthesisError) {
      let synthesizer = try Synthesizer(seed: seed, format: format)
      try synthesizer.writeClips(count: clips, to: folder, threads: threads) { clip, path in
        done += 1
        bar.clear()
        let planted = clip.labels.values.map { fixed($0, 2) }
        do throws(CommandFailure) { try Console.print("\(path)  planted \(joined(planted, separator: " "))") } catch {
          fault = fault ?? error
        }
        bar.show(folder, done: done, of: clips, "clips")
      }
    } catch { throw CommandFailure(.invalid, error.description) }
    bar.clear()
    if let fault { throw fault }
  }
}

import ArgumentParser
import ERICommands
import ERIDataset
import ERIFormat

/// `eri synthesize DIR`.
struct Synthesize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes clips of a drawn face with a synthesised voice, whose intensities are known.",
    discussion: "The same seed gives the same pixels, samples and intensities on every machine.")

  @Argument(help: "The folder to write to.") var folder: String
  @Option(help: "How many clips.") var clips = 1
  @Option(help: "The seed.") var seed: UInt64 = 0
  @Option(help: "Seconds of each clip.") var seconds = 10.0

  func validate() throws {
    if clips < 1 || clips > 1_000_000 { throw ValidationError("--clips: expected 1 to 1000000, found \(clips)") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let bar = ProgressBar()
      var fault: CommandFailure?
      var done = 0
      do throws(SynthesisError) {
        let synthesizer = try Synthesizer(seed: seed, format: ClipFormat(duration: seconds))
        try synthesizer.writeClips(count: clips, to: folder) { clip, path in
          done += 1
          bar.clear()
          let planted = clip.labels.values.map { fixed($0, 2) }
          do throws(CommandFailure) { try Console.print("\(path)  planted \(joined(planted, separator: " "))") } catch {
            fault = fault ?? error
          }
          bar.show(folder, Double(done) / Double(clips))
        }
      } catch { throw CommandFailure(.invalid, error.description) }
      bar.clear()
      if let fault { throw fault }
      return .done
    }
  }
}

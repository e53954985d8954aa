import ArgumentParser
import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia

/// `eri features CLIP`.
struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Writes what a clip gives the network: mfcc.npy [F, 128], rows.npy [32, 1024], faces.npy uint8 [32, 112, 112, 3].",
    discussion: "Values are raw: neither z-scored nor normalised. A modality that the clip lacks writes no file.")

  @Argument(help: "The clip.") var clip: String
  @Option(help: "The folder to write to.") var outputDir: String

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let video = VideoPreprocessing()
      let audio = AudioPreprocessing()
      let detector: FaceDetector
      do throws(MediaError) { detector = try FaceDetector() } catch { throw CommandFailure(error) }
      let features: ClipFeatures
      var rows: [Float]?
      do throws(DatasetError) {
        let preprocessing = Preprocessing(video: video, audio: audio)
        features = try ClipFeatures(ClipMedia(path: clip), preprocessing: preprocessing, detector: detector)
        // The default statistics are the identity, so these are raw.
        let inputs = try ClipInputs(preprocessing, of: "eri features")
        rows = try features.mfcc.map { mfcc throws(DatasetError) in try inputs.rows(mfcc) }
      } catch { throw CommandFailure(error) }
      for note in features.notes { Console.note("\(clip): \(note)") }
      try createFolder(outputDir)
      if let mfcc = features.mfcc {
        try write("mfcc", .f32, [mfcc.count / audio.coefficientCount, audio.coefficientCount], mfcc)
      }
      if let rows {
        let width = audio.stack * audio.coefficientCount
        try write("rows", .f32, [rows.count / width, width], rows)
      }
      if let faces = features.faces { try write("faces", .u8, [video.steps, video.height, video.width, 3], faces) }
      return .done
    }
  }

  private func write<Element>(
    _ name: String, _ dtype: DType, _ shape: [Int], _ values: [Element]
  ) throws(CommandFailure) {
    let path = "\(outputDir)/\(name).npy"
    var fault: FormatError?
    values.withUnsafeBytes { bytes in
      do throws(FormatError) { try writeNPY(path, dtype, shape, bytes) } catch { fault = error }
    }
    if let fault { throw CommandFailure(fault) }
    try Console.print("\(name) \(dtype.name) \(shapeText(shape)) -> \(path)")
  }
}

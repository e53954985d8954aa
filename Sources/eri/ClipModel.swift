import ERICommands
import ERIDataset
import ERIFormat
import ERIMedia

/// A model that takes faces, sound or both, with what makes its inputs of a clip.
struct ClipModel: Sendable {
  let path: String
  let model: Model
  let program: Program
  let converter: ClipInputs
  let takesFaces: Bool
  let takesSound: Bool

  /// - Throws: `CommandFailure` if the model cannot be read or is none of faces and sound.
  init(path: String) throws(CommandFailure) {
    self.path = path
    let loaded = try LoadedModel(path: path)
    model = loaded.model
    program = try loaded.program()
    let graph = program.graph
    let names = program.inputs.map { graph.values[$0].name }
    takesFaces = names.contains("faces")
    takesSound = names.contains("audio")
    guard takesFaces || takesSound else {
      throw CommandFailure(
        .unsupported,
        "\(path): expected a model of the inputs faces or audio, found \(names.joined(separator: ", ")); run it with `eri exec`"
      )
    }
    guard takesFaces == (model.preprocessing.video != nil), takesSound == (model.preprocessing.audio != nil) else {
      throw CommandFailure(
        .unsupported,
        "\(path): expected preprocessing for each of the model's inputs, found another; run it with `eri exec`")
    }
    do throws(DatasetError) {
      converter = try ClipInputs(model.preprocessing, of: path, advice: "run it with `eri exec`")
    } catch { throw CommandFailure(error) }
  }

  /// A face detector; nil if the model takes no faces.
  func makeDetector() throws(CommandFailure) -> FaceDetector? {
    do throws(MediaError) { return takesFaces ? try FaceDetector() : nil } catch { throw CommandFailure(error) }
  }

  /// What is wrong with a model whose output is not one intensity per label.
  var otherOutput: CommandFailure {
    CommandFailure(
      .invalid,
      "\(path): expected an output of \(model.labels.count) intensities, found another; its labels do not fit its graph"
    )
  }
}

package import ERIFormat
import ERINetworks

/// The third stage's network: both branches as they were trained, and the part that joins them, which alone is trained.
package struct FusionNetwork {
  /// What the joining part starts from, the sound's first.
  static let audioFeatures = "audio.temporal.norm.out"
  static let videoFeatures = "video.temporal.norm.out"

  /// The whole network with the branches' weights.
  package let whole: Model
  /// The joining part: features of both and what is present to intensities.
  package let head: Model
  package let modalities: ModalityDropout

  /// A branch's file.
  package struct Branch {
    let model: Model
    let path: String

    /// - Throws: `FormatError` unless it is the network of that name.
    package init(reading path: String, network: String) throws(FormatError) {
      model = try Model(reading: path)
      self.path = path
      guard let found = model.provenance?.network, found == network else {
        throw FormatError(
          .invalid, at: path,
          "expected a network \(network) of `eri train`, found \(model.provenance.map { $0.network.isEmpty ? "another" : $0.network } ?? "another")"
        )
      }
    }

    /// Identifies its weights.
    package func weightsDigest() throws(FormatError) -> String {
      do throws(FormatError) { return try model.digests().weights.text } catch { throw error.inside(path) }
    }
  }

  /// - Parameters:
  ///   - settings: parameters of the joining part, whose names begin with "fusion.".
  ///   - labels: the dataset's.
  /// - Throws: `FormatError` naming what does not fit together.
  package init(
    video: Branch, audio: Branch, settings: [Parameter], labels: [String], seed: UInt64
  ) throws(FormatError) {
    for branch in [video, audio] where branch.model.labels != labels {
      throw FormatError(
        .invalid, at: branch.path,
        "expected the dataset's labels \(joined(labels, separator: ", ")), found \(joined(branch.model.labels, separator: ", ")); train it on the same data"
      )
    }
    let network = try Network(
      named: "dual-branch", parameters: try FusionNetwork.parameters(video, audio, settings), labels: labels)
    var model = try network.initialised(seed: seed)
    for (branch, prefix) in [(video, "video."), (audio, "audio.")] {
      var part = branch.model
      part.tensors = part.tensors.filter { $0.name.hasPrefix(prefix) && !$0.name.hasPrefix("\(prefix)head.") }
      do throws(FormatError) { model = try model.replacing(tensorsOf: part) } catch { throw error.inside(branch.path) }
    }
    model.preprocessing = Preprocessing(
      video: video.model.preprocessing.video, audio: audio.model.preprocessing.audio)
    model.lineage = []
    for branch in [video, audio] {
      model.lineage.append(
        LineageStep(
          action: "join", detail: "the branch of \(branch.model.provenance?.network ?? "")",
          source: FusionNetwork.fileName(branch.path), sourceSHA256: try branch.weightsDigest()))
    }
    whole = model
    head = try FusionNetwork.head(of: model)
    guard case .dualBranch(let parameters) = network else {
      throw contractError("expected the network dual-branch, found \(network.name)")
    }
    modalities = ModalityDropout(
      keepBoth: parameters.fusion.keepBoth, keepVideo: parameters.fusion.keepVideo)
  }

  /// The part of a dual-branch network behind both branches' features.
  /// - Throws: `FormatError` if it is another network.
  package static func head(of whole: Model) throws(FormatError) -> Model {
    try whole.part(from: [audioFeatures, videoFeatures], to: "intensities")
  }

  /// What both files say of their branch, where both say it the same, and the settings.
  private static func parameters(
    _ video: Branch, _ audio: Branch, _ settings: [Parameter]
  ) throws(FormatError) -> [Parameter] {
    var parameters = video.model.provenance?.parameters ?? []
    for parameter in audio.model.provenance?.parameters ?? [] {
      guard let known = parameters.first(where: { $0.name == parameter.name }) else {
        parameters.append(parameter)
        continue
      }
      // What was dropped while a branch was trained decides nothing any more.
      guard known.value == parameter.value || parameter.name == "temporal.dropout" else {
        throw FormatError(
          .invalid, at: audio.path,
          "expected \(parameter.name) \(known.value.text) as \(video.path) has it, found \(parameter.value.text); train both with the same"
        )
      }
    }
    for setting in settings {
      guard setting.name.hasPrefix("fusion.") else {
        throw FormatError(
          .invalid, at: "parameter \(setting.name)",
          "expected one of fusion, found one of the branches, which are as their files have them")
      }
      parameters.append(setting)
    }
    return parameters
  }

  private static func fileName(_ path: String) -> String {
    String(decoding: path.utf8.split(separator: 0x2F).last ?? path.utf8[...], as: UTF8.self)
  }

  /// The whole network with the joining part as it was trained.
  package static func assembled(_ head: Model, in whole: Model) throws(TrainError) -> Model {
    do throws(FormatError) {
      var model = try whole.replacing(tensorsOf: head)
      model.provenance = head.provenance
      model.labels = head.labels
      model.lineage = head.lineage
      return model
    } catch { throw TrainError(error) }
  }
}

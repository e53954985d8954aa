package import ERIFormat

/// What the frozen branches make of each sample, computed once: the inputs of the part that joins them.
package final class FusionFeatures: SampleSource {
  package let labels: [String]
  package let samples: [Sample]
  package let digest: String
  /// Of each sample, where its features begin; nil where it lacks the modality or was not asked for.
  private let audio: Features
  private let video: Features

  fileprivate struct Features: Sendable {
    var values: [Float] = []
    var size = 0
    var places: [Int: Int] = [:]
  }

  /// Computes the features of these samples, or reads them from a file that an earlier run left.
  /// - Parameters:
  ///   - file: where they are kept; nil: nowhere.
  ///   - batch: clips that run at once.
  ///   - progress: called with what is computed and the share of it that is done.
  package init(
    of network: FusionNetwork, _ chosen: [Int], from source: any SampleSource, file: String?, batch: Int,
    threads: WorkerThreads, progress: (String, Double) -> Void = { _, _ in }
  ) throws(TrainError) {
    labels = source.labels
    samples = source.samples
    digest = source.digest
    let heard = chosen.filter { source.samples[$0].hasAudio }
    let seen = chosen.filter { source.samples[$0].hasVideo }
    let key = try FusionFeatures.key(network, source, chosen)
    if let file, let known = FusionFeatures.read(file, key: key, heard: heard.count, seen: seen.count) {
      audio = FusionFeatures.placed(known.audio, heard)
      video = FusionFeatures.placed(known.video, seen)
      return
    }
    func compute(_ value: String, _ samples: [Int], _ what: String) throws(TrainError) -> [Float] {
      let part: Model
      let shapes: [(name: String, shape: [Int])]
      do throws(FormatError) {
        part = try network.whole.part(from: [], to: value)
        let program = try Program(validating: part)
        let sizes = [Int?](repeating: 1, count: program.graph.symbols.count)
        shapes = program.inputs.map { index in
          (program.graph.values[index].name, program.types[index].shape.dropFirst().map { $0.evaluated(sizes) ?? 1 })
        }
      } catch { throw TrainError(error, in: "network") }
      let predictor = try Predictor(part, place: what, threads: threads)
      return try predictor.outputs(of: samples, from: source, shapes: shapes, batch: batch) { done in
        progress(what, Double(done) / Double(max(1, samples.count)))
      }
    }
    let audioValues = try compute(FusionNetwork.audioFeatures, heard, "features of sound")
    let videoValues = try compute(FusionNetwork.videoFeatures, seen, "features of faces")
    audio = FusionFeatures.placed(audioValues, heard)
    video = FusionFeatures.placed(videoValues, seen)
    if let file { try write(file, key: key, heard: heard.count, seen: seen.count) }
  }

  private static func placed(_ values: [Float], _ samples: [Int]) -> Features {
    var features = Features(values: values)
    features.size = samples.isEmpty ? 0 : values.count / samples.count
    for (index, sample) in samples.enumerated() { features.places[sample] = index * features.size }
    return features
  }

  package func fill(
    _ input: String, of sample: Int, _ augmentation: Augmentation, into values: UnsafeMutableBufferPointer<Float>
  ) throws(TrainError) {
    switch input {
    case "present": fillPresent(sample, augmentation, values)
    case FusionNetwork.audioFeatures: audio.copy(sample, to: values)
    case FusionNetwork.videoFeatures: video.copy(sample, to: values)
    default: throw TrainError(.invalid, "input \"\(input)\": expected features of a branch, found another")
    }
  }

  // MARK: The file

  /// Identifies what the features depend on: weights, data and the samples chosen.
  private static func key(
    _ network: FusionNetwork, _ source: any SampleSource, _ chosen: [Int]
  ) throws(TrainError) -> String {
    var digest = SHA256()
    for step in network.whole.lineage { digest.update(Array(step.sourceSHA256.utf8)) }
    digest.update(Array(source.digest.utf8))
    for sample in chosen { digest.update(Array("\(sample) ".utf8)) }
    return digest.finished().text
  }

  private func write(_ path: String, key: String, heard: Int, seen: Int) throws(TrainError) {
    var model = Model()
    for (name, features, count) in [("audio", audio, heard), ("video", video, seen)] {
      model.tensors.append(Tensor(name, [count, features.size], role: .optimizerState, floats: features.values))
    }
    var provenance = Provenance()
    provenance.datasetSHA256 = digest
    provenance.training = [Parameter("features", .text(key))]
    model.provenance = provenance
    do throws(FormatError) { try model.write(to: path, level: 1) } catch {
      throw TrainError(.notWritable, error.description)
    }
  }

  /// What an earlier run left; nil if there is none or it is of something else, to be computed again then.
  private static func read(_ path: String, key: String, heard: Int, seen: Int) -> (audio: [Float], video: [Float])? {
    do throws(FormatError) {
      let model = try Model(reading: path)
      guard model.provenance?.training == [Parameter("features", .text(key))], model.tensors.count == 2 else {
        return nil
      }
      var found: [[Float]] = []
      for (tensor, count) in zip(model.tensors, [heard, seen]) {
        guard tensor.dtype == .f32, tensor.shape.count == 2, tensor.shape[0] == count else { return nil }
        found.append(try tensor.elements(zero: 0))
      }
      return (found[0], found[1])
    } catch { return nil }
  }
}

extension FusionFeatures.Features {
  fileprivate func copy(_ sample: Int, to values: UnsafeMutableBufferPointer<Float>) {
    guard let place = places[sample], values.count == size else {
      values.update(repeating: 0)
      return
    }
    self.values.withUnsafeBufferPointer { source in
      _ = values.update(fromContentsOf: source[place..<place + size])
    }
  }
}

import ERICommands
import ERIDataset
import ERIFormat
import ERITrain

/// What a model estimates of a split's clips, and what their labels say, both in the order of the model's labels.
struct LabelledEstimates {
  let labels: [String]
  private(set) var ids: [String] = []
  /// Row-major [clips, labels].
  private(set) var predictions: [Float] = []
  private(set) var truth: [Float] = []
  /// Clips without the modality that the model takes, or without labels.
  private(set) var leftOut = 0
  /// Clips that could not be read.
  private(set) var failed = 0

  // MARK: From a cache

  static func ofCache(
    _ path: String, _ split: DatasetSplit, model modelPath: String, batch: Int, threads: Int
  ) throws(CommandFailure) -> LabelledEstimates {
    let loaded = try LoadedModel(path: modelPath)
    let program = try loaded.program()
    let names = program.inputs.map { program.graph.values[$0].name }
    do {
      let cache = try PreparedCache(path: path)
      let order = try places(of: loaded.model.labels, modelPath, in: cache.labels, path)
      try cache.check(fits: loaded.model.preprocessing, of: modelPath)
      let takes = (
        sound: names.contains("audio") && cache.preprocessing.audio != nil,
        faces: names.contains("faces") && cache.preprocessing.video != nil
      )
      let all = try cache.clips(in: split)
      let clips = all.filter { $0.isLabelled && (takes.sound && $0.hasSound || takes.faces && $0.hasFaces) }
      var estimates = LabelledEstimates(labels: loaded.model.labels)
      estimates.leftOut = all.count - clips.count
      let broken = cache.broken.count { $0.split == split }
      if broken > 0 {
        Console.note("\(path): \(counted(broken, "clip")) of the split could not be prepared and are left out")
      }
      try estimates.requireClips(clips.count, path, split)
      let source = try CacheSamples(
        cache, clips: clips, preprocessing: loaded.model.preprocessing, model: modelPath)
      let pool = try WorkerThreads(count: threads)
      let predictor = try Predictor(loaded.model, place: modelPath, threads: pool)
      // What no clip of the cache has is left out rather than computed from zeros.
      let shapes = program.sampleShapes.filter { input in
        !(input.name == "audio" && !takes.sound || input.name == "faces" && !takes.faces)
      }
      let bar = ProgressBar()
      estimates.predictions = try predictor.outputs(
        of: Array(clips.indices), from: source, shapes: shapes, batch: batch
      ) { bar.show(path, done: $0, of: clips.count, "clips") }
      bar.clear()
      guard estimates.predictions.count == clips.count * estimates.labels.count else {
        throw CommandFailure(
          .invalid,
          "\(modelPath): expected an output of \(estimates.labels.count) intensities, found another; its labels do not fit its graph"
        )
      }
      estimates.ids = clips.map(\.id)
      for clip in clips { estimates.truth += order.map { clip.labels[$0] } }
      return estimates
    } catch let error as CommandFailure {
      throw error
    } catch let error as DatasetError {
      throw CommandFailure(error)
    } catch let error as TrainError { throw CommandFailure(error) } catch { throw CommandFailure(.invalid, "\(error)") }
  }

  // MARK: From clips

  static func ofFolder(
    _ folder: String, _ split: DatasetSplit, labels: [String]?, model: String, threads: Int
  ) throws(CommandFailure) -> LabelledEstimates {
    let estimator = try Estimator(path: model, threads: threads)
    let manifest: DatasetManifest
    let rows: [DatasetManifest.Row]
    do throws(DatasetError) {
      manifest = try DatasetManifest(folder: folder, labels: labels)
      // In the order of a cache, so that the intervals' draws are the same.
      rows = try manifest.rows(in: split).sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    } catch { throw CommandFailure(error) }
    let order = try places(of: estimator.labels, model, in: manifest.labels, manifest.file)
    var estimates = LabelledEstimates(labels: estimator.labels)
    var files = MediaFiles(folder: folder)
    let bar = ProgressBar()
    for (index, row) in rows.enumerated() {
      guard !row.labels.contains(where: \.isNaN) else {
        estimates.leftOut += 1
        continue
      }
      do throws(CommandFailure) {
        let media: ClipMedia
        do throws(DatasetError) { media = try files.media(of: row.id, split) } catch { throw CommandFailure(error) }
        let estimate = try estimator.estimate(media, detector: estimator.detector) { _, _ in }
        estimates.ids.append(row.id)
        estimates.predictions += estimate.intensities
        estimates.truth += order.map { row.labels[$0] }
      } catch {
        bar.clear()
        Console.note("eri: \(error.sentence)")
        estimates.failed += 1
      }
      bar.show(folder, done: index + 1, of: rows.count, "clips")
    }
    bar.clear()
    try estimates.requireClips(estimates.ids.count, folder, split)
    return estimates
  }

  private init(labels: [String]) { self.labels = labels }

  private func requireClips(_ count: Int, _ path: String, _ split: DatasetSplit) throws(CommandFailure) {
    if leftOut > 0 {
      Console.note("\(path): \(counted(leftOut, "clip")) without labels or without what the model takes left out")
    }
    guard count > 0 else {
      throw CommandFailure(
        .invalid,
        "\(path): expected a clip of the split \(split.name) with labels and what the model takes, found none; choose another split or model"
      )
    }
  }

  /// Where each of the model's labels is among the dataset's.
  private static func places(
    of labels: [String], _ model: String, in found: [String], _ data: String
  ) throws(CommandFailure) -> [Int] {
    let places = labels.compactMap { label in found.firstIndex { $0.utf8.elementsEqual(label.utf8) } }
    guard !labels.isEmpty, places.count == labels.count, found.count == labels.count else {
      throw CommandFailure(
        .invalid,
        "\(data): expected the labels of \(model), \(labels.isEmpty ? "which has none" : joined(labels, separator: ", ")), found \(joined(found, separator: ", ")); evaluate on data with the same labels"
      )
    }
    return places
  }

  // MARK: Writing

  /// File_ID and the estimates of each clip, a line each.
  func writeCSV(to path: String) throws(FormatError) {
    var lines = [joined((["File_ID"] + labels).map { csvField($0) }, separator: ",")]
    for (index, id) in ids.enumerated() {
      let values = predictions[index * labels.count..<(index + 1) * labels.count]
      lines.append(joined([csvField(id)] + values.map { decimal($0) }, separator: ","))
    }
    try FileWriter.write(joined(lines, separator: "\n") + "\n", to: path)
  }
}

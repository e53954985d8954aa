import ERIFormat
import ERINetworks
import ERITestSupport
import ERITrain
import Synchronization

/// Samples whose labels can be seen in their sound and, the last of them, in their faces' features alone.
final class PlantedSamples: SampleSource {
  let labels: [String]
  let samples: [Sample]
  let digest = "planted"
  /// A sample whose sound is no number.
  let broken: Int?
  /// How often sound was asked for.
  let reads = Atomic<Int>(0)

  init(count: Int, labels: [String] = ["Joy", "Fear"], broken: Int? = nil, subjects: Int? = nil) {
    self.labels = labels
    self.broken = broken
    samples = (0..<count).map { index in
      var random = SeededRandom(seed: 5, stream: "targets \(index)")
      return Sample(
        id: "clip \(index)", subject: subjects.map { "subject \(index % $0)" },
        targets: labels.map { _ in Float(random.uniform()) }, hasAudio: index % 7 != 3, hasVideo: true)
    }
  }

  func fill(
    _ input: String, of sample: Int, _ augmentation: Augmentation, into values: UnsafeMutableBufferPointer<Float>
  ) throws(TrainError) {
    reads.add(1, ordering: .relaxed)
    if input == "present" { return fillPresent(sample, augmentation, values) }
    let noise = SeededRandom.deviates(values.count, seed: 5, stream: "\(input) \(sample) \(augmentation.frameOffset)")
    for index in values.indices {
      let label = index % labels.count
      values[index] = 2 * (samples[sample].targets[label] - 0.5) + 0.5 * noise[index]
    }
    if sample == broken { values[0] = .nan }
  }
}

/// A run of the narrow audio branch on planted samples.
struct PlantedRun {
  var settings: TrainingSettings
  var source = PlantedSamples(count: 40)
  var threads = 1
  var output: String?
  var parameters = narrowAudioParameters()

  init(epochs: Int = 3, output: String? = nil) {
    settings = TrainingSettings(.audio)
    settings.epochs = epochs
    settings.batch = 8
    settings.learningRate = 3e-3
    self.output = output
    parameters.reaction.labels = ["Joy", "Fear"]
    parameters.temporal.levels = 2
    parameters.temporal.blocks = 1
    parameters.temporal.width = 8
  }

  func task() throws -> TrainingTask {
    let network = Network.audioBranch(parameters)
    let identity = RunIdentity(
      network: network.name, networkParameters: try network.parameters(), labels: source.labels, settings: settings,
      datasetSHA256: source.digest, threads: threads, kernels: try TrainingKernels().name)
    return TrainingTask(
      model: try network.initialised(seed: UInt64(settings.seed)), dropouts: try network.dropoutSites(), source: source,
      training: Array(0..<29), validation: Array(29..<40), identity: identity, output: output)
  }

  /// - Parameter updates: after which it is told to stop; nil: never.
  @discardableResult
  func run(stopAfter updates: Int? = nil, resumes: Bool = false, notes: (String) -> Void = { _ in }) throws
    -> TrainingOutcome
  {
    try withoutActuallyEscaping(notes) { notes in
      var events = TrainingEvents()
      var done = 0
      events.progress = { _, _, _ in done += 1 }
      events.shouldStop = { updates.map { done >= $0 } ?? false }
      events.note = notes
      let trainer = try Trainer(
        task(), threads: WorkerThreads(count: threads), kernels: TrainingKernels(), events: events, resumes: resumes)
      return try trainer.run()
    }
  }
}

import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

@testable import ERITrain

@Suite("Fusion") struct FusionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Files of both branches at narrow widths.
  private func branches(
    _ change: (inout VideoBranchParameters, inout AudioBranchParameters) -> Void = { _, _ in }
  ) throws -> (video: FusionNetwork.Branch, audio: FusionNetwork.Branch) {
    var (video, audio) = (narrowVideoParameters(), narrowAudioParameters())
    video.reaction.labels = ["Joy", "Fear"]
    audio.reaction.labels = ["Joy", "Fear"]
    change(&video, &audio)
    _ = try Network.videoBranch(video).initialised(seed: 1).write(to: folder.path("video.eri"))
    _ = try Network.audioBranch(audio).initialised(seed: 2).write(to: folder.path("audio.eri"))
    return (
      try FusionNetwork.Branch(reading: folder.path("video.eri"), network: "video-branch"),
      try FusionNetwork.Branch(reading: folder.path("audio.eri"), network: "audio-branch")
    )
  }

  private func network(_ settings: [Parameter] = [Parameter("fusion.width", .integer(12))]) throws -> FusionNetwork {
    let files = try branches()
    return try FusionNetwork(
      video: files.video, audio: files.audio, settings: settings, labels: ["Joy", "Fear"], seed: 0)
  }

  private func bytes(_ model: Model, _ name: String) throws -> [UInt8] {
    try #require(model.tensors.first { $0.name == name }).bytes()
  }

  @Test func `the whole network has the branches' weights`() throws {
    let network = try network()
    let (video, audio) = (
      try Model(reading: folder.path("video.eri")), try Model(reading: folder.path("audio.eri"))
    )
    for tensor in network.whole.tensors where !tensor.name.hasPrefix("fusion.") {
      let branch = tensor.name.hasPrefix("video.") ? video : audio
      #expect(try bytes(network.whole, tensor.name) == bytes(branch, tensor.name))
    }
  }

  @Test func `the joining part on features gives what the whole network gives on faces and sound`() throws {
    let network = try network()
    let source = PlantedSamples(count: 10)
    let threads = try WorkerThreads(count: 1)
    let chosen = Array(0..<10)
    let features = try FusionFeatures(
      of: network, chosen, from: source, file: nil, batch: 3, threads: threads)
    let head = try Predictor(network.head, place: "head", threads: threads).outputs(
      of: chosen, from: features,
      shapes: [("audio.temporal.norm.out", [8, 16]), ("video.temporal.norm.out", [8, 16]), ("present", [2])], batch: 4)
    let whole = try Predictor(network.whole, place: "whole", threads: threads).outputs(
      of: chosen, from: source, shapes: [("faces", [8, 3, 32, 32]), ("audio", [8, 24]), ("present", [2])], batch: 4)
    #expect(head.count == 20)
    #expect(relativeDifference(head, whole.map { Double($0) }) < Tolerance.products.bound)
  }

  @Test func `features are computed once`() throws {
    let network = try network()
    let source = PlantedSamples(count: 10)
    let threads = try WorkerThreads(count: 1)
    func read(_ chosen: [Int]) throws -> [Float] {
      let features = try FusionFeatures(
        of: network, chosen, from: source, file: folder.path("features.eri"), batch: 3, threads: threads)
      let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: 128)
      defer { values.deallocate() }
      for sample in chosen {
        try features.fill("audio.temporal.norm.out", of: sample, Augmentation(), into: values)
      }
      return [Float](values)
    }
    let first = try read([0, 1, 2])
    let reads = source.reads.load(ordering: .relaxed)
    #expect(reads > 0)
    #expect(try read([0, 1, 2]) == first)
    #expect(source.reads.load(ordering: .relaxed) == reads)
    // Of other clips the file says nothing.
    _ = try read([0, 1, 4])
    #expect(source.reads.load(ordering: .relaxed) > reads)
  }

  @Test func `training changes the joining part alone`() throws {
    let network = try network()
    let source = PlantedSamples(count: 30)
    let threads = try WorkerThreads(count: 1)
    let features = try FusionFeatures(
      of: network, Array(0..<30), from: source, file: nil, batch: 8, threads: threads)
    var settings = TrainingSettings(.fusion)
    settings.epochs = 2
    settings.batch = 8
    settings.learningRate = 1e-2
    let provenance = try #require(network.whole.provenance)
    let whole = network.whole
    var task = TrainingTask(
      model: network.head, dropouts: [], source: features, training: Array(0..<20), validation: Array(20..<30),
      identity: RunIdentity(
        network: provenance.network, networkParameters: provenance.parameters, labels: source.labels,
        settings: settings, datasetSHA256: source.digest, threads: 1, kernels: ""), output: folder.path("fused.eri")
    ) { (head) throws(TrainError) in try FusionNetwork.assembled(head, in: whole) }
    task.modalities = network.modalities
    _ = try Trainer(task, threads: threads, kernels: TrainingKernels(), events: TrainingEvents()).run()
    let fused = try Model(reading: folder.path("fused.eri"))
    #expect(fused.tensors.map(\.name) == whole.tensors.map(\.name))
    for tensor in whole.tensors {
      let isSame = try bytes(fused, tensor.name) == bytes(whole, tensor.name)
      // The pool's bias cancels in its softmax.
      let isFixed = !tensor.name.hasPrefix("fusion.") || tensor.name == "fusion.pool.bias"
      #expect(isSame == isFixed, "\(tensor.name)")
    }
    #expect(fused.provenance?.trained == true)
    #expect(fused.lineage.map(\.action) == ["join", "join", "train"])
  }

  @Test func `branches that do not fit together are refused`() throws {
    let files = try branches { video, _ in video.temporal.width = 32 }
    let error = #expect(throws: FormatError.self) {
      _ = try FusionNetwork(
        video: files.video, audio: files.audio, settings: [], labels: ["Joy", "Fear"], seed: 0)
    }
    #expect(
      error?.description
        == "\(files.audio.path): expected temporal.width 32 as \(files.video.path) has it, found 16; train both with the same"
    )
  }

  @Test func `a setting of a branch is refused`() {
    let error = #expect(throws: FormatError.self) { try network([Parameter("temporal.width", .integer(8))]) }
    #expect(
      error?.description
        == "parameter temporal.width: expected one of fusion, found one of the branches, which are as their files have them"
    )
  }

  @Test func `another network is no branch`() throws {
    _ = try branches()
    let path = folder.path("video.eri")
    let error = #expect(throws: FormatError.self) {
      _ = try FusionNetwork.Branch(reading: path, network: "audio-branch")
    }
    #expect(
      error?.description == "\(path): expected a network audio-branch of `eri train`, found video-branch")
  }
}

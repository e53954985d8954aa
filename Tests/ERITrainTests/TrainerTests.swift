import ERIFormat
import ERITestSupport
import Foundation
import Testing

@testable import ERITrain

@Suite("Trainer") struct TrainerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func planted(_ name: String, epochs: Int = 3) -> PlantedRun {
    PlantedRun(epochs: epochs, output: folder.path("\(name).eri"))
  }

  /// Every tensor of a checkpoint but the times, by name.
  private func state(_ name: String) throws -> [String: [UInt8]] {
    var state: [String: [UInt8]] = [:]
    for tensor in try Model(reading: folder.path("\(name).checkpoint.eri")).tensors
    where tensor.name != "training.times" {
      state[tensor.name] = try tensor.bytes()
    }
    return state
  }

  @Test func `what can be heard is learned`() throws {
    let outcome = try planted("learned", epochs: 25).run()
    #expect(outcome.history.count == 25)
    #expect((outcome.best?.pearson ?? 0) > 0.8)
    #expect(outcome.history[24].loss < outcome.history[0].loss / 2)
  }

  /// Every option that draws or keeps something.
  private func everything(_ name: String, threads: Int) -> PlantedRun {
    var run = planted(name)
    run.threads = threads
    run.settings.microBatch = 3
    run.settings.averaging = 0.9
    run.settings.optimizer.clip = 0.1
    run.settings.patience = 0
    run.settings.regularisation.mixup = 0.4
    run.settings.regularisation.rowShift = 7
    run.settings.regularisation.timeMasks = 1
    run.settings.regularisation.coefficientMasks = 1
    run.settings.regularisation.coefficientMaskWidth = 3
    run.settings.regularisation.noise = 0.1
    run.settings.regularisation.labelNoise = 0.1
    return run
  }

  @Test(arguments: [1, 2])
  func `a run that is stopped anywhere goes on to the same bits`(threads: Int) throws {
    try everything("whole", threads: threads).run()
    let expected = try state("whole")
    let file = try folder.bytes("whole.eri")
    // 29 clips in batches of 8 are 4 updates: within an epoch, at its end, in the next one.
    for stops in [[1], [4], [3, 6], [5, 1, 1, 1]] {
      let run = everything("parts", threads: threads)
      for (index, updates) in stops.enumerated() {
        #expect(try run.run(stopAfter: updates, resumes: index > 0).wasStopped)
      }
      #expect(try !run.run(resumes: true).wasStopped)
      #expect(try state("parts") == expected)
      #expect(try folder.bytes("parts.eri") == file)
    }
  }

  @Test func `the weights do not depend on the number of threads`() throws {
    try everything("one", threads: 1).run()
    try everything("two", threads: 2).run()
    #expect(try state("one") == state("two"))
  }

  @Test func `a checkpoint within an epoch changes nothing`() throws {
    let run = planted("steps")
    var task = try run.task()
    task.checkpointSteps = 1
    _ = try Trainer(
      task, threads: WorkerThreads(count: 1), kernels: TrainingKernels(), events: TrainingEvents()
    ).run()
    try planted("plain").run()
    #expect(try state("steps") == state("plain"))
  }

  @Test func `gradients of parts add up to those of the batch`() throws {
    var whole = planted("batch", epochs: 1)
    whole.parameters.temporal.dropout = 0
    var parts = planted("parts", epochs: 1)
    parts.parameters.temporal.dropout = 0
    parts.settings.microBatch = 2
    let losses = try [whole, parts].map { try $0.run().history[0].loss }
    #expect(abs(losses[0] - losses[1]) < Tolerance.products.bound * losses[0])
  }

  @Test func `the file holds the best epoch with all that is said of it`() throws {
    let run = planted("best", epochs: 6)
    let outcome = try run.run()
    let model = try Model(reading: folder.path("best.eri"))
    let provenance = try #require(model.provenance)
    let best = try #require(outcome.best)
    #expect(best.pearson == outcome.history.map(\.validationPearson).max())
    #expect(provenance.trained)
    #expect(provenance.network == "audio-branch")
    #expect(provenance.datasetSHA256 == "planted")
    #expect(model.labels == ["Joy", "Fear"])
    #expect(model.lineage.last?.detail == "audio: epoch \(best.epoch) of 6, 29 clips, seed 0")
    #expect(provenance.training.contains(Parameter("best_epoch", .integer(Int64(best.epoch)))))
    #expect(provenance.training.contains(Parameter("best_validation_pearson", .number(best.pearson))))
    #expect(try RunIdentity(of: model).settings == run.settings)
    let predictor = try Predictor(model, place: "best", threads: WorkerThreads(count: 1))
    let outputs = try predictor.outputs(
      of: Array(29..<40), from: run.source, shapes: [("audio", [8, 24])], batch: 4)
    let truth = (29..<40).flatMap { run.source.samples[$0].targets }
    let score = Score(predictions: outputs, truth: truth, labels: run.source.labels)
    #expect(abs(score.meanPearson - best.pearson) < Tolerance.products.bound)
  }

  @Test func `training ends early when nothing improves`() throws {
    var run = planted("early", epochs: 50)
    run.settings.learningRate = 0
    run.settings.earlyStopping = 3
    #expect(try run.run().history.count == 4)
    #expect(try run.run(resumes: true).history.count == 4)
  }

  @Test func `a loss that is no number ends the run and keeps the checkpoint`() throws {
    try planted("nan", epochs: 1).run()
    let before = try folder.bytes("nan.checkpoint.eri")
    var run = planted("nan", epochs: 2)
    run.source = PlantedSamples(count: 40, broken: 4)
    let path = folder.path("nan.checkpoint.eri")
    let error = #expect(throws: TrainError.self) { try run.run(resumes: true) }
    let pattern =
      /epoch 2, update \d: expected a finite loss, found -?nan; lower the learning rate or clip the gradients; the last checkpoint, (.*), is kept/
    #expect(try pattern.wholeMatch(in: error?.sentence ?? "")?.1 == path[...])
    #expect(try folder.bytes("nan.checkpoint.eri") == before)
  }

  @Test func `a run may be made longer`() throws {
    try planted("longer", epochs: 2).run()
    var notes: [String] = []
    try planted("longer", epochs: 3).run(resumes: true) { notes.append($0) }
    try planted("whole", epochs: 3).run()
    #expect(try state("longer") == state("whole"))
    #expect(notes == ["\(folder.path("longer.checkpoint.eri")): made for 2 epochs, goes on to 3"])
  }

  @Test func `a run goes on only with the settings of its checkpoint`() throws {
    try planted("same", epochs: 1).run()
    let path = folder.path("same.checkpoint.eri")
    func sentence(_ change: (inout PlantedRun) -> Void) -> String? {
      var run = planted("same", epochs: 2)
      change(&run)
      return #expect(throws: TrainError.self) { try run.run(resumes: true) }?.sentence
    }
    let advice = "on the command line; give what the checkpoint was made with, or another --out"
    #expect(
      sentence { $0.settings.learningRate = 1e-4 }
        == "\(path): expected a run with learning_rate 0.003, found 0.0001 \(advice)")
    #expect(sentence { $0.settings.seed = 1 } == "\(path): expected a run with seed 0, found 1 \(advice)")
    #expect(
      sentence { $0.settings.optimizer.method = .sgd }
        == "\(path): expected a run with optimizer adam, found sgd \(advice)")
    #expect(
      sentence { $0.parameters.temporal.dropout = 0.5 }
        == "\(path): expected a run with temporal.dropout 0.2, found 0.5 \(advice)")
  }

  @Test func `other threads and what is missing are told when a run goes on`() throws {
    try planted("told", epochs: 1).run()
    var run = planted("told", epochs: 1)
    run.threads = 2
    var notes: [String] = []
    try run.run(resumes: true) { notes.append($0) }
    #expect(
      notes == [
        "\(folder.path("told.checkpoint.eri")): made with 1 thread, goes on with 2; the result does not depend on it"
      ])
  }

  @Test func `the best epoch's file is written again if the run ended before it was`() throws {
    try planted("lost", epochs: 1).run()
    let file = try folder.bytes("lost.eri")
    try FileManager.default.removeItem(atPath: folder.path("lost.eri"))
    try planted("lost", epochs: 1).run(resumes: true)
    #expect(try folder.bytes("lost.eri") == file)
  }

  @Test func `an earlier best epoch that is gone is asked for`() throws {
    var run = planted("gone", epochs: 3)
    run.settings.learningRate = 0
    try run.run()
    try FileManager.default.removeItem(atPath: folder.path("gone.eri"))
    let error = #expect(throws: TrainError.self) { try run.run(resumes: true) }
    #expect(
      error?.sentence
        == "\(folder.path("gone.eri")): expected the weights of epoch 1, the best of the run to go on with, found none; put the file back, or train without --resume"
    )
  }

  @Test func `a model that is no checkpoint is refused`() throws {
    let run = planted("none", epochs: 1)
    _ = try run.task().model.write(to: folder.path("none.checkpoint.eri"))
    let error = #expect(throws: TrainError.self) { try run.run(resumes: true) }
    #expect(
      error?.sentence
        == "\(folder.path("none.checkpoint.eri")): expected the record of a training run, found none; give a checkpoint of `eri train`"
    )
  }

  @Test func `samples are asked for`() throws {
    let run = planted("empty")
    var task = try run.task()
    task.validation = []
    let error = #expect(throws: TrainError.self) {
      _ = try Trainer(
        task, threads: WorkerThreads(count: 1), kernels: TrainingKernels(), events: TrainingEvents())
    }
    #expect(error?.sentence == "data: expected samples for validation, found none")
  }
}

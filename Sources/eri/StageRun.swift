import CERISystem
import ERICommands
import ERIFormat
import ERITrain

/// One run of one stage, with what is shown and logged of it.
struct StageRun {
  let task: TrainingTask
  let training: StageTraining
  /// What this run's log and curve end in, where a command makes several.
  let suffix: String

  /// "audio", or "audio, fold 2".
  var name: String {
    let settings = task.identity.settings
    return settings.stage.rawValue + (settings.fold > 0 ? ", fold \(settings.fold)" : "")
  }

  /// - Parameter resumes: whether to go on from the checkpoint, if there is one.
  func train(resumes: Bool) throws(CommandFailure) -> TrainingOutcome {
    var task = task
    let options = training.options
    task.checkpointSteps = options.checkpointSteps ?? 0
    task.checkpointSeconds = 60 * (options.checkpointMinutes ?? 0)
    let checkpoint = task.output.map { TrainingTask.checkpointPath(of: $0) }
    let hasCheckpoint = checkpoint.map { StageRun.exists($0) } ?? false
    if let checkpoint {
      if resumes && !hasCheckpoint { Console.note("\(checkpoint): none yet, training begins at the beginning") }
      if !resumes && hasCheckpoint { Console.note("\(checkpoint): of an earlier run, is replaced") }
    }
    let clips = "\(task.training.count) clips to train on, \(task.validation.count) to validate with"
    Console.note(
      "\(name): \(clips), \(counted(training.threads.count, "thread")), kernels \(training.kernels.name)")
    let bar = ProgressBar()
    let failure = FailureBox()
    var events = TrainingEvents()
    events.shouldStop = { Interruption.isAsked || failure.error != nil }
    events.note = { sentence in
      bar.clear()
      Console.note(sentence)
    }
    events.progress = { epoch, share, loss in
      bar.show("\(name): epoch \(epoch)/\(options.epochs), loss \(fixed(loss, 5))", share)
    }
    events.epoch = { history, times, isBest in
      bar.clear()
      guard let record = history.last, let time = times.last else { return }
      Console.note(line(record, time, isBest: isBest))
      do throws(FormatError) { try write(history, times) } catch { failure.error = error }
    }
    do throws(TrainError) {
      let trainer = try Trainer(
        task, threads: training.threads, kernels: training.kernels, events: events, resumes: resumes && hasCheckpoint)
      let outcome = try trainer.run()
      bar.clear()
      if let error = failure.error { throw TrainError(error) }
      return outcome
    } catch {
      bar.clear()
      throw CommandFailure(error)
    }
  }

  private final class FailureBox {
    var error: FormatError?
  }

  private static func exists(_ path: String) -> Bool {
    do throws(FormatError) { _ = try FileHandle(path: path) } catch { return false }
    return true
  }

  private func write(_ history: [EpochRecord], _ times: [EpochTime]) throws(FormatError) {
    if let log = training.options.log { try TrainingLog.write(history, times, to: suffixed(log, suffix)) }
    if let curve = training.options.curve {
      try LearningCurve(title: "\(name)", history: history).write(to: suffixed(curve, suffix))
    }
  }

  private func line(_ record: EpochRecord, _ time: EpochTime, isBest: Bool) -> String {
    let parts = [
      "\(name): epoch \(record.epoch)/\(training.options.epochs)", "loss \(fixed(record.loss, 5))",
      "train \(fixed(record.trainingPearson, 4))", "validation \(fixed(record.validationPearson, 4))",
      "lr \(decimal(record.learningRate))", "\(fixed(time.seconds, 1)) s",
      "\(fixed(time.samplesPerSecond, 1)) samples/s",
    ]
    return joined(parts, separator: "  ") + (isBest ? "  best" : "")
  }
}

extension CommandFailure {
  /// Why training cannot go on.
  init(_ error: TrainError) {
    switch error.kind {
    case .invalid, .exhausted, .notWritable: self.init(.invalid, error.sentence)
    case .unsupported: self.init(.unsupported, error.sentence)
    }
  }
}

package import ERIFormat

/// The history of a run as lines of JSON, one per epoch.
package enum TrainingLog {
  package static func line(_ record: EpochRecord, _ time: EpochTime, isBest: Bool) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("epoch") { $0.integer(record.epoch) }
      json.member("loss") { $0.number(record.loss) }
      json.member("train_pearson") { $0.number(record.trainingPearson) }
      json.member("validation_loss") { $0.number(record.validationLoss) }
      json.member("validation_pearson") { $0.number(record.validationPearson) }
      json.member("learning_rate") { $0.number(record.learningRate) }
      json.member("gradient_norm") { $0.number(record.gradientNorm) }
      json.member("seconds") { $0.number(time.seconds) }
      json.member("samples_per_second") { $0.number(time.samplesPerSecond) }
      json.member("best") { $0.boolean(isBest) }
    }
    return json.text
  }

  /// Replaces the file by the whole history, so that a run that goes on leaves no line twice.
  package static func write(_ history: [EpochRecord], _ times: [EpochTime], to path: String) throws(FormatError) {
    var text = ""
    var best = -Double.infinity
    for (record, time) in zip(history, times) {
      text += line(record, time, isBest: record.validationPearson > best) + "\n"
      best = max(best, record.validationPearson)
    }
    try FileWriter.write(text, to: path)
  }
}

import ArgumentParser
import ERICommands
import ERIDataset
import ERIFormat
import ERITrain

/// `eri evaluate MODEL DATA`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares a model's estimates with a dataset's labels: correlation, error, concordance.",
    discussion:
      "DATA is a prepared cache, or a dataset's folder with a label file, whose clips and sound files are then read. A clip that fails is reported and left out; the exit code is then 2."
  )

  @Argument(help: "The model.") var model: String
  @Argument(help: "A cache that `eri prepare` made, or a dataset's folder.") var data: String
  @Option(help: "train, validation (val, devel) or test.") var split = "validation"
  @Flag(help: "Print one JSON object.") var json = false
  @Option(help: "A file for every clip's estimates: File_ID and a column per label.") var predictions: String?
  @Option(help: "Of a folder, the columns that are labels, separated by commas, as in prepare.") var labels: String?
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Clips of a cache that run at once.") var batch = 16
  @Option(help: "How often clips are drawn anew for the intervals.") var draws = 1_000
  @Option(help: "The seed of these draws.") var seed: UInt64 = 0

  func validate() throws {
    if DatasetSplit(word: split) == nil {
      throw ValidationError("--split: expected train, validation, val, devel or test, found \"\(split)\"")
    }
    if batch < 1 || batch > 65_536 { throw ValidationError("--batch: expected 1 to 65536, found \(batch)") }
    if draws < 1 || draws > 1_000_000 { throw ValidationError("--draws: expected 1 to 1000000, found \(draws)") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let split = DatasetSplit(word: self.split) ?? .validation
      let estimates: LabelledEstimates
      if PreparedCache.isCache(data) {
        estimates = try .ofCache(data, split, model: model, batch: batch, threads: threads.count)
      } else {
        estimates = try .ofFolder(
          data, split, labels: labels?.split(separator: ",").map { String($0) }, model: model, threads: threads.count)
      }
      if let predictions {
        do throws(FormatError) { try estimates.writeCSV(to: predictions) } catch { throw CommandFailure(error) }
      }
      let report = EvaluationReport(
        estimates, model: model, data: data, split: split.name, draws: draws, seed: seed)
      for warning in report.score.warnings { Console.note("\(data): \(warning)") }
      try Console.print(json ? report.json : report.text)
      return estimates.failed > 0 ? .invalid : .done
    }
  }
}

/// Scores as text and JSON.
struct EvaluationReport {
  let score: Score
  private let intervals: ScoreIntervals
  private let estimates: LabelledEstimates
  private let model: String
  private let data: String
  private let split: String

  init(_ estimates: LabelledEstimates, model: String, data: String, split: String, draws: Int, seed: UInt64) {
    self.estimates = estimates
    self.model = model
    self.data = data
    self.split = split
    score = Score(predictions: estimates.predictions, truth: estimates.truth, labels: estimates.labels)
    intervals = ScoreIntervals(
      predictions: estimates.predictions, truth: estimates.truth, labels: estimates.labels.count, draws: draws,
      seed: seed)
  }

  var text: String {
    var table = TextTable([.left, .right, .left, .right, .right])
    table.add(["label", "pearson", "95 %", "ccc", "mse"])
    func interval(_ interval: ScoreInterval) -> String {
      interval.low.isNaN ? "" : "\(fixed(interval.low, 3)) to \(fixed(interval.high, 3))"
    }
    func number(_ value: Double) -> String { value.isNaN ? "NaN" : fixed(value, 4) }
    for (label, range) in zip(score.labels, intervals.pearson) {
      table.add([
        label.label, number(label.pearson), label.pearson.isNaN ? "" : interval(range), number(label.concordance),
        number(label.meanSquaredError),
      ])
    }
    table.add([
      "mean", number(score.meanPearson), interval(intervals.meanPearson), number(score.meanConcordance),
      number(score.meanSquaredError),
    ])
    return "\(split): \(counted(score.count, "clip"))\n" + table.text(indent: "  ")
  }

  /// One object on one line; docs/commands.md lists its members.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("model") { $0.string(model) }
      json.member("data") { $0.string(data) }
      json.member("split") { $0.string(split) }
      json.member("count") { $0.integer(score.count) }
      json.member("left_out") { $0.integer(estimates.leftOut) }
      json.member("failed") { $0.integer(estimates.failed) }
      json.member("labels") { $0.strings(score.labels.map(\.label)) }
      json.member("pearson") { json in numbers(score.labels.map(\.pearson), &json) }
      json.member("mean_pearson") { $0.number(score.meanPearson) }
      json.member("mse") { $0.number(score.meanSquaredError) }
      json.member("ccc") { $0.number(score.meanConcordance) }
      json.member("interval") { json in put(intervals.meanPearson, &json) }
      json.member("label_mse") { json in numbers(score.labels.map(\.meanSquaredError), &json) }
      json.member("label_ccc") { json in numbers(score.labels.map(\.concordance), &json) }
      json.member("label_interval") { json in
        json.array { json in for interval in intervals.pearson { put(interval, &json) } }
      }
      json.member("warnings") { $0.strings(score.warnings) }
    }
    return json.text
  }

  private func numbers(_ values: [Double], _ json: inout JSONWriter) {
    json.array { json in for value in values { json.number(value) } }
  }

  private func put(_ interval: ScoreInterval, _ json: inout JSONWriter) {
    numbers([interval.low, interval.high], &json)
  }
}

import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite("eri train and eri evaluate") struct TrainTests {
  private static let run = "train audio --data cache --batch 4 --lr 0.01 \(SoundDataset.small)"

  @Test func `a branch is trained, logged, checked and evaluated`() throws {
    let data = try SoundDataset()
    let outcome = try data.run("\(TrainTests.run) --out a.eri --epochs 12 --log a.jsonl --curve a.svg")
    #expect(outcome.status == 0)
    let printed = try #require(
      try /audio  epoch (\d+)  validation (0\.\d{4})\nweights [0-9a-f]{64}\nlogical [0-9a-f]{64}\n/.wholeMatch(
        in: outcome.output))
    #expect(
      outcome.errors.contains(
        "Fear: the label is the same in all 6 samples; its correlation counts as 0"))
    let log = try String(contentsOf: data.folder.url("a.jsonl"), encoding: .utf8).split(separator: "\n").map {
      try object($0)
    }
    #expect(log.count == 12)
    #expect(
      Set(log[0].keys) == [
        "epoch", "loss", "train_pearson", "validation_loss", "validation_pearson", "learning_rate", "gradient_norm",
        "seconds", "samples_per_second", "best",
      ])
    let best = try #require(Int(printed.1))
    #expect(log.last { $0["best"] as? Bool == true }?["epoch"] as? Int == best)
    #expect(try String(contentsOf: data.folder.url("a.svg"), encoding: .utf8).hasPrefix("<svg"))
    #expect(try data.run("check a.eri").status == 0)

    let evaluation = try object(try data.run("evaluate a.eri cache --json").output)
    #expect(evaluation["count"] as? Int == 6)
    #expect(evaluation["labels"] as? [String] == ["Joy", "Fear"])
    let mean = try #require(evaluation["mean_pearson"] as? Double)
    #expect(abs(mean - (log[best - 1]["validation_pearson"] as? Double ?? .nan)) < Tolerance.products.bound)
    // The constant label is null and counts as 0.
    let each = try #require(evaluation["pearson"] as? [Any])
    #expect(each[1] is NSNull)
    #expect(abs(2 * mean - (each[0] as? Double ?? .nan)) < 1e-12)
    #expect((evaluation["interval"] as? [Double])?.count == 2)
    #expect((each[0] as? Double ?? 0) > 0.8)
  }

  @Test func `a cache and the sound files it was made of are evaluated alike`() throws {
    let data = try SoundDataset()
    _ = try data.run("\(TrainTests.run) --out a.eri --epochs 2")
    for split in ["val", "test"] {
      let cache = try data.run("evaluate a.eri cache --split \(split) --predictions cache.csv")
      let folder = try data.run("evaluate a.eri data --split \(split) --predictions data.csv")
      #expect(cache.status == 0)
      #expect(folder.output == cache.output)
      let lines = try ["cache.csv", "data.csv"].map {
        try String(contentsOf: data.folder.url($0), encoding: .utf8).split(separator: "\n").sorted()
      }
      #expect(lines[0].count == 7)
      #expect(lines[0].last == "File_ID,Joy,Fear")
      for (a, b) in zip(lines[0], lines[1]) {
        let (a, b) = (a.split(separator: ","), b.split(separator: ","))
        #expect(a[0] == b[0])
        if let x = Float(a[1]), let y = Float(b[1]) { #expect(abs(x - y) < 1e-5) }
      }
    }
  }

  @Test func `labels are matched by name`() throws {
    let data = try SoundDataset()
    _ = try data.run("\(TrainTests.run) --out a.eri --epochs 1")
    let outcome = try data.run("evaluate a.eri data --labels Joy")
    #expect(outcome.status == 2)
    #expect(
      outcome.errors
        == "eri: data/labels.csv: expected the labels of a.eri, Joy, Fear, found Joy; evaluate on data with the same labels\n"
    )
    let swapped = try object(try data.run("evaluate a.eri data --labels Fear,Joy --json").output)
    #expect(swapped["labels"] as? [String] == ["Joy", "Fear"])
    #expect((swapped["pearson"] as? [Any])?[1] is NSNull)
  }

  /// Waits until a file appears or changes; false after ten seconds or when the process has ended.
  private func awaitChange(of url: URL, since date: Date?, _ process: Process) -> Bool {
    for _ in 0..<10_000 {
      let now = try? FileManager.default.attributesOfItem(atPath: url.path)[.modificationDate] as? Date
      if let now, now != date { return true }
      guard process.isRunning else { return false }
      usleep(1_000)
    }
    return false
  }

  private func started(_ words: String, in folder: TemporaryFolder) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.eri.path)
    process.arguments = words.split(separator: " ").map { String($0) }
    process.currentDirectoryURL = folder.url
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func states(_ name: String, _ data: SoundDataset) throws -> [String: [UInt8]] {
    var states: [String: [UInt8]] = [:]
    for tensor in try Model(reading: data.folder.path(name)).tensors where tensor.name != "training.times" {
      states[tensor.name] = try tensor.bytes()
    }
    return states
  }

  @Test(arguments: [1, 2])
  func `a run that is killed again and again ends with the bits of one that is not`(threads: Int) throws {
    let data = try SoundDataset()
    let words = "\(TrainTests.run) --epochs 30 --threads \(threads) --checkpoint-steps 1 --averaging 0.9 --mixup 0.3"
    #expect(try data.run("\(words) --out whole.eri").status == 0)
    var kills = 0
    // A little later each time: within an update, a validation, the writing of a checkpoint or of the best epoch's file.
    for delay in 0..<12 {
      let checkpoint = data.folder.url("parts.checkpoint.eri")
      let before = try? FileManager.default.attributesOfItem(atPath: checkpoint.path)[.modificationDate] as? Date
      let process = try started("\(words) --out parts.eri --resume", in: data.folder)
      if awaitChange(of: checkpoint, since: before, process) { usleep(UInt32(delay * 700)) }
      if process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        kills += 1
      }
      process.waitUntilExit()
    }
    #expect(kills > 8)
    #expect(try data.run("\(words) --out parts.eri --resume").status == 0)
    #expect(try data.folder.bytes("parts.eri") == data.folder.bytes("whole.eri"))
    #expect(try states("parts.checkpoint.eri", data) == states("whole.checkpoint.eri", data))
  }

  @Test func `a signal ends the run after its update, with a checkpoint`() throws {
    let data = try SoundDataset()
    let words = "\(TrainTests.run) --epochs 100000 --out a.eri"
    let process = try started(words, in: data.folder)
    #expect(awaitChange(of: data.folder.url("a.checkpoint.eri"), since: nil, process))
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 143)
    #expect(try data.run("check a.eri").status == 0)
    let epochs = try Model(reading: data.folder.path("a.checkpoint.eri")).tensors.first {
      $0.name == "training.history"
    }
    #expect((epochs?.shape[0] ?? 0) > 0)
  }

  @Test func `a run goes on only with its own options and data`() throws {
    let data = try SoundDataset()
    _ = try data.run("\(TrainTests.run) --out a.eri --epochs 1")
    let outcome = try data.run("\(TrainTests.run) --out a.eri --epochs 2 --resume --clip 1")
    #expect(outcome.status == 2)
    #expect(
      outcome.errors.hasSuffix(
        "eri: a.checkpoint.eri: expected a run with clip 0.0, found 1.0 on the command line; give what the checkpoint was made with, or another --out\n"
      ))
  }

  @Test func `folds are trained one after another and their mean is printed`() throws {
    let data = try SoundDataset()
    let outcome = try data.run("\(TrainTests.run) --epochs 2 --folds 3 --fold-by subject")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4)
    let values = try lines.dropLast().enumerated().map { index, line in
      let pattern = try Regex("audio, fold \(index + 1)  epoch \\d+  validation (-?0\\.\\d{4})")
      return Double(try #require(try pattern.wholeMatch(in: line)?[1].substring)) ?? .nan
    }
    let mean = try #require(try /mean of 3 folds  validation (-?0\.\d{4})/.wholeMatch(in: lines[3]))
    #expect(abs((Double(mean.1) ?? .nan) - values.reduce(0, +) / 3) < 1e-4)
    #expect(try data.folder.entries() == ["cache", "data"])
  }

  @Test(arguments: [
    ("--epochs 2", "--out: expected a file to write, found none"),
    ("--out a.npz", "--out: expected a name that ends in .eri, found a.npz"),
    ("--out a.eri --folds 1", "--folds: expected at least 2, found 1"),
    ("--out a.eri --factor 2", "parameter factor: expected 0.0 to 1.0, found 2.0"),
    ("--out a.eri --row-shift 8", "parameter row_shift: expected 0 to 7, found 8"),
    ("--out a.eri --map m", "--map: expected --init, found none"),
  ])
  func `a wrong command line is told`(options: String, sentence: String) throws {
    let folder = try TemporaryFolder()
    let outcome = try Tool.eri.run("train audio --data cache \(options)", in: folder)
    #expect(outcome.status == 64)
    #expect(outcome.errors.split(separator: "\n").first == "Error: \(sentence)")
  }

  @Test func `what a cache lacks is told`() throws {
    let data = try SoundDataset(clips: 8)
    var outcome = try data.run("train video --data cache --out v.eri")
    #expect(outcome.status == 2)
    #expect(
      outcome.errors
        == "eri: cache: expected faces, found a cache without; prepare the dataset with --modality both\n")
    outcome = try data.run("train audio --data cache --out a.eri --set steps=9")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("eri: cache: expected features as audio-branch takes them"))
    outcome = try data.run("train audio --data cache --out a.eri --set fusion.width=9")
    #expect(outcome.status == 3)
    #expect(
      outcome.errors
        == "eri: parameter fusion.width: expected a parameter of audio-branch, found one it does not have\n")
  }
}

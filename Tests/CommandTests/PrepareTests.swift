import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// A folder with a dataset of WAV files of a second or two.
private struct Dataset {
  let folder: TemporaryFolder

  init(_ count: Int) throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.url("data/audio"), withIntermediateDirectories: true)
    var lines = "File_ID,Split,Joy,Fear\n"
    for index in 0..<count {
      if index < 4 {
        var random = SeededRandom(seed: UInt64(index), stream: "wave")
        let samples = (0..<40_000).map { _ in Int16(random.uniform(in: -9000...9000)) }
        _ = try folder.write("data/audio/c\(index).wav", waveFile(samples: samples))
      } else {
        try FileManager.default.linkItem(
          at: folder.url("data/audio/c\(index % 4).wav"), to: folder.url("data/audio/c\(index).wav"))
      }
      lines += "[c\(index)],\(["Train", "Devel", "Test"][index % 3]),\(Float(index) / Float(count)),\(index % 2)\n"
    }
    _ = try folder.write("data/labels.csv", Array(lines.utf8))
  }

  func run(_ words: String) throws -> Tool.Outcome { try Tool.eri.run(words, in: folder) }
}

/// The summary with what differs from run to run as #.
private func withoutTimes(_ text: String) -> String {
  text.replacing(/\d+\.\d s/, with: "# s").replacing(/\d+ clips per minute/, with: "# clips per minute")
}

@Suite struct PrepareTests {
  @Test func `prepare tells what became of the clips and prints the digest`() throws {
    let dataset = try Dataset(7)
    // A link to another clip's file, which must not change with it.
    try FileManager.default.removeItem(at: dataset.folder.url("data/audio/c5.wav"))
    _ = try dataset.folder.write("data/audio/c5.wav", Array("no sound".utf8))
    let first = try dataset.run("prepare data cache --modality audio --threads 2")
    #expect(first.status == 0)
    #expect(
      withoutTimes(first.errors) == """
        data/audio/c5.wav, first bytes: expected a sound or video file, found none of the known formats; convert it, for \
        example with ffmpeg to .mp4 or .wav
        cache: 6 clips (3 train, 2 validation, 1 test), 6 prepared now, 1 broken, 0 without sound, # s, # clips per minute

        """)
    #expect(first.output.wholeMatch(of: /[0-9a-f]{64}  cache\n/) != nil)
    try FileManager.default.removeItem(at: dataset.folder.url("data/audio/c5.wav"))
    try FileManager.default.linkItem(
      at: dataset.folder.url("data/audio/c1.wav"), to: dataset.folder.url("data/audio/c5.wav"))
    let second = try dataset.run("prepare data cache --modality audio")
    #expect(
      withoutTimes(second.errors) == """
        cache: 6 clips were prepared before, 1 are to be prepared
        cache: 7 clips (3 train, 2 validation, 2 test), 1 prepared now, 6 before, 0 broken, 0 without sound, # s, # clips per minute

        """)
    #expect(second.output != first.output)
  }

  @Test func `a killed run is gone on with, and the cache is that of an uninterrupted one`() throws {
    let dataset = try Dataset(150)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("eri")
    process.arguments = ["prepare", "data", "cache", "--modality", "audio", "--threads", "1"]
    process.currentDirectoryURL = dataset.folder.url("")
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let deadline = Date().addingTimeInterval(60)
    while !FileManager.default.fileExists(atPath: dataset.folder.path("cache/shard-00001.eri")), Date() < deadline {
      usleep(500)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try #require(process.terminationReason == .uncaughtSignal)
    let resumed = try dataset.run("prepare data cache --modality audio --threads 1")
    let kept = try #require(resumed.errors.firstMatch(of: /cache: (\d+) clips were prepared before/)?.1)
    #expect([32, 64, 96, 128].contains(Int(kept)))
    let whole = try dataset.run("prepare data whole --modality audio --threads 2")
    #expect(resumed.output.replacing("cache", with: "whole") == whole.output)
    let names = try FileManager.default.contentsOfDirectory(atPath: dataset.folder.path("cache"))
    #expect(names.filter { $0.hasPrefix(".") } == [])
  }

  @Test func `a dataset of which no clip can be read is an error`() throws {
    let dataset = try Dataset(1)
    _ = try dataset.folder.write("data/audio/c0.wav", [])
    let outcome = try dataset.run("prepare data cache --modality audio")
    #expect(outcome.status == 2)
    #expect(outcome.output == "")
    #expect(
      outcome.errors.hasSuffix(
        "eri: data: expected at least one clip that can be read, found none; see the errors above\n"))
  }

  @Test func `labels outside 0 to 1 stop before anything is written`() throws {
    let dataset = try Dataset(1)
    _ = try dataset.folder.write("data/labels.csv", Array("File_ID,Split,A\nc0,train,55\n".utf8))
    #expect(
      try dataset.run("prepare data cache")
        == Tool.Outcome(
          errors:
            "eri: data/labels.csv, line 2: expected an intensity from 0 to 1 in column A, found \"55\"; correct it, or leave the "
            + "column out with --labels\n", status: 2))
    #expect(try dataset.folder.entries() == ["data"])
  }
}

@Suite struct SynthesizedDatasetTests {
  private static let words = "--dataset --clips 4 --seed 5 --seconds 0.4 --split 50,25,25 --fps 10"

  @Test func `a synthesised dataset has Hume-Reaction's layout, the same bytes on any number of threads`() throws {
    let folder = try TemporaryFolder()
    let one = try Tool.eri.run("synthesize a \(Self.words) --threads 1", in: folder)
    let three = try Tool.eri.run("synthesize b \(Self.words) --threads 3", in: folder)
    #expect(one == Tool.Outcome("a/data_info.csv  2 train, 1 val, 1 test\n"))
    #expect(three == Tool.Outcome("b/data_info.csv  2 train, 1 val, 1 test\n"))
    let files = ["train/mp4/00000.mp4", "train/mp4/00001.mp4", "val/mp4/00002.mp4", "test/mp4/00003.mp4"]
    for file in files + ["data_info.csv"] { #expect(try folder.bytes("a/\(file)") == folder.bytes("b/\(file)")) }
    let lines = String(decoding: try folder.bytes("a/data_info.csv"), as: UTF8.self).split(separator: "\n")
    #expect(
      lines[0] == "File_ID,Split,Adoration,Amusement,Anxiety,Disgust,Empathic-Pain,Fear,Surprise,Age,Country")
    #expect(lines.count == 5)
    let pattern = /\[0000\d\],(Train|Val|Test)(,[01]\.\d+(e-\d+)?){7},\d\d,(United States|South Africa)/
    for line in lines.dropFirst() { #expect(line.wholeMatch(of: pattern) != nil) }
    let prepared = try Tool.eri.run("prepare a cache --steps 4 --image-size 32 --threads 2", in: folder)
    #expect(prepared.status == 0)
    #expect(prepared.errors.contains("4 clips (2 train, 1 validation, 1 test), 4 prepared now, 0 broken"))
    #expect(prepared.errors.contains("0 without sound, 0 without a face"))
  }
}

import ERITestSupport
import Foundation
import Testing

/// A small model that takes faces and sound in steps of a row, and a synthesised clip of two seconds.
private struct Live {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder.withClipModel() }

  func run(_ words: String) throws -> Tool.Outcome { try Tool.eri.run(words, in: folder) }

  static let clip = "made/clip_0000.mp4"
  static let summary =
    "11 steps of 0.186 s, 0 pictures dropped; "
    + "quiet sound is cut relative to the loudest of the last 1.5 s, not of the whole clip\n"
}

@Suite struct LiveTests {
  private let live: Live

  init() throws { live = try Live() }

  @Test func `a file gives a JSON object per step`() throws {
    let outcome = try live.run("run --live model.eri \(Live.clip) --json")
    #expect(outcome.status == 0)
    #expect(outcome.errors == Live.summary)
    let steps = try outcome.output.split(separator: "\n").map { try object($0) }
    #expect(steps.compactMap { $0["step"] as? Int } == Array(0..<11))
    #expect(
      steps.allSatisfy {
        Set($0.keys) == [
          "step", "time", "labels", "intensities", "modalities", "face", "window", "milliseconds", "dropped",
        ]
      })
    #expect(steps.allSatisfy { ($0["intensities"] as? [Double])?.count == 7 })
    #expect(steps.allSatisfy { $0["modalities"] as? [String] == ["audio", "video"] })
    #expect(steps.allSatisfy { $0["dropped"] as? Int == 0 })
    let windows = steps.compactMap { $0["window"] as? [String: Int] }
    #expect(windows.compactMap { $0["video"] } == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8])
    #expect(windows.compactMap { $0["audio"] } == [1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
    let milliseconds = try #require(steps[3]["milliseconds"] as? [String: Double])
    #expect(Set(milliseconds.keys) == ["detect", "face", "sound", "network", "latency"])
  }

  @Test func `a step is a readable line otherwise`() throws {
    let outcome = try live.run("run --live model.eri \(Live.clip)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 11)
    #expect(
      lines[0].wholeMatch(of: /0\.19 s  Adoration 0\.\d{3}  .*Surprise 0\.\d{3}  \(audio, video, \d+ ms\)/) != nil)
  }

  @Test func `standard input gives the same estimates as the file`() throws {
    _ = try live.folder.ffmpeg("clip.mkv", "-i", live.folder.path(Live.clip), "-c", "copy")
    let file = try live.run("run --live model.eri clip.mkv --json")
    let piped = try Command.run(
      [Tool.eri.path, "run", "--live", "model.eri", "-", "--json"], input: live.folder.bytes("clip.mkv"),
      in: live.folder.url)
    func intensities(_ text: String) throws -> [[Double]] {
      try text.split(separator: "\n").compactMap { try object($0)["intensities"] as? [Double] }
    }
    #expect(piped.status == 0)
    #expect(try intensities(piped.text) == intensities(file.output))
    // Matroska keeps the encoder's last samples, which mp4 cuts off: they may begin a twelfth step.
    #expect(try (11...12).contains(intensities(piped.text).count))
  }

  @Test func `a short clip's only step estimates what run does of it`() throws {
    _ = try live.folder.ffmpeg(
      "short.wav", "-i", live.folder.path(Live.clip), "-vn", "-t", "1.2", "-c:a", "pcm_s16le")
    let step = try live.run("run --live model.eri short.wav --step 2 --json")
    let clip = try live.run("run model.eri short.wav --json")
    #expect(step.status == 0)
    #expect(try (object(step.output)["intensities"] as? [Double]) == (object(clip.output)["intensities"] as? [Double]))
    #expect(try object(step.output)["modalities"] as? [String] == ["audio"])
  }

  @Test func `pictures and sound of two sources are one`() throws {
    _ = try live.folder.ffmpeg("seen.mp4", "-i", live.folder.path(Live.clip), "-an", "-c", "copy")
    _ = try live.folder.ffmpeg("heard.mkv", "-i", live.folder.path(Live.clip), "-vn", "-c", "copy")
    let outcome = try live.run("run --live model.eri --video seen.mp4 --audio ./heard.mkv --json")
    #expect(outcome.status == 0)
    let steps = try outcome.output.split(separator: "\n").map { try object($0) }
    // Matroska keeps the encoder's last samples, which mp4 cuts off: they may begin a twelfth step.
    #expect((11...12).contains(steps.count))
    #expect(steps.allSatisfy { $0["modalities"] as? [String] == ["audio", "video"] })
  }

  @Test func `a paced file takes its own time`() throws {
    let start = Date()
    let outcome = try live.run("run --live --pace model.eri \(Live.clip) --json")
    #expect(outcome.status == 0)
    #expect(Date().timeIntervalSince(start) > 1.9)
    let last = try object(#require(outcome.output.split(separator: "\n").last))
    // Every step is estimated, or its picture is counted as dropped.
    let dropped = try #require(last["dropped"] as? Int)
    #expect(outcome.output.split(separator: "\n").count + dropped == 11)
  }

  @Test func `an interrupt ends it cleanly`() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.eri.path)
    process.arguments = ["run", "--live", "--pace", "model.eri", Live.clip, "--json"]
    process.currentDirectoryURL = live.folder.url
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // The first step is out.
    let first = output.fileHandleForReading.availableData
    process.interrupt()
    process.waitUntilExit()
    let rest = output.fileHandleForReading.readDataToEndOfFile()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    let lines = String(decoding: first + rest, as: UTF8.self).split(separator: "\n")
    #expect(lines.count < 11)
    #expect(try lines.allSatisfy { try object($0)["step"] != nil })
    let told = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(told.contains("dropped"))
  }

  @Test func `sources that cannot be used are refused in one sentence`() throws {
    #expect(
      try live.run("run --live model.eri none.mp4")
        == Tool.Outcome(
          errors:
            "eri: none.mp4: expected a sound or video file, found nothing at this path; check the name\n", status: 2))
    let camera = try live.run("run --live model.eri /dev/null")
    #expect(camera.errors.hasPrefix("eri: /dev/null: expected a camera that v4l2 opens, found "))
    #expect(camera.errors.filter { $0 == "\n" }.count == 1)
    #expect(camera.status == 2)
    let microphone = try live.run("run --live model.eri --audio hw:99")
    #expect(microphone.errors.hasPrefix("eri: hw:99: expected a microphone that alsa opens, found "))
    #expect(microphone.errors.filter { $0 == "\n" }.count == 1)
    #expect(microphone.status == 2)
  }

  @Test func `an empty standard input is refused`() throws {
    let outcome = try live.run("run --live model.eri -")
    #expect(
      outcome
        == Tool.Outcome(
          errors:
            "eri: standard input, first bytes: expected a sound or video file, found none of the known formats; "
            + "convert it, for example with ffmpeg to .mp4 or .wav\n", status: 2))
  }

  @Test func `a container that cannot be read from its beginning is refused, not passed over`() throws {
    // An mp4 has its index at the end, here beyond what libav keeps of a pipe.
    _ = try live.folder.ffmpeg(
      "late.mp4", "-f", "lavfi", "-i", "testsrc=s=640x480:d=3:r=25", "-c:v", "mpeg4", "-q:v", "2")
    let outcome = try Command.run(
      [Tool.eri.path, "run", "--live", "model.eri", "-"], input: live.folder.bytes("late.mp4"), in: live.folder.url)
    #expect(outcome.status == 2)
    #expect(outcome.text == "")
    #expect(outcome.errors.hasPrefix("eri: standard input: expected pictures or sound, found none ("))
    #expect(
      outcome.errors.hasSuffix("; of a pipe give a container that is read from its beginning, such as Matroska\n"))
  }

  @Test func `a camera for a model of sound alone is refused`() throws {
    let model = try live.run(
      "init audio-branch heard.eri --set temporal.levels=1 --set temporal.width=8 --set temporal.blocks=1")
    #expect(model.status == 0)
    #expect(
      try live.run("run --live heard.eri --video /dev/video0")
        == Tool.Outcome(
          errors: "eri: heard.eri: expected a model of faces, found one of sound alone; give it --audio\n", status: 3))
  }
}

@Suite struct JobsTests {
  private let live: Live

  init() throws {
    live = try Live()
    let folder = live.folder
    for index in 1...4 {
      _ = try folder.ffmpeg(
        "many/\(index).wav", arguments: ["-ss", "0.\(index)", "-i", folder.path(Live.clip), "-vn"], making: "many")
    }
    _ = try folder.write("many/2.txt", Array("hello\n".utf8))
  }

  @Test func `the output of several jobs is that of one, in the clips' order`() throws {
    let clips = "\(Live.clip) many none.mp4 many"
    let one = try live.run("run model.eri \(clips) --csv --jobs 1")
    let three = try live.run("run model.eri \(clips) --csv --jobs 3")
    #expect(one.output == three.output)
    #expect(one.output.split(separator: "\n").count == 10)
    #expect(one.status == 2)
    #expect(three.status == 2)
    func withoutReport(_ text: String) -> [Substring] { text.split(separator: "\n").dropLast() }
    #expect(withoutReport(one.errors) == withoutReport(three.errors))
    #expect(three.errors.contains("none.mp4: expected a sound or video file, found nothing at this path"))
  }

  @Test func `several clips end with their rate and the share of each stage`() throws {
    let outcome = try live.run("run model.eri many --csv --jobs 2")
    let last = try #require(outcome.errors.split(separator: "\n").last)
    let shares = ["decode", "detect", "crop", "sound", "mfcc", "network"].map { "\($0) # %" }.joined(separator: ", ")
    #expect(
      String(last).replacing(/\d+\.\d/, with: "#").replacing(/\d+ %/, with: "# %")
        == "4 clips in # s with 2 jobs: # per minute; \(shares)")
  }
}

extension TemporaryFolder {
  /// As `ffmpeg`, into a folder that is made if it is missing.
  fileprivate func ffmpeg(_ name: String, arguments: [String], making folder: String) throws -> String {
    try FileManager.default.createDirectory(at: url(folder), withIntermediateDirectories: true)
    return try ffmpeg(name, arguments: arguments)
  }
}

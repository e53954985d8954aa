import CAVFormat
import Foundation
import Testing

@testable import ERIDataset

/// A folder of its own that goes when the test ends.
private final class ScratchFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("eri-dataset-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The standard output of a command.
private func output(of command: [String]) throws -> String {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = command
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: data, as: UTF8.self)
}

@Suite struct ClipWriterTests {
  private let short = ClipFormat(width: 160, height: 120, duration: 1)

  @Test func `ffprobe counts 250 pictures and ten seconds of sound in a clip of the usual measures`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/clip.mp4"
    try ClipWriter.write(try Synthesizer(seed: 1).clip(0), to: path)
    let video = try output(of: [
      "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
      "stream=codec_name,width,height,r_frame_rate,nb_read_frames", "-of", "csv=p=0", path,
    ])
    #expect(video == "mpeg4,320,240,25/1,250\n")
    let sound = try output(of: [
      "ffprobe", "-v", "error", "-select_streams", "a", "-show_entries",
      "stream=codec_name,sample_rate,channels,duration", "-of", "csv=p=0", path,
    ])
    #expect(sound == "aac,22050,1,10.000000\n")
  }

  @Test func `the picture that ffmpeg decodes is the one that was drawn`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/clip.mp4"
    let clip = try Synthesizer(seed: 6, format: short).clip(0)
    try ClipWriter.write(clip, to: path)
    let raw = folder.path + "/frame.rgb"
    _ = try output(of: [
      "ffmpeg", "-v", "error", "-i", path, "-vf", "select=eq(n\\,10)", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt",
      "rgb24", raw,
    ])
    let decoded = [UInt8](try Data(contentsOf: URL(fileURLWithPath: raw)))
    let drawn = clip.frame(10).pixels
    try #require(decoded.count == drawn.count)
    let difference = zip(decoded, drawn).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    // The encoder smooths the noise of sigma 4.3 away: its mean size is 3.4.
    #expect(Double(difference) / Double(drawn.count) < 5)
  }

  @Test func `two writings of a clip have the same bytes`() throws {
    let folder = try ScratchFolder()
    let clip = try Synthesizer(seed: 2, format: short).clip(0)
    let files = try ["a.mp4", "b.mp4"].map { name in
      let path = folder.path + "/" + name
      try ClipWriter.write(clip, to: path)
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    #expect(files[0] == files[1])
    #expect(files[0].count > 5000)
  }

  @Test func `a folder of clips has one file per clip and nothing else`() throws {
    let folder = try ScratchFolder()
    let target = folder.path + "/new/clips"
    var reported: [String] = []
    try Synthesizer(seed: 3, format: short).writeClips(count: 3, to: target) { clip, path in
      reported.append("\(clip.index) \(path)")
    }
    let names = ["clip_0000.mp4", "clip_0001.mp4", "clip_0002.mp4"]
    #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == names)
    #expect(reported == names.enumerated().map { "\($0.offset) \(target)/\($0.element)" })
  }

  @Test func `a folder that cannot be made is an error of one sentence`() throws {
    let folder = try ScratchFolder()
    try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
    let target = folder.path + "/file/clips"
    let error = #expect(throws: SynthesisError.self) {
      try Synthesizer(seed: 3, format: short).writeClips(count: 1, to: target) { _, _ in }
    }
    let expected =
      "\(target): cannot be written (Not a directory); "
      + "choose a folder that exists or can be made, and that you may write to."
    #expect(error?.description == expected)
  }

  @Test func `a file in a folder that does not exist is an error and leaves nothing`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/missing/clip.mp4"
    let error = #expect(throws: SynthesisError.self) {
      try ClipWriter.write(try Synthesizer(seed: 3, format: short).clip(0), to: path)
    }
    #expect(error == .notWritable(path: path, reason: "No such file or directory"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func `a missing encoder is named`() throws {
    let container = try #require(avformat_alloc_context())
    defer { avformat_free_context(container) }
    let error = #expect(throws: SynthesisError.self) {
      _ = try EncodedTrack(path: "x.mp4", encoder: "no-such", container: container) { _ in }
    }
    let expected =
      "This machine's libavcodec has no encoder named no-such: "
      + "install the distribution's libavcodec with that encoder."
    #expect(error?.description == expected)
  }

  @Test(arguments: [
    (ClipFormat(width: 321), "a picture must have an even width and height of 64 to 4096 pixels, not 321 × 240"),
    (ClipFormat(height: 32), "a picture must have an even width and height of 64 to 4096 pixels, not 320 × 32"),
    (ClipFormat(duration: 0), "a clip must last 0.2 to 600 seconds, not 0.0"),
    (ClipFormat(duration: .nan), "a clip must last 0.2 to 600 seconds, not nan"),
  ])
  func `measures that cannot be made are refused`(format: ClipFormat, reason: String) {
    let error = #expect(throws: SynthesisError.self) { try Synthesizer(seed: 1, format: format) }
    #expect(error?.description == "Cannot synthesise a clip: \(reason).")
  }

  @Test func `a picture of another size than the clip's is refused`() throws {
    let writer = try ClipWriter(path: "unused.mp4", format: short)
    #expect(throws: SynthesisError.badFormat("a frame of 64 × 64 pixels does not fit a clip of 160 × 120")) {
      try writer.append(DrawnFrame(width: 64, height: 64))
    }
  }
}

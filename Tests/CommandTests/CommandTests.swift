import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// The built tools, beside the tests.
enum Tool {
  static func run(_ name: String, _ arguments: String...) throws -> Command.Result {
    let folder = Bundle.main.executableURL?.deletingLastPathComponent() ?? URL(fileURLWithPath: ".build/release")
    let beside = folder.appendingPathComponent(name).path
    let path = FileManager.default.isExecutableFile(atPath: beside) ? beside : Checkout.path(".build/release/\(name)")
    return try Command.run([path] + arguments)
  }
}

@Suite struct CommandTests {
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = Checkout.path("Tests/Golden/v1/narrow-dual-branch.eri")
  }

  private func npy(_ name: String, _ dtype: DType, _ shape: [Int]) throws -> String {
    let path = folder.path(name)
    let bytes = [UInt8](repeating: 0, count: shape.reduce(dtype.byteCount, *))
    try bytes.withUnsafeBytes { try writeNPY(path, dtype, shape, $0) }
    return path
  }

  @Test(arguments: ["eri", "eri-run"]) func `exec writes the outputs and says where`(tool: String) throws {
    let sound = try npy("audio.npy", .f32, [1, 8, 24])
    let out = folder.path("out")
    let result = try Tool.run(tool, "exec", model, "--input", "audio=\(sound)", "--output-dir", out)
    #expect(result.status == 0)
    #expect(result.text == "intensities float32 [1, 7] -> \(out)/intensities.npy\n")
    #expect(result.errors == "")
    #expect(try NPYFile(path: "\(out)/intensities.npy").header.shape == [1, 7])
  }

  @Test(arguments: ["eri", "eri-run"]) func `exec prints the median of repeated runs as JSON`(tool: String) throws {
    let sound = try npy("audio.npy", .f32, [1, 8, 24])
    let result = try Tool.run(
      tool, "exec", model, "--input", "audio=\(sound)", "--output-dir", folder.path("out"), "--repeat", "3", "--json")
    let object = try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    #expect((object["median_ms"] as? Double ?? 0) > 0)
    #expect(object["repeat"] as? Int == 3)
  }

  @Test(arguments: ["eri", "eri-run"]) func `an input of an unknown name is one sentence and exit 2`(tool: String)
    throws
  {
    let sound = try npy("audio.npy", .f32, [1, 8, 24])
    let result = try Tool.run(tool, "exec", model, "--input", "sound=\(sound)", "--output-dir", folder.path("out"))
    #expect(result.status == 2)
    #expect(result.text == "")
    #expect(
      result.errors
        == "\(tool): \(model): input \"sound\": expected one of the inputs faces, audio, present, found no such name\n")
  }

  @Test(arguments: ["eri", "eri-run"]) func `an input of another type is one sentence and exit 2`(tool: String) throws {
    let sound = try npy("audio.npy", .f64, [1, 8, 24])
    let result = try Tool.run(tool, "exec", model, "--input", "audio=\(sound)", "--output-dir", folder.path("out"))
    #expect(result.status == 2)
    #expect(
      result.errors
        == "\(tool): \(sound): input \"audio\": expected float32 [N, 8, 24], found float64 [1, 8, 24]; "
        + "nothing is converted here, save it as float32\n")
  }

  @Test(arguments: ["eri", "eri-run"]) func `an input of another shape is one sentence and exit 2`(tool: String) throws
  {
    let sound = try npy("audio.npy", .f32, [1, 8, 25])
    let result = try Tool.run(tool, "exec", model, "--input", "audio=\(sound)", "--output-dir", folder.path("out"))
    #expect(result.status == 2)
    #expect(result.errors == "\(tool): \(sound): input \"audio\": expected float32 [N, 8, 24], found [1, 8, 25]\n")
  }

  @Test(arguments: ["eri", "eri-run"]) func `a usage error is exit 64`(tool: String) throws {
    #expect(try Tool.run(tool, "exec", model).status == 64)
    #expect(try Tool.run(tool, "dance").status == 64)
  }

  @Test(arguments: ["eri", "eri-run"]) func `check runs the goldens of a file`(tool: String) throws {
    let result = try Tool.run(tool, "check", model)
    #expect(result.status == 0)
    #expect(result.text.hasPrefix("golden 0 (drawn inputs): intensities: largest difference "))
    #expect(result.text.hasSuffix(": same\n"))
  }

  @Test func `init with the same seed writes the same weights, and inspect tells them`() throws {
    let first = try Tool.run("eri", "init", "audio-branch", folder.path("a.eri"), "--seed", "5")
    let second = try Tool.run("eri", "init", "audio-branch", folder.path("b.eri"), "--seed", "5")
    let other = try Tool.run("eri", "init", "audio-branch", folder.path("c.eri"), "--seed", "6")
    #expect(first.status == 0)
    #expect(first.output == second.output)
    #expect(first.output != other.output)
    let inspected = try Tool.run("eri", "inspect", folder.path("a.eri"), "--json")
    let object = try #require(JSONSerialization.jsonObject(with: Data(inspected.output)) as? [String: Any])
    #expect(object["container"] as? String == "eri")
    #expect(first.text.contains(object["weights_sha256"] as? String ?? "?"))
    let identified = try Tool.run("eri", "id", folder.path("a.eri"))
    #expect(identified.text.hasPrefix(object["weights_sha256"] as? String ?? "?"))
  }

  @Test func `init refuses a network it does not know`() throws {
    let result = try Tool.run("eri", "init", "triple-branch", folder.path("x.eri"))
    #expect(result.status == 3)
    #expect(
      result.errors.hasPrefix("eri: network \"triple-branch\": expected one of dual-branch, video-branch, audio-branch")
    )
    #expect(try folder.entries() == [])
  }

  @Test func `a synthesised clip gives seven intensities from both modalities`() throws {
    #expect(try Tool.run("eri", "synthesize", folder.path("clips"), "--seconds", "2", "--seed", "1").status == 0)
    #expect(try Tool.run("eri", "init", "dual-branch", folder.path("m.eri")).status == 0)
    let result = try Tool.run("eri", "run", folder.path("m.eri"), folder.path("clips"), "--json")
    #expect(result.status == 0)
    let object = try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    #expect(object["modalities"] as? [String] == ["audio", "video"])
    #expect((object["intensities"] as? [Double])?.count == 7)
    #expect(((object["video"] as? [String: Any])?["frames"] as? Int) == 50)
    #expect(((object["video"] as? [String: Any])?["faces"] as? Int) == 50)
  }

  @Test func `features writes raw arrays of the documented shapes`() throws {
    #expect(try Tool.run("eri", "synthesize", folder.path("clips"), "--seconds", "2", "--seed", "1").status == 0)
    let result = try Tool.run("eri", "features", folder.path("clips/clip_0000.mp4"), "--output-dir", folder.path("f"))
    #expect(result.status == 0)
    #expect(try NPYFile(path: folder.path("f/rows.npy")).header.shape == [32, 1024])
    #expect(try NPYFile(path: folder.path("f/faces.npy")).header.shape == [32, 112, 112, 3])
    #expect(try NPYFile(path: folder.path("f/faces.npy")).header.dtype == .u8)
    #expect(try NPYFile(path: folder.path("f/mfcc.npy")).header.shape[1] == 128)
  }

  @Test(arguments: [
    (
      "no clip at all",
      ", first bytes: expected a sound or video file, found none of the known formats; "
        + "convert it, for example with ffmpeg to .mp4 or .wav"
    ),
    ("", ": expected a sound or video file, found 0 bytes; copy or record it again"),
  ])
  func `a file that is no clip is one sentence and exit 2`(text: String, message: String) throws {
    let clip = try folder.write("clip.mp4", [UInt8](text.utf8))
    let result = try Tool.run("eri", "run", model, clip)
    #expect(result.status == 2)
    #expect(result.text == "")
    #expect(result.errors == "eri: \(clip)\(message)\n")
  }

  @Test func `a truncated clip is one sentence and exit 2, and the others go on`() throws {
    #expect(try Tool.run("eri", "synthesize", folder.path("clips"), "--seconds", "1").status == 0)
    let whole = try folder.bytes("clips/clip_0000.mp4")
    let cut = try folder.write("cut.mp4", [UInt8](whole[..<(whole.count / 2)]))
    let narrow = try Tool.run("eri", "run", model, cut)
    #expect(narrow.status == 2)
    #expect(
      narrow.errors
        == "eri: \(cut): expected a whole file of the kind mov,mp4,m4a,3gp,3g2,mj2, found a damaged or cut-off one "
        + "(Invalid data found when processing input); copy or record it again\n")
    #expect(try Tool.run("eri", "init", "dual-branch", folder.path("m.eri")).status == 0)
    let both = try Tool.run("eri", "run", folder.path("m.eri"), cut, folder.path("clips/clip_0000.mp4"), "--json")
    #expect(both.status == 2)
    let lines = both.text.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("{\"clip\": \"\(cut)\"") || lines[0].hasPrefix("{\"clip\":\"\(cut)\""))
  }
}

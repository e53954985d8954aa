import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// A folder with a model of full pipeline and small widths, and one synthesised clip: with sound, without, and its sound alone.
private struct Clips {
  static let labels = ["Adoration", "Amusement", "Anxiety", "Disgust", "Empathic-Pain", "Fear", "Surprise"]

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder.withClipModel()
    _ = try folder.ffmpeg("seen.mp4", "-i", folder.path("made/clip_0000.mp4"), "-an", "-c", "copy")
    _ = try folder.ffmpeg("heard.wav", "-i", folder.path("made/clip_0000.mp4"), "-vn")
    _ = try folder.ffmpeg("blank.mp4", "-f", "lavfi", "-i", "color=gray:s=160x120:d=1:r=25", "-c:v", "mpeg4")
    _ = try folder.write("text.mp4", Array("hello there\n".utf8))
    _ = try folder.write("empty.mp4", [])
    _ = try folder.write("cut.mp4", Array(folder.bytes("made/clip_0000.mp4").prefix(20_000)))
  }

  func run(_ words: String) throws -> Tool.Outcome { try Tool.eri.run(words, in: folder) }

  static let textFault =
    "text.mp4, first bytes: expected a sound or video file, found none of the known formats; "
    + "convert it, for example with ffmpeg to .mp4 or .wav"
  static let emptyFault = "empty.mp4: expected a sound or video file, found 0 bytes; copy or record it again"
  static let missingFault = "none.mp4: expected a sound or video file, found nothing at this path; check the name"
  static let blankFault =
    "blank.mp4: expected a face or sound, found no face in 25 frames and no sound; give another clip"
}

/// The text with what differs from machine to machine as #: intensities, bars and times.
private func withoutFigures(_ text: String) -> String {
  text.replacing(/0\.\d{4}  [█·]{40}/, with: "#").replacing(/(decode|detect|crop|sound|mfcc|network|total) \d+/) {
    "\($0.1) #"
  }
}

@Suite struct RunTests {
  private let clips: Clips

  init() throws { clips = try Clips() }

  private func table(_ head: String) -> String {
    """
    \(head)
      Adoration      #
      Amusement      #
      Anxiety        #
      Disgust        #
      Empathic-Pain  #
      Fear           #
      Surprise       #
      milliseconds: decode #, detect #, crop #, sound #, mfcc #, network #, total #

    """
  }

  @Test func `a clip gives a table with a bar per emotion, what was found, and the time of each stage`() throws {
    var outcome = try clips.run("run model.eri made/clip_0000.mp4")
    outcome.output = withoutFigures(outcome.output)
    #expect(
      outcome
        == Tool.Outcome(
          table(
            """
            made/clip_0000.mp4
              video  50 frames, 2.00 s, 320×240 mpeg4, a face in 50
              sound  2.04 s, 11 rows of 8 MFCC frames
            """)))
  }

  @Test func `a clip without sound runs on its face and says so`() throws {
    var outcome = try clips.run("run model.eri seen.mp4")
    outcome.output = withoutFigures(outcome.output)
    #expect(
      outcome
        == Tool.Outcome(
          table(
            """
            seen.mp4
              video  50 frames, 2.00 s, 320×240 mpeg4, a face in 50
              sound  none
              estimated from video alone
            """), errors: "seen.mp4: no sound\n"))
  }

  @Test func `a clip without pictures runs on its sound and says so`() throws {
    var outcome = try clips.run("run model.eri heard.wav")
    outcome.output = withoutFigures(outcome.output)
    #expect(
      outcome
        == Tool.Outcome(
          table(
            """
            heard.wav
              video  none
              sound  2.04 s, 11 rows of 8 MFCC frames
              estimated from sound alone
            """), errors: "heard.wav: no pictures\n"))
  }

  @Test func `JSON has the contract's members`() throws {
    let outcome = try clips.run("run model.eri made/clip_0000.mp4 --json")
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
    let report = try object(outcome.output)
    #expect(
      Set(report.keys) == [
        "clip", "labels", "intensities", "modalities", "video", "audio", "milliseconds", "notes", "model",
      ])
    #expect(report["clip"] as? String == "made/clip_0000.mp4")
    #expect(report["model"] as? String == "model.eri")
    #expect(report["labels"] as? [String] == Clips.labels)
    #expect(report["modalities"] as? [String] == ["audio", "video"])
    #expect(report["notes"] as? [String] == [])
    let intensities = try #require(report["intensities"] as? [Double])
    #expect(intensities.count == 7)
    #expect(intensities.allSatisfy { $0 > 0 && $0 < 1 })
    let video = try #require(report["video"] as? [String: Double])
    #expect(video == ["frames": 50, "faces": 50, "seconds": 2])
    let audio = try #require(report["audio"] as? [String: Double])
    #expect(audio["rows"] == 11)
    let milliseconds = try #require(report["milliseconds"] as? [String: Double])
    #expect(Set(milliseconds.keys) == ["decode", "detect", "crop", "sound", "mfcc", "network", "total"])
  }

  @Test func `failed clips get a line each, the others go on, and the exit code is the worst`() throws {
    let outcome = try clips.run("run model.eri text.mp4 heard.wav empty.mp4 none.mp4 blank.mp4 --json")
    let faults = [
      ("text.mp4", Clips.textFault), ("empty.mp4", Clips.emptyFault), ("none.mp4", Clips.missingFault),
      ("blank.mp4", Clips.blankFault),
    ]
    #expect(outcome.status == 2)
    let lines = outcome.errors.split(separator: "\n").map { String($0) }
    #expect(Array(lines.dropLast()) == faults.map { "eri: \($0.1)" })
    #expect(lines.last?.hasPrefix("5 clips in ") == true)
    let reports = try outcome.output.split(separator: "\n").map { try object($0) }
    #expect(
      reports.compactMap { $0["clip"] as? String } == ["text.mp4", "heard.wav", "empty.mp4", "none.mp4", "blank.mp4"])
    #expect(reports[1]["intensities"] != nil)
    #expect(reports[1]["video"] is NSNull)
    #expect(reports[1]["notes"] as? [String] == ["no pictures"])
    #expect(reports.compactMap { $0["error"] as? String } == faults.map(\.1))
    #expect(reports.map(\.count) == [2, 9, 2, 2, 2])
  }

  @Test func `a cut-off clip is an error in one sentence`() throws {
    let outcome = try clips.run("run model.eri cut.mp4")
    #expect(outcome.output == "")
    #expect(outcome.status == 2)
    #expect(
      outcome.errors.hasPrefix(
        "eri: cut.mp4: expected a whole file of the kind mov,mp4,m4a,3gp,3g2,mj2, found a damaged"))
    #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func `CSV has a header and a line per clip, and a folder's other files are passed over`() throws {
    let folder = clips.folder
    try FileManager.default.createDirectory(at: folder.url("some, clips"), withIntermediateDirectories: false)
    for name in ["heard.wav", "text.mp4", "empty.mp4"] {
      try FileManager.default.copyItem(at: folder.url(name), to: folder.url("some, clips").appendingPathComponent(name))
    }
    let outcome = try Tool.eri.run(["run", "model.eri", "some, clips", "--csv"], in: folder)
    let lines = outcome.output.split(separator: "\n").map { String($0) }
    #expect(outcome.status == 0)
    #expect(lines.count == 2)
    #expect(lines[0] == "File_ID," + Clips.labels.joined(separator: ","))
    #expect(lines[1].wholeMatch(of: /"some, clips\/heard\.wav"(,0\.\d+){7}/) != nil)
    #expect(
      outcome.errors == """
        some, clips/empty.mp4: neither sound nor video, passed over
        some, clips/heard.wav: no pictures
        some, clips/text.mp4: neither sound nor video, passed over

        """)
  }

  @Test func `the number of threads changes no bit of an estimate`() throws {
    let one = try clips.run("run model.eri made/clip_0000.mp4 --csv")
    let three = try clips.run("run model.eri made/clip_0000.mp4 --csv --threads 3")
    #expect(one == three)
    #expect(one.status == 0)
  }

  @Test func `a model that takes other inputs is not for run`() throws {
    try SmallModel.write(to: clips.folder)
    #expect(
      try clips.run("run model.eri heard.wav")
        == Tool.Outcome(
          errors:
            "eri: model.eri: expected a model of the inputs faces or audio, found x, scale; run it with `eri exec`\n",
          status: 3))
  }

  @Test func `a model whose rows hold another number of frames is refused, not fed with other rows`() throws {
    let model = try clips.run(
      "init audio-branch other.eri --set sound.stack=4 --set sound.coefficients=6 --set temporal.levels=1 --set temporal.width=8"
    )
    #expect(model.status == 0)
    #expect(
      try clips.run("run other.eri heard.wav")
        == Tool.Outcome(
          errors: "eri: other.eri: preprocessing: expected rows of 8 MFCC frames, found 4; run it with `eri exec`\n",
          status: 3))
  }

  @Test func `estimates of exec from features' arrays are those of run`() throws {
    // The identity statistics of an untrained model leave rows as they are.
    let model = try clips.run(
      "init audio-branch heard.eri --set temporal.levels=1 --set temporal.width=8 --set temporal.blocks=1")
    let features = try clips.run("features heard.wav --output-dir features")
    #expect([model.status, features.status] == [0, 0])
    let rows = try SmallModel.read(clips.folder.path("features/rows.npy"))
    try SmallModel.array("audio.npy", [1] + rows.shape, rows.values, to: clips.folder)
    #expect(try clips.run("exec heard.eri --input audio=audio.npy --output-dir out").status == 0)
    let executed = try SmallModel.read(clips.folder.path("out/intensities.npy"))
    let report = try object(clips.run("run heard.eri heard.wav --json").output)
    #expect((report["intensities"] as? [Double])?.map { Float($0) } == executed.values)
  }
}

@Suite struct FeaturesTests {
  private let clips: Clips

  init() throws { clips = try Clips() }

  @Test func `a clip with face and sound gives three arrays`() throws {
    #expect(
      try clips.run("features made/clip_0000.mp4 --output-dir out")
        == Tool.Outcome(
          """
          mfcc float32 [89, 128] -> out/mfcc.npy
          rows float32 [32, 1024] -> out/rows.npy
          faces uint8 [32, 112, 112, 3] -> out/faces.npy

          """))
    let faces = try NPYFile(path: clips.folder.path("out/faces.npy"))
    #expect(faces.header.dtype == .u8)
    #expect(faces.header.shape == [32, 112, 112, 3])
    let mfcc = try SmallModel.read(clips.folder.path("out/mfcc.npy"))
    let rows = try SmallModel.read(clips.folder.path("out/rows.npy"))
    // The first row is the first eight frames side by side.
    #expect(rows.values.prefix(1024).elementsEqual(mfcc.values.prefix(1024)))
  }

  @Test func `a missing modality writes no file and says so`() throws {
    #expect(
      try clips.run("features seen.mp4 --output-dir seen")
        == Tool.Outcome("faces uint8 [32, 112, 112, 3] -> seen/faces.npy\n", errors: "seen.mp4: no sound\n"))
    #expect(
      try clips.run("features heard.wav --output-dir heard")
        == Tool.Outcome(
          "mfcc float32 [89, 128] -> heard/mfcc.npy\nrows float32 [32, 1024] -> heard/rows.npy\n",
          errors: "heard.wav: no pictures\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: clips.folder.path("seen")) == ["faces.npy"])
  }

  @Test func `a clip with neither face nor sound is an error and makes no folder`() throws {
    #expect(
      try clips.run("features blank.mp4 --output-dir out")
        == Tool.Outcome(errors: "eri: \(Clips.blankFault)\n", status: 2))
    #expect(try !clips.folder.entries().contains("out"))
  }

  @Test func `text and empty files are refused in one sentence`() throws {
    #expect(
      try clips.run("features text.mp4 --output-dir out")
        == Tool.Outcome(errors: "eri: \(Clips.textFault)\n", status: 2))
    #expect(
      try clips.run("features empty.mp4 --output-dir out")
        == Tool.Outcome(errors: "eri: \(Clips.emptyFault)\n", status: 2))
  }
}

@Suite struct SynthesizeTests {
  @Test func `a seed decides the clips, and their planted intensities are told`() throws {
    let folder = try TemporaryFolder()
    let first = try Tool.eri.run("synthesize a --clips 2 --seed 5 --seconds 0.4", in: folder)
    let again = try Tool.eri.run("synthesize b --clips 2 --seed 5 --seconds 0.4", in: folder)
    #expect(first.status == 0)
    #expect(first.errors == "")
    #expect(
      first.output.wholeMatch(
        of: /a\/clip_0000\.mp4  planted( [01]\.\d\d){7}\na\/clip_0001\.mp4  planted( [01]\.\d\d){7}\n/) != nil)
    #expect(first.output.replacing("a/", with: "b/") == again.output)
    #expect(try folder.bytes("a/clip_0001.mp4") == folder.bytes("b/clip_0001.mp4"))
    #expect(try folder.bytes("a/clip_0000.mp4") != folder.bytes("a/clip_0001.mp4"))
  }

  @Test func `a length that cannot be made is refused`() throws {
    let folder = try TemporaryFolder()
    #expect(
      try Tool.eri.run("synthesize a --seconds 0.1", in: folder)
        == Tool.Outcome(
          errors: "eri: Cannot synthesise a clip: a clip must last 0.2 to 600 seconds, not 0.1.\n", status: 2))
    #expect(try folder.entries() == [])
  }
}

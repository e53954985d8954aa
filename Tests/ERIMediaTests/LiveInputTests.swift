import ERITestSupport
import Foundation
import Testing

@testable import ERIMedia

/// All that a live input gives.
private func contents(
  _ source: LiveSource, pictures: Bool = true, sound: Bool = true
) throws -> (pictures: [LivePicture], samples: [Float], warnings: [String]) {
  let input = try LiveInput(
    source, wantsPictures: pictures, wantsSound: sound, interruption: MediaInterruption())
  var (frames, samples): ([LivePicture], [Float]) = ([], [])
  while let events = try input.next() {
    for event in events {
      switch event {
      case .picture(let picture): frames.append(picture)
      case .sound(let piece): samples += piece
      }
    }
  }
  return (frames, samples, input.warnings)
}

@Suite struct LiveInputTests {
  private let folder: TemporaryFolder
  private let clip: String

  init() throws {
    folder = try TemporaryFolder()
    clip = try folder.make(
      "clip.mkv",
      "-f lavfi -i testsrc=s=96x64:d=2:r=25 -f lavfi -i sine=440:d=2:r=44100 -c:v mpeg4 -c:a pcm_s16le")
  }

  @Test func `the sound that comes piece by piece is the clip's, bit for bit`() throws {
    #expect(try contents(.file(clip)).samples == Sound.read(path: clip)?.samples)
  }

  @Test func `the pictures that come are the clip's`() throws {
    let live = try contents(.file(clip))
    let whole = try shownPictures(clip).pictures
    #expect(live.pictures.count == 50)
    #expect(try live.pictures.map { try $0.shown.wholeGrey() } == whole.map { try $0.wholeGrey() })
    #expect(zip(live.pictures, 0...).allSatisfy { abs($0.seconds - Double($1) / 25) < 0.002 })
    #expect(live.warnings == [])
  }

  @Test func `a named pipe gives what the file gives`() throws {
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["sh", "-c", "cat '\(clip)' > '\(pipe)'"]
    try process.run()
    let piped = try contents(.file(pipe))
    process.waitUntilExit()
    let direct = try contents(.file(clip))
    #expect(piped.samples == direct.samples)
    #expect(piped.pictures.count == direct.pictures.count)
  }

  @Test func `only what is wanted comes`() throws {
    let pictures = try contents(.file(clip), sound: false)
    #expect(pictures.samples.isEmpty)
    #expect(pictures.pictures.count == 50)
    let sound = try contents(.file(clip), pictures: false)
    #expect(sound.pictures.isEmpty)
    #expect(sound.samples.count == 44_100)
  }

  @Test func `a source without what is wanted is refused`() throws {
    let silent = try folder.make("silent.mp4", "-f lavfi -i color=gray:s=64x64:d=0.2:r=25 -c:v mpeg4")
    #expect(
      sentence {
        _ = try LiveInput(
          .file(silent), wantsPictures: false, wantsSound: true, interruption: MediaInterruption())
      }
        == "\(silent): expected sound, found a source without (mov,mp4,m4a,3gp,3g2,mj2); "
        + "name another source, or a model that takes what this one has")
  }

  @Test func `an interruption ends reading`() throws {
    let interruption = MediaInterruption()
    let input = try LiveInput(.file(clip), wantsPictures: true, wantsSound: true, interruption: interruption)
    #expect(try input.next() != nil)
    interruption.ask()
    #expect(try input.next() == nil)
  }

  @Test func `a camera and a microphone that are not there are refused in one sentence`() throws {
    let camera = sentence {
      _ = try LiveInput(
        .camera("/dev/video99"), wantsPictures: true, wantsSound: false, interruption: MediaInterruption())
    }
    #expect(camera.hasPrefix("/dev/video99: expected a camera that v4l2 opens, found "))
    let microphone = sentence {
      _ = try LiveInput(
        .microphone("hw:99"), wantsPictures: false, wantsSound: true, interruption: MediaInterruption())
    }
    #expect(microphone.hasPrefix("hw:99: expected a microphone that alsa opens, found "))
  }

  @Test func `names tell devices from files and pipes`() throws {
    let pipe = folder.path("fifo")
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(LiveSource(video: "-") == .standardInput)
    #expect(LiveSource(video: "/dev/null") == .camera("/dev/null"))
    #expect(LiveSource(video: clip) == .file(clip))
    #expect(LiveSource(video: "none.mp4") == .file("none.mp4"))
    #expect(LiveSource(audio: "-") == .standardInput)
    #expect(LiveSource(audio: "default") == .microphone("default"))
    #expect(LiveSource(audio: "hw:1,0") == .microphone("hw:1,0"))
    #expect(LiveSource(audio: clip) == .file(clip))
    #expect(LiveSource(audio: pipe) == .file(pipe))
  }

  private func sentence(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch { return "\(error)" }
  }
}

@Suite struct StepAssemblyTests {
  /// A second holds five steps.
  private let length = 0.2

  private func pictures() throws -> [LivePicture] {
    let folder = try TemporaryFolder()
    return try contents(
      .file(folder.make("a.mp4", "-f lavfi -i testsrc=s=32x32:d=1:r=25 -c:v mpeg4")), sound: false
    ).pictures
  }

  private func steps(_ assembly: inout StepAssembly) -> [LiveStep] {
    var steps: [LiveStep] = []
    while let step = assembly.next() { steps.append(step) }
    return steps
  }

  @Test func `a step has its last picture, and all of the sound is in one step`() throws {
    var assembly = StepAssembly(length: length, hasPictures: true, hasSound: true)
    for picture in try pictures() { assembly.add(picture) }
    let sound = (0..<22_050).map { Float($0) }
    assembly.add(sound)
    assembly.endPictures()
    assembly.endSound()
    let steps = steps(&assembly)
    #expect(steps.map { $0.index } == [0, 1, 2, 3, 4])
    #expect(steps.map { $0.samples.count } == [4410, 4410, 4410, 4410, 4410])
    #expect(steps.flatMap { $0.samples } == sound)
    #expect(steps.map { ($0.picture?.seconds ?? -1) * 25 }.map { $0.rounded() } == [4, 9, 14, 19, 24])
    #expect(steps.map { $0.isLast } == [false, false, false, false, true])
  }

  @Test func `a step waits for both pictures and sound`() throws {
    var assembly = StepAssembly(length: length, hasPictures: true, hasSound: true)
    for picture in try pictures() { assembly.add(picture) }
    #expect(assembly.next() == nil)
    assembly.add([Float](repeating: 0, count: 4409))
    #expect(assembly.next() == nil)
    assembly.add([0])
    #expect(assembly.next()?.index == 0)
    #expect(assembly.next() == nil)
  }

  @Test func `what is too far behind is not waited for, and its sound comes later whole`() throws {
    var assembly = StepAssembly(length: length, hasPictures: true, hasSound: true, patience: 0.4)
    for picture in try pictures() { assembly.add(picture) }
    #expect(steps(&assembly).map { $0.samples.count } == [0, 0])
    assembly.add([Float](repeating: 0, count: 14_000))
    #expect(steps(&assembly).map { $0.samples.count } == [13_230])
  }

  @Test func `after the end what is left is a step that ends where the source does`() throws {
    var assembly = StepAssembly(length: length, hasPictures: false, hasSound: true)
    assembly.add([Float](repeating: 0, count: 5000))
    assembly.endSound()
    let steps = steps(&assembly)
    #expect(steps.map { $0.samples.count } == [4410, 590])
    #expect(steps.last?.end == 5000.0 / 22_050)
  }

  @Test func `an empty source has no step`() {
    var assembly = StepAssembly(length: length, hasPictures: true, hasSound: true)
    assembly.endPictures()
    assembly.endSound()
    #expect(assembly.next() == nil)
  }
}

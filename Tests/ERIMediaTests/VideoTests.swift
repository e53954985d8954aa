import ERITestSupport
import Testing

@testable import ERIMedia

/// 50 pictures whose brightness counts up by 4.
private let counting = "-f lavfi -i color=c=black:size=64x64:rate=25:duration=2,format=gray,geq=lum=20+4*N"
/// 2 s of a moving test picture.
private let moving = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2"

private func read(_ path: String) throws -> VideoOutcome {
  try FaceTrack.read(path: path, detector: testDetector.clone())
}

private func summary(_ path: String) throws -> VideoSummary { try #require(try read(path).video) }

struct `Decoded pictures` {
  @Test(arguments: [1, 0])
  func `come in presentation order and none is lost at the end, with B-frames`(threads: Int) throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make(
      "b.mp4", counting + " -c:v libx264 -preset veryfast -crf 8 -bf 3 -b_strategy 0 -g 50 -pix_fmt yuv420p")
    let decoder = try #require(try VideoDecoder(path: clip, threads: threads))
    var values: [Double] = []
    var times: [Double] = []
    var geometry = ClipGeometry()
    while let frame = try decoder.next() {
      values.append(try geometry.shown(frame, decoder: decoder).brightness())
      times.append(try #require(decoder.seconds(of: frame)))
    }
    #expect(values.count == 50)
    // The encoder's range conversion maps g to 16 + g * 219 / 255, and its loss is below one level at this quality.
    for (index, value) in values.enumerated() {
      #expect(abs(value - (16 + Double(20 + 4 * index) * 219 / 255)) < 1.7)
    }
    #expect(times == times.sorted())
  }

  @Test(arguments: [
    ("clip.avi", "-c:v mpeg4 -q:v 5"), ("clip.mkv", "-c:v ffv1"),
    ("clip.webm", "-c:v libvpx -b:v 1M -deadline realtime"),
    ("clip.mov", "-c:v mjpeg -q:v 5 -pix_fmt yuvj422p"), ("clip.mpg", "-c:v mpeg2video -b:v 2M"),
    ("clip.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le"),
    ("clip.gif", "-r 25"),
  ])
  func `are counted in any container and codec`(name: String, arguments: String) throws {
    let clips = try TemporaryFolder()
    let video = try summary(try clips.make(name, "\(moving) \(arguments)"))
    #expect(video.frames == 50)
    #expect(video.framesWithFace == 0)
    #expect((video.width, video.height) == (320, 240))
    #expect(abs(video.seconds - 2) < 1e-3)
    #expect(video.warnings == [])
  }

  @Test func `are counted at a varying rate, and the last lasts as long as the mean one`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make("vfr.mkv", moving + " -vf select=lt(n\\,10)+gte(n\\,45) -vsync vfr -c:v ffv1")
    let video = try summary(clip)
    #expect(video.frames == 15)
    #expect(abs(video.seconds - (49.0 / 25) * 15 / 14) < 2e-3)
  }

  @Test(arguments: ["jpg", "png", "bmp"])
  func `are one in a still picture`(kind: String) throws {
    let clips = try TemporaryFolder()
    let video = try summary(try clips.make("still.\(kind)", moving + " -frames:v 1"))
    #expect(video.frames == 1)
    #expect((video.width, video.height) == (320, 240))
    #expect(video.warnings == [])
  }
}

struct `Shown pictures` {
  @Test(arguments: [90, 180, 270])
  func `are turned upright as ffmpeg turns them`(degrees: Int) throws {
    let clips = try TemporaryFolder()
    let upright = try clips.make("upright.mp4", moving + " -frames:v 3 -c:v mpeg4 -q:v 3")
    let clip = try clips.turning(upright, by: degrees, as: "turned.mp4")
    let (pictures, geometry, _) = try shownPictures(clip)
    #expect((geometry.width, geometry.height) == (degrees == 180 ? (320, 240) : (240, 320)))
    let expected = try clips.decoded(clip, "-vf extractplanes=y")
    #expect(try pictures.flatMap { try $0.wholeGrey() } == expected)
  }

  @Test func `are turned in colour as ffmpeg turns them`() throws {
    let clips = try TemporaryFolder()
    let upright = try clips.make("upright.mkv", moving + " -frames:v 1 -c:v ffv1 -pix_fmt gbrp")
    let coded = try clips.make("coded.mov", "-i \(upright) -c:v png")
    let clip = try clips.turning(coded, by: 90, as: "turned.mov")
    let (pictures, geometry, _) = try shownPictures(clip)
    #expect((geometry.width, geometry.height) == (240, 320))
    let whole = try clips.decoded(clip, "-pix_fmt rgb24")
    let crop = try #require(pictures.first).rgb(Rectangle(left: 30, top: 50, width: 100, height: 100), side: 100)
    var expected: [UInt8] = []
    for y in 50..<150 {
      let start = (y * 240 + 30) * 3
      expected += whole[start..<start + 300]
    }
    #expect(crop == expected)
  }

  @Test(arguments: [("16/15", 0, 341, 240), ("1/2", 0, 160, 240), ("16/15", 90, 240, 341), ("1/1", 0, 320, 240)])
  func `have square pixels`(aspect: String, degrees: Int, width: Int, height: Int) throws {
    let clips = try TemporaryFolder()
    let plain = try clips.make("plain.mp4", moving + " -vf setsar=\(aspect) -frames:v 1 -c:v mpeg4")
    let clip = try clips.turning(plain, by: degrees, as: "clip.mp4")
    let (pictures, geometry, _) = try shownPictures(clip)
    #expect((geometry.width, geometry.height) == (width, height))
    #expect(try pictures.first?.wholeGrey().count == width * height)
  }

  @Test func `show a thing where square pixels put it`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make(
      "clip.mkv",
      "-f lavfi -i color=c=black:size=320x240:rate=5:duration=0.2 "
        + "-vf drawbox=x=160:y=120:w=80:h=60:color=white:t=fill,setsar=3/2 -c:v ffv1")
    let grey = try #require(try shownPictures(clip).pictures.first).wholeGrey()
    let bright = grey.indices.filter { grey[$0] > 128 }.map { (x: $0 % 480, y: $0 / 480) }
    #expect(bright.map(\.x).min() == 240)
    #expect(bright.map(\.x).max() == 359)
    #expect(bright.map(\.y).min() == 120)
    #expect(bright.map(\.y).max() == 179)
  }

  @Test func `keep the first one's size when the coded size changes`() throws {
    let clips = try TemporaryFolder()
    let encoder = "-frames:v 6 -c:v libx264 -tune zerolatency -pix_fmt yuv420p"
    let first = try clips.make("a.ts", "\(moving) \(encoder)")
    let second = try clips.make("b.ts", "\(moving) -vf scale=160:120 \(encoder)")
    let both = try [first, second].flatMap { try TemporaryFolder.read($0) }
    let clip = try clips.write("both.ts", both)
    let (pictures, geometry, _) = try shownPictures(clip)
    #expect(pictures.count == 12)
    #expect(pictures.map { $0.frame.width } == [320, 320, 320, 320, 320, 320, 160, 160, 160, 160, 160, 160])
    #expect(try pictures.map { try $0.wholeGrey().count } == [Int](repeating: 320 * 240, count: 12))
    #expect(geometry.warnings == ["from picture 6 on the size changes from 320x240 to 160x120; scaled to the first"])
  }

  @Test func `are rounded to quarter turns, and mirrors are seen`() {
    func matrix(_ entries: [Double]) -> Orientation {
      let fixed =
        [entries[0], entries[1], 0, entries[2], entries[3], 0].map { Int32(($0 * 65536).rounded()) }
        + [0, 0, 1 << 30]
      return fixed.withUnsafeBytes { bytes in
        bytes.bindMemory(to: UInt8.self).baseAddress.map { Orientation(matrix: $0) } ?? .upright
      }
    }
    #expect(matrix([1, 0, 0, 1]) == .upright)
    #expect(matrix([0, 1, -1, 0]) == Orientation(quarterTurns: 1, leftOver: 0, mirrored: false))
    #expect(matrix([-1, 0, 0, -1]) == Orientation(quarterTurns: 2, leftOver: 0, mirrored: false))
    #expect(matrix([0, -1, 1, 0]) == Orientation(quarterTurns: 3, leftOver: 0, mirrored: false))
    #expect(matrix([-1, 0, 0, 1]).mirrored)
    #expect(matrix([0, 0, 0, 0]) == .upright)
    let tilted = matrix([0.1736, 0.9848, -0.9848, 0.1736])
    #expect(tilted.quarterTurns == 1)
    #expect(abs(tilted.degrees - 80) < 0.01)
  }
}

struct `Geometry of shown pictures` {
  @Test(arguments: [
    (0, Rectangle(left: 20, top: 5, width: 30, height: 40)), (1, Rectangle(left: 5, top: 30, width: 40, height: 30)),
    (2, Rectangle(left: 50, top: 15, width: 30, height: 40)), (3, Rectangle(left: 55, top: 20, width: 40, height: 30)),
  ])
  func `finds the coded rectangle of a shown one`(turns: Int, expected: Rectangle) {
    let coded = turns % 2 == 0 ? (100, 60) : (100, 80)
    let geometry = DisplayGeometry(codedWidth: coded.0, codedHeight: coded.1, pixelAspect: 1, quarterTurns: turns)
    #expect(geometry.coded(Rectangle(left: 20, top: 5, width: 30, height: 40)) == expected)
  }

  @Test func `turns pixels clockwise`() {
    let pixels: [UInt8] = [1, 2, 3, 4, 5, 6]
    func turn(_ turns: Int) -> [UInt8] { turned(pixels, width: 3, height: 2, channels: 1, quarterTurns: turns) }
    #expect(turn(0) == [1, 2, 3, 4, 5, 6])
    #expect(turn(1) == [4, 1, 5, 2, 6, 3])
    #expect(turn(2) == [6, 5, 4, 3, 2, 1])
    #expect(turn(3) == [3, 6, 2, 5, 1, 4])
  }
}

struct `Files that are no whole video` {
  @Test func `of sound alone have no video`() throws {
    let clips = try TemporaryFolder()
    guard case .noVideo = try read(try clips.make("tone.wav", "-f lavfi -i sine=duration=0.2")) else {
      Issue.record("a video was found")
      return
    }
  }

  @Test func `of sound with a cover picture have no video`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make(
      "song.mp3",
      "-f lavfi -i sine=duration=0.5 \(moving) -map 0 -map 1 -frames:v 1 -c:v mjpeg"
        + " -disposition:v attached_pic")
    guard case .noVideo = try read(clip) else {
      Issue.record("a video was found")
      return
    }
  }

  @Test func `and list more pictures than are left are refused`() throws {
    let clips = try TemporaryFolder()
    let whole = try clips.make("whole.mp4", moving + " -c:v mpeg4 -q:v 3 -movflags +faststart")
    let bytes = try TemporaryFolder.read(whole)
    let clip = try clips.write("cut.mp4", Array(bytes.prefix(bytes.count * 6 / 10)))
    let error = #expect(throws: MediaError.self) { try read(clip) }
    #expect(error?.kind == .damaged)
    let sentence = try #require(error?.sentence)
    #expect(sentence.hasPrefix("\(clip), video stream: expected the 50 pictures that the file lists, found "))
    #expect(sentence.hasSuffix(" before it ends (a packet is incomplete); copy it again"))
  }

  @Test(arguments: ["mkv", "avi"])
  func `and end early give the pictures before, and say so`(kind: String) throws {
    let clips = try TemporaryFolder()
    let whole = try clips.make("whole.\(kind)", moving + " -c:v mpeg4 -q:v 3 -movflags +faststart")
    let bytes = try TemporaryFolder.read(whole)
    let video = try summary(try clips.write("cut.\(kind)", Array(bytes.prefix(bytes.count * 6 / 10))))
    #expect(video.frames > 20 && video.frames < 40)
    let said = ["the file ends before its video stream does (", "the pictures end at 1."]
    #expect(video.warnings.contains { warning in said.contains { warning.hasPrefix($0) } }, "\(video.warnings)")
  }

  @Test func `and hold a header alone are refused`() throws {
    let clips = try TemporaryFolder()
    let whole = try clips.make("whole.mp4", moving + " -c:v mpeg4 -movflags +faststart")
    let bytes = try TemporaryFolder.read(whole)
    let data = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("mdat".utf8)) })
    let clip = try clips.write("header.mp4", Array(bytes.prefix(data + 8)))
    let error = #expect(throws: MediaError.self) { try read(clip) }
    #expect(error?.kind == .damaged)
    #expect(
      error?.sentence.hasPrefix(
        "\(clip), video stream: expected at least one picture, found none that the mpeg4 decoder can read") == true)
  }

  @Test func `and have bytes overwritten give the other pictures, and say so`() throws {
    let clips = try TemporaryFolder()
    let whole = try clips.make("whole.mkv", moving + " -c:v mpeg4 -g 5 -q:v 3")
    var bytes = try TemporaryFolder.read(whole)
    var random = TestPixels(state: 3)
    let middle = bytes.count / 2
    bytes.replaceSubrange(middle..<middle + 8000, with: random.bytes(8000))
    let video = try summary(try clips.write("damaged.mkv", bytes))
    #expect(video.frames > 30 && video.frames <= 50)
    #expect(!video.warnings.isEmpty)
  }

  @Test func `and are larger than the limit are refused`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make("large.png", "-f lavfi -i color=c=gray:size=8200x8200 -frames:v 1 -pix_fmt monob")
    let error = #expect(throws: MediaError.self) { try read(clip) }
    #expect(
      error?.sentence.hasPrefix(
        "\(clip), video stream: expected at least one picture, found none that the png decoder can read") == true)
  }

  @Test func `are not read with options out of range`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make("still.png", moving + " -frames:v 1")
    var options = FaceTrack.Options()
    options.size = 5000
    let error = #expect(throws: MediaError.self) {
      try FaceTrack.read(path: clip, detector: testDetector.clone(), options: options)
    }
    #expect(
      error?.sentence
        == "\(clip), face crops: expected 1 to 4096 steps, crops of as many pixels, and a margin above 0 and up to 10, "
        + "found 32 steps, 5000 pixels, margin 1.2; correct the preprocessing metadata")
  }

  @Test func `and hold text are refused`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.write("notes.mp4", Array("What a lovely day it is, and what a long sentence.\n".utf8))
    let error = #expect(throws: MediaError.self) { try read(clip) }
    #expect(
      error?.sentence
        == "\(clip), first bytes: expected a sound or video file, found none of the known formats; "
        + "convert it, for example with ffmpeg to .mp4 or .wav")
  }

  @Test func `and are empty are refused`() throws {
    let clips = try TemporaryFolder()
    let clip = try clips.write("empty.mp4", [])
    let error = #expect(throws: MediaError.self) { try read(clip) }
    #expect(error?.sentence == "\(clip): expected a sound or video file, found 0 bytes; copy or record it again")
  }
}

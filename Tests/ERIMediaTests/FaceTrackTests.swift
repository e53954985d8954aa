import ERIDataset
import ERITestSupport
import Testing

@testable import ERIMedia

/// A drawn face that dlib finds in every picture: 50 pictures of 320 x 240.
private func drawnClip(_ clips: TemporaryFolder) throws -> String {
  let path = clips.path("drawn.mp4")
  try ClipWriter.write(
    SyntheticClip(seed: 5, index: 0, format: ClipFormat(duration: 2), labels: Intensities(.amusement)), to: path)
  return path
}

private func track(_ path: String, _ options: FaceTrack.Options = .init()) throws -> FaceTrack {
  let outcome = try FaceTrack.read(path: path, detector: testDetector.clone(), options: options)
  guard case .face(let track) = outcome else {
    throw MediaError(.damaged, path: path, expected: "a face", found: "none", advice: "look at the test's clip")
  }
  return track
}

/// Mean difference of two crops in levels.
private func difference(_ a: [UInt8], _ b: [UInt8]) -> Double {
  zip(a, b).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(max(a.count, 1))
}

struct `Face of a clip` {
  @Test func `is found in every picture and cropped from the sampled ones`() throws {
    let clips = try TemporaryFolder()
    let track = try track(try drawnClip(clips))
    #expect(track.video.frames == 50)
    #expect(track.video.framesWithFace == 50)
    #expect(track.video.codec == "mpeg4")
    #expect(track.video.warnings == [])
    #expect(track.boxes.count == 50)
    #expect(track.sampledIndices.count == 32)
    #expect(track.sampledIndices.first == 0)
    #expect(track.sampledIndices.last == 49)
    #expect(track.crops.count == 32 * 112 * 112 * 3)
    // The drawn head stays near the middle.
    for box in track.boxes {
      #expect(abs(box.centreX - 160) < 40 && abs(box.centreY - 120) < 40 && box.side > 70 && box.side < 160)
    }
  }

  @Test func `is the same whether pictures are kept or decoded twice, and with any number of threads`() throws {
    let clips = try TemporaryFolder()
    let clip = try drawnClip(clips)
    let kept = try track(clip)
    for (bytes, threads) in [(0, 1), (2 << 20, 1), (64 << 20, 0)] {
      var options = FaceTrack.Options()
      options.keptBytes = bytes
      options.threads = threads
      let again = try track(clip, options)
      #expect(again.boxes == kept.boxes)
      #expect(again.crops == kept.crops)
    }
  }

  @Test func `is found upright in a clip stored on its side, at the same place`() throws {
    let clips = try TemporaryFolder()
    let clip = try drawnClip(clips)
    let sideways = try clips.make("sideways.mp4", "-i \(clip) -an -vf transpose=2 -c:v libx264 -crf 5 -pix_fmt yuv420p")
    guard case .noFace(let video) = try FaceTrack.read(path: sideways, detector: testDetector.clone()) else {
      Issue.record("a face lying on its side was found")
      return
    }
    #expect(video.frames == 50)
    let marked = try clips.turning(sideways, by: 90, as: "marked.mp4")
    let (upright, turned) = (try track(clip), try track(marked))
    #expect((turned.video.width, turned.video.height) == (320, 240))
    #expect(turned.video.framesWithFace == 50)
    // The second encoding may move a box by one step of the detector's grid in a few pictures.
    let moved = zip(upright.boxes, turned.boxes).count { abs($0.centreX - $1.centreX) > 1 }
    #expect(moved <= 10)
    #expect(difference(upright.crops, turned.crops) < 6)
  }

  @Test func `is as wide as high when the stored pixels are not`() throws {
    let clips = try TemporaryFolder()
    let clip = try drawnClip(clips)
    let narrow = try clips.make(
      "narrow.mp4", "-i \(clip) -an -vf scale=240:240,setsar=4/3 -c:v libx264 -crf 5 -pix_fmt yuv420p")
    let (square, scaled) = (try track(clip), try track(narrow))
    #expect((scaled.video.width, scaled.video.height) == (320, 240))
    #expect(scaled.video.framesWithFace == 50)
    // Detail is lost by storing fewer columns; a crop of the wrong place or shape differs by over 20 levels.
    #expect(difference(square.crops, scaled.crops) < 8)
  }

  @Test func `that goes is followed to its last picture, and the guessed crops are told`() throws {
    let clips = try TemporaryFolder()
    let clip = try drawnClip(clips)
    let leaving = try clips.make(
      "leaving.mkv",
      "-i \(clip) -f lavfi -i color=c=gray:size=320x240:rate=25:duration=3 -filter_complex "
        + "[0:v]trim=end_frame=20,format=yuv420p,setsar=1[a];[1:v]format=yuv420p,setsar=1[b];[a][b]concat -an -c:v ffv1"
    )
    let track = try track(leaving)
    #expect(track.video.frames == 95)
    #expect(track.video.framesWithFace == 20)
    #expect(
      track.video.warnings == [
        "25 of 32 sampled pictures lie in a gap of over a second without a face; their crops are guessed"
      ])
    #expect(track.boxes.suffix(75).allSatisfy { $0 == track.boxes[19] })
  }

  @Test func `lies within one step of dlib's grid of its place in a search of every picture`() throws {
    let clips = try TemporaryFolder()
    let clip = try drawnClip(clips)
    let sparse = try track(clip)
    let (pictures, _, _) = try shownPictures(clip)
    var tracker = FaceTracker(detector: try testDetector.clone())
    for (picture, box) in zip(pictures, sparse.boxes) {
      let native = try #require(try tracker.find(in: picture, near: nil))
      // dlib's boxes move in cells of a tenth of their width and grow in steps of a fifth.
      #expect(abs(native.centreX - box.centreX) < 0.25 * native.side)
      #expect(abs(native.centreY - box.centreY) < 0.25 * native.side)
      #expect(box.side / native.side > 0.75 && box.side / native.side < 1.33)
    }
  }

  @Test func `is found alike with and without AVX2`() throws {
    let clips = try TemporaryFolder()
    let picture = try #require(try shownPictures(try drawnClip(clips)).pictures.first)
    var tracker = FaceTracker(detector: try testDetector.clone())
    var baseline = FaceTracker(detector: try FaceDetector(baseline: true))
    let box = try tracker.find(in: picture, near: nil)
    #expect(box != nil)
    #expect(try baseline.find(in: picture, near: nil) == box)
  }
}

